import { describe, expect, it } from 'vitest';
import type { Fix } from '@/api/schema';
import { byPlan, byState, GROUPS, groupOf, titleOf, waiting } from './groups';

const fix = (id: string, state: Fix['state'], severity: Fix['severity'] = 'medium', plan = 'p1') => ({ id, state, severity, plan }) as Fix;
const ids = (fixes: Fix[]) => fixes.map(({ id }) => id).join(' ');

describe('a list of fixes', () => {
  it('begins with what happens now, then what went wrong, then what can be applied, then what waits', () => {
    const all = [fix('done', 'applied'), fix('old', 'superseded'), fix('new', 'proposed'), fix('ok', 'approved'), fix('off', 'stopped'), fix('now', 'applying')];
    expect(ids(byState(all))).toBe('now off ok new done old');
  });

  it('has the half-approved before the others, and the worst first', () => {
    expect(ids(byState([fix('low', 'proposed', 'low'), fix('high', 'proposed', 'high'), fix('half', 'awaiting_second', 'low')]))).toBe('half high low');
  });

  it('keeps the order it came in where nothing tells fixes apart', () => {
    expect(ids(byState([fix('a', 'proposed'), fix('b', 'proposed'), fix('c', 'proposed')]))).toBe('a b c');
  });

  it('keeps plans together, the newest first', () => {
    expect(ids(byPlan([fix('a', 'applied', 'low', 'new'), fix('b', 'proposed', 'low', 'old'), fix('c', 'proposed', 'low', 'new')]))).toBe('c a b');
  });

  it('tells things apart by name, or by the end of their id', () => {
    const recipe = { id: 'r', version: 1, title: 'Lock it', kind: 'patch' as const };
    expect(titleOf({ recipe })).toBe('Lock it');
    expect(titleOf({ recipe, object: { id: '/subscriptions/s/vaults/kv', name: 'The vault' } })).toBe('Lock it: The vault');
    expect(titleOf({ recipe, object: { id: '/subscriptions/s/vaults/kv' } })).toBe('Lock it: kv');
    expect(titleOf({ recipe, object: { id: `DirectoryRole_${'7a115710-4444-4444-8444-444444444444'}_8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2` } })).toBe('Lock it: …8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2');
  });

  it('puts every state into a group', () => {
    const states: Fix['state'][] = ['proposed', 'awaiting_second', 'approved', 'scheduled', 'applying', 'applied', 'stopped', 'failed', 'rolling_back', 'rolled_back', 'rollback_failed', 'dismissed', 'superseded'];
    for (const state of states) expect(GROUPS).toContain(groupOf(state));
    expect(waiting(states.map((state) => ({ state })))).toEqual({ approval: 2, ready: 1, attention: 3 });
  });
});
