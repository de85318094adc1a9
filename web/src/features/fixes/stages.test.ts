import { describe, expect, it } from 'vitest';
import type { Fix } from '@/api/schema';
import { newestOrder, stages } from './stages';

type Step = Fix['steps'][number];
const step = (kind: Step['kind'], status?: number) => ({ kind, status }) as Step;
const at = (state: Fix['state'], ...steps: Step[]) => {
  const found = stages({ state, steps });
  return found && `${found.read} ${found.write} ${found.reread}`;
};

describe('sending a fix', () => {
  it('is nothing before it was ordered', () => {
    expect(at('proposed')).toBeUndefined();
    expect(at('scheduled')).toBeUndefined();
  });

  it('goes from reading to writing to reading back', () => {
    expect(at('applying')).toBe('busy waiting waiting');
    expect(at('applying', step('read', 200))).toBe('done busy waiting');
    expect(at('applying', step('read', 200), step('write'))).toBe('done busy waiting');
    expect(at('applying', step('read', 200), step('write', 204))).toBe('done done busy');
    expect(at('applied', step('read', 200), step('write', 204), step('reread', 200))).toBe('done done done');
  });

  it('stops before anything is sent when the value changed', () => {
    expect(at('stopped', step('read', 200))).toBe('bad none none');
  });

  it('tells a refusal from silence', () => {
    expect(at('failed', step('read', 200), step('write', 403))).toBe('done bad none');
    expect(at('failed', step('read', 200), step('write'), step('reread', 200))).toBe('done done bad');
  });

  it('shows the newest order only: going back begins anew', () => {
    const applied = [step('read', 200), step('write', 204), step('reread', 200)];
    expect(newestOrder([...applied, step('read', 200), step('write', 204)])).toHaveLength(2);
    expect(at('rolling_back', ...applied, step('read', 200))).toBe('done busy waiting');
  });
});
