// What can be done with a fix, by where it is in its life, the likeliest first. Whether it may be done is the server's to say. Pure.
import type { Fix, FixMay, FixState, Permission } from '@/api/schema';

export type Act = 'approve' | 'apply' | 'roll_back' | 'withdraw' | 'replan';

const ACTS: Record<FixState, Act[]> = {
  proposed: ['approve', 'apply', 'withdraw'],
  awaiting_second: ['approve', 'apply', 'withdraw'],
  approved: ['apply', 'withdraw'],
  scheduled: ['apply', 'withdraw'],
  applying: [],
  applied: ['roll_back'],
  stopped: ['replan', 'withdraw'],
  failed: ['apply', 'replan', 'withdraw'],
  rolling_back: [],
  rolled_back: ['replan'],
  rollback_failed: ['roll_back'],
  dismissed: ['replan'],
  superseded: ['replan'],
};

export const NEEDS: Record<Act, Permission> = { approve: 'fixes.approve', apply: 'fixes.apply', roll_back: 'fixes.apply', withdraw: 'fixes.approve', replan: 'fixes.plan' };

export const actsOf = (state: FixState): Act[] => ACTS[state];

/** Why the server would not let it be done now; undefined when it would. */
export const heldBack = (may: FixMay, act: Act): string | undefined => (act === 'replan' ? undefined : (may[act] ?? undefined));

/** Going back and setting aside are there when they are wanted, and never urged; planning anew only where something went wrong. */
const urged = (act: Act, state: FixState) => act === 'approve' || act === 'apply' || (act === 'replan' && (state === 'stopped' || state === 'failed'));

/** The one to draw as the next step: the first that leads on and may be done. */
export function nextAct(fix: Pick<Fix, 'state' | 'may'>, permitted: (act: Act) => boolean): Act | undefined {
  return actsOf(fix.state).find((act) => urged(act, fix.state) && permitted(act) && heldBack(fix.may, act) === undefined);
}
