// Five-field cron for people: the common choices as words, and the next times, in any IANA zone. Pure. The server decides when a scan
// begins; this shows beforehand what it will decide.

export type Rhythm =
  | { every: 'day'; hour: number; minute: number }
  | { every: 'week'; hour: number; minute: number; weekday: number }
  | { every: 'month'; hour: number; minute: number; day: number };

const time = ({ hour, minute }: { hour: number; minute: number }) => `${minute} ${hour}`;

export function cronOf(rhythm: Rhythm): string {
  switch (rhythm.every) {
    case 'day':
      return `${time(rhythm)} * * *`;
    case 'week':
      return `${time(rhythm)} * * ${rhythm.weekday}`;
    case 'month':
      return `${time(rhythm)} ${rhythm.day} * *`;
  }
}

/** The words for a cron, where it is one of the common choices. */
export function rhythmOf(cron: string): Rhythm | undefined {
  const [minute, hour, day, month, weekday, ...more] = cron.trim().split(/\s+/);
  const whole = (text: string | undefined, low: number, high: number) => {
    const value = /^\d{1,2}$/.test(text ?? '') ? Number(text) : NaN;
    return value >= low && value <= high ? value : undefined;
  };
  const at = { minute: whole(minute, 0, 59), hour: whole(hour, 0, 23) };
  if (more.length > 0 || at.minute === undefined || at.hour === undefined || month !== '*') return undefined;
  const clock = { minute: at.minute, hour: at.hour };
  if (day === '*' && weekday === '*') return { every: 'day', ...clock };
  const onWeekday = whole(weekday, 0, 7);
  if (day === '*' && onWeekday !== undefined) return { every: 'week', weekday: onWeekday % 7, ...clock };
  const onDay = whole(day, 1, 31);
  if (weekday === '*' && onDay !== undefined) return { every: 'month', day: onDay, ...clock };
  return undefined;
}

const NAMES = { month: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'], weekday: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] };

/** The values a field allows; undefined when it cannot be read. */
function field(text: string, low: number, high: number, names: string[] = [], base = 0): Set<number> | undefined {
  const value = (word: string) => {
    const named = names.indexOf(word.toLowerCase());
    return named >= 0 ? named + base : /^\d+$/.test(word) ? Number(word) : NaN;
  };
  const all = new Set<number>();
  for (const part of text.split(',')) {
    const [range = '', step = '1', ...more] = part.split('/');
    const every = /^\d+$/.test(step) ? Number(step) : 0;
    const [from, to, ...rest] = range === '*' ? [low, high] : range.split('-').map(value);
    if (from === undefined || more.length > 0 || rest.length > 0 || every === 0) return undefined;
    const last = to ?? (part.includes('/') ? high : from);
    if (!(from >= low && last <= high && from <= last)) return undefined;
    for (let each = from; each <= last; each += every) all.add(each);
  }
  return all;
}

interface Fields {
  minutes: number[];
  hours: number[];
  months: Set<number>;
  onDay: (day: number, weekday: number) => boolean;
}

function read(cron: string): Fields | undefined {
  const parts = cron.trim().split(/\s+/);
  if (parts.length !== 5) return undefined;
  const [minute, hour, day, month, weekday] = parts as [string, string, string, string, string];
  const minutes = field(minute, 0, 59);
  const hours = field(hour, 0, 23);
  const days = field(day, 1, 31);
  const months = field(month, 1, 12, NAMES.month, 1);
  const weekdays = field(weekday, 0, 7, NAMES.weekday);
  if (!minutes || !hours || !days || !months || !weekdays) return undefined;
  if (weekdays.has(7)) weekdays.add(0);
  // As cron has it: with both days given, either is enough.
  const onDay = day === '*' ? (_: number, w: number) => weekdays.has(w) : weekday === '*' ? (d: number) => days.has(d) : (d: number, w: number) => days.has(d) || weekdays.has(w);
  return { minutes: [...minutes].sort((a, b) => a - b), hours: [...hours].sort((a, b) => a - b), months, onDay };
}

export const isCron = (cron: string) => read(cron) !== undefined;

export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return zone !== '';
  } catch {
    return false;
  }
}

/** What the clock of a zone shows at a moment, as if it were UTC. */
function wallClock(at: number, format: Intl.DateTimeFormat): number {
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(part.year!, part.month! - 1, part.day, part.hour, part.minute, part.second);
}

/** The next times after a moment, in milliseconds since 1970; fewer when they do not come within two years. */
export function nextTimes(cron: string, zone: string, after: number, wanted = 3): number[] {
  const fields = read(cron);
  if (!fields || !isZone(zone)) return [];
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' });
  const today = new Date(wallClock(after, format));
  const found: number[] = [];
  for (let ahead = 0; ahead < 732 && found.length < wanted; ahead += 1) {
    const day = new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate() + ahead));
    if (!fields.months.has(day.getUTCMonth() + 1) || !fields.onDay(day.getUTCDate(), day.getUTCDay())) continue;
    for (const hour of fields.hours) {
      for (const minute of fields.minutes) {
        const wall = day.getTime() + (hour * 60 + minute) * 60_000;
        // Two steps find the offset in force at that very moment. A time that the clocks leave out moves on by the gap.
        let at = wall - (wallClock(wall, format) - wall);
        at = wall - (wallClock(at, format) - at);
        if (at > after && found.length < wanted && !found.includes(at)) found.push(at);
      }
    }
  }
  return found;
}
