// How far sending a fix has come: read again, write, read back. Taken from the steps alone, as they were recorded. Pure.
import type { Fix } from '@/api/schema';

export type Stage = 'read' | 'write' | 'reread';
export type Turn = 'waiting' | 'busy' | 'done' | 'bad' | 'none';

type Told = Pick<Fix, 'state' | 'steps'>;

export const isLive = (state: Fix['state']): boolean => state === 'applying' || state === 'rolling_back';

/** The steps of the newest order, apply or roll back: an order always begins by reading. */
export function newestOrder(steps: Fix['steps']): Fix['steps'] {
  const begin = steps.map((step) => step.kind).lastIndexOf('read');
  return begin === -1 ? [] : steps.slice(begin);
}

/** Where each of the three stands; undefined while nothing was ever ordered. */
export function stages({ state, steps }: Told): Record<Stage, Turn> | undefined {
  const live = isLive(state);
  const order = live && steps.length === 0 ? [] : newestOrder(steps);
  if (order.length === 0 && !live) return undefined;
  const written = order.findLast((step) => step.kind === 'write');
  const reread = order.some((step) => step.kind === 'reread');
  const good = state === 'applied' || state === 'rolled_back';
  const read: Turn = order.length === 0 ? 'busy' : state === 'stopped' || (!live && !good && !written) ? 'bad' : 'done';
  const write: Turn = !written ? (live && read === 'done' ? 'busy' : live ? 'waiting' : 'none') : refused(written) ? 'bad' : live && !reread && typeof written.status !== 'number' ? 'busy' : 'done';
  const back: Turn = reread ? (live ? 'busy' : good ? 'done' : 'bad') : live ? (write === 'done' ? 'busy' : 'waiting') : good ? 'done' : 'none';
  return { read, write, reread: back };
}

/** Microsoft said no. No answer at all is not a no: the reading back decides. */
const refused = (step: Fix['steps'][number]) => typeof step.status === 'number' && step.status >= 400 && step.status < 500;
