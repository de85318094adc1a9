// A change window in words: the days and hours in which fixes may be sent. Pure.
import type { ChangeWindow } from '@/api/schema';
import { f } from '@/messages/fixes';
import { wordList } from '@/shared/format';

type Day = ChangeWindow['days'][number];

export const DAYS: Day[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** `Monday to Friday`, `Saturday and Sunday`, `every day`. */
export function daysText(days: readonly Day[]): string {
  const chosen = DAYS.filter((day) => days.includes(day));
  if (chosen.length === DAYS.length) return f.window.everyDay;
  const from = DAYS.indexOf(chosen[0] ?? 'mon');
  const inRow = chosen.length > 2 && chosen.every((day, index) => DAYS[from + index] === day);
  if (inRow) return f.window.dayToDay(f.window.days[chosen[0]!], f.window.days[chosen.at(-1)!]);
  return wordList(chosen.map((day) => f.window.days[day]));
}

/** It goes on into the next day. A window from a time to the same time lasts a whole day. */
export const overnight = ({ from, until }: Pick<ChangeWindow, 'from' | 'until'>): boolean => until <= from;

export function windowText(window: ChangeWindow): string {
  return f.window.text(daysText(window.days), window.from, window.until, overnight(window), window.time_zone);
}

const CLOCK = /^([01]\d|2[0-3]):[0-5]\d$/;

/** What is wrong with a window, before the server is asked. */
export function windowProblem(window: ChangeWindow): string | undefined {
  if (window.days.length === 0) return f.window.noDay;
  if (!CLOCK.test(window.from) || !CLOCK.test(window.until)) return f.window.noTime;
  return undefined;
}
