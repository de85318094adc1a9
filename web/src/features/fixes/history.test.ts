import { describe, expect, it } from 'vitest';
import type { Principal } from '@/api/schema';
import { historyOf } from './history';

const who = (name: string) => ({ kind: 'user', id: name, name }) as Principal;
const at = (minute: number) => `2026-11-22T08:0${minute}:00Z`;

describe('the life of a fix', () => {
  it('is told the newest first, with who and why', () => {
    const life = historyOf({
      planned_at: at(0), planned_by: who('Olivia'), approvals: [{ at: at(1), by: who('Olivia'), note: 'Agreed', digest: '' }, { at: at(2), by: who('Adam'), digest: '' }], applied_at: at(3), applied_by: who('Adam'), rolled_back_at: at(4), rolled_back_by: who('Olivia'),
    });
    expect(life.map(({ kind, who }) => `${kind} ${who}`)).toEqual(['rolled_back Olivia', 'applied Adam', 'approved Adam', 'approved Olivia', 'planned Olivia']);
    expect(life[3]!.note).toBe('Agreed');
  });

  it('begins with the planning, also where all came at one moment', () => {
    expect(historyOf({ planned_at: at(0), planned_by: who('Olivia'), approvals: [{ at: at(0), by: who('Adam'), digest: '' }] }).map(({ kind }) => kind)).toEqual(['approved', 'planned']);
  });
});
