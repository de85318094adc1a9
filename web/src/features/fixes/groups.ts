// How a list of fixes is put in order: what needs somebody first, in groups by state, or by the plan they came from. Pure.
import type { Fix, Severity } from '@/api/schema';

/** From what is happening now to what is over. */
export const GROUPS = ['underway', 'attention', 'ready', 'waiting', 'done', 'aside'] as const;
export type Group = (typeof GROUPS)[number];

const GROUP_OF: Record<Fix['state'], Group> = {
  applying: 'underway', rolling_back: 'underway', stopped: 'attention', failed: 'attention', rollback_failed: 'attention', approved: 'ready', scheduled: 'ready', proposed: 'waiting',
  awaiting_second: 'waiting', applied: 'done', rolled_back: 'done', dismissed: 'aside', superseded: 'aside',
};
const WORST_FIRST: Severity[] = ['critical', 'high', 'medium', 'low', 'info', 'none'];

export const groupOf = (state: Fix['state']): Group => GROUP_OF[state];

type Sorted = Pick<Fix, 'state' | 'severity' | 'plan'>;

/** By group, then half-approved ones before the others, then the worst first; else as they came. */
export function byState<T extends Sorted>(fixes: T[]): T[] {
  const rank = ({ state, severity }: Sorted) => [GROUPS.indexOf(groupOf(state)), state === 'awaiting_second' ? 0 : 1, WORST_FIRST.indexOf(severity)];
  return ordered(fixes, rank);
}

/** By plan in the order they came (the newest first), within a plan as by state. */
export function byPlan<T extends Sorted>(fixes: T[]): T[] {
  const plans = [...new Set(fixes.map((fix) => fix.plan))];
  return ordered(byState(fixes), (fix) => [plans.indexOf(fix.plan)]);
}

function ordered<T>(all: T[], rank: (each: T) => number[]): T[] {
  const ranked = all.map((each) => ({ each, rank: rank(each) }));
  const first = (a: number[], b: number[]) => a.map((value, index) => value - b[index]!).find((difference) => difference !== 0) ?? 0;
  return ranked.sort((a, b) => first(a.rank, b.rank)).map(({ each }) => each);
}

/** What a fix is about, as far as its object has a name: the end of a long id tells things apart, its beginning does not. */
export function titleOf(fix: Pick<Fix, 'recipe' | 'object'>): string {
  const { object, recipe } = fix;
  if (!object) return recipe.title;
  const end = object.id.split('/').at(-1)!;
  return `${recipe.title}: ${object.name ?? (end.length > 40 ? `…${end.slice(-36)}` : end)}`;
}

/** How many wait for a person, for the sentence under the title. */
export function waiting(fixes: Pick<Fix, 'state'>[]): { approval: number; ready: number; attention: number } {
  const of = (group: Group) => fixes.filter((fix) => groupOf(fix.state) === group).length;
  return { approval: of('waiting'), ready: fixes.filter((fix) => fix.state === 'approved').length, attention: of('attention') };
}
