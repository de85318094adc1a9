import { describe, expect, it } from 'vitest';
import type { FixMay, FixState } from '@/api/schema';
import { type Act, actsOf, heldBack, nextAct } from './acts';

const free: FixMay = { approve: null, apply: null, roll_back: null, withdraw: null, explain: null };
const next = (state: FixState, may: Partial<FixMay>, permitted: (act: Act) => boolean = () => true) => nextAct({ state, may: { ...free, ...may } }, permitted);

describe('what can be done with a fix', () => {
  it('is nothing while something is sent', () => {
    expect(actsOf('applying')).toEqual([]);
    expect(actsOf('rolling_back')).toEqual([]);
  });

  it('is never going back before it was applied, nor applying after', () => {
    for (const state of ['proposed', 'awaiting_second', 'approved', 'scheduled', 'stopped', 'failed'] as const) expect(actsOf(state)).not.toContain('roll_back');
    for (const state of ['applied', 'rollback_failed', 'rolled_back'] as const) expect(actsOf(state)).not.toContain('apply');
  });

  it('leads to the first step that may be taken, and never urges to go back', () => {
    expect(next('applied', {})).toBeUndefined();
    expect(next('proposed', { apply: 'It has no approval.' })).toBe('approve');
    expect(next('awaiting_second', { approve: 'You have approved it already.', apply: 'One approval is missing.' })).toBeUndefined();
    expect(next('approved', {})).toBe('apply');
    expect(next('stopped', {})).toBe('replan');
    expect(next('rolled_back', {})).toBeUndefined();
    expect(next('proposed', {}, () => false)).toBeUndefined();
  });

  it('says why not in the words of the server', () => {
    expect(heldBack({ ...free, apply: 'Fixes are off.' }, 'apply')).toBe('Fixes are off.');
    expect(heldBack(free, 'apply')).toBeUndefined();
    expect(heldBack({ ...free, apply: 'Fixes are off.' }, 'replan')).toBeUndefined();
  });
});
