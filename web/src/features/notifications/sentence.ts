// A rule as one sentence, so that what it does can be read instead of pieced together. Pure.
import { n } from '@/messages/notifications';
import type { EventKind, Severity, Timing } from '@/api/schema';
import { choiceList } from '@/shared/format';

const words = n.sentence;

export interface Said {
  events: EventKind[];
  min_severity?: Severity | null;
  min_regressions: number;
  /** Names; none means everywhere. */
  directories: string[];
  projects: string[];
  timing: Timing;
  /** The name of the channel. */
  channel: string;
}

/** `When a scan or report got worse (2 or more regressions, high or worse) or a scan failed in Contoso, tell Security team at once.` */
export function sentenceOf(rule: Said): string {
  const { events, directories, projects } = rule;
  if (events.length === 0) return words.nothing;
  const what = choiceList(events.map((event) => words.events[event] + (event === 'drift_regressed' ? threshold(rule) : '')));
  const places = [...directories, ...projects.map(words.project)];
  const where = places.length === 0 ? '' : ` ${words.where(choiceList(places))}`;
  return words.whole(what + where, rule.channel || words.noChannel, when(rule.timing));
}

function threshold({ min_regressions, min_severity }: Said): string {
  const least = [min_regressions > 1 ? words.atLeast(min_regressions) : '', min_severity ? words.severe(min_severity) : ''].filter(Boolean);
  return least.length === 0 ? '' : ` (${least.join(', ')})`;
}

/** `at once`, `every Monday at 07:30 (Europe/Berlin)`. */
export function when(timing: Timing): string {
  switch (timing.kind) {
    case 'immediate':
      return words.atOnce;
    case 'daily':
      return words.daily(timing.at, timing.time_zone);
    case 'weekly':
      return words.weekly(n.days[timing.day], timing.at, timing.time_zone);
  }
}
