// Numbers, sizes and times as people read them. Pure.
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const STEPS: [limit: number, unit: Intl.RelativeTimeFormatUnit, seconds: number][] = [
  [60, 'second', 1],
  [3600, 'minute', 60],
  [86400, 'hour', 3600],
  [86400 * 30, 'day', 86400],
  [86400 * 365, 'month', 86400 * 30],
  [Infinity, 'year', 86400 * 365],
];

export function relativeTime(iso: string, now: number): string {
  const seconds = (Date.parse(iso) - now) / 1000;
  if (Number.isNaN(seconds)) return iso;
  if (Math.abs(seconds) < 45) return 'just now';
  const [, unit, size] = STEPS.find(([limit]) => Math.abs(seconds) < limit)!;
  return relative.format(Math.round(seconds / size), unit);
}

/** In the person's zone, with the zone named. */
export function exactTime(iso: string): string {
  return new Date(iso).toLocaleString('en-GB', { dateStyle: 'long', timeStyle: 'long' });
}

export function shortDate(iso: string | number): string {
  if (Number.isNaN(iso)) return '';
  return new Date(iso).toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
}

/** Days from now until then, to the nearest; negative when past. */
export function daysUntil(iso: string, now: number): number {
  return Math.round((Date.parse(iso) - now) / 86_400_000);
}

/** A share as a percentage. Rounded so that only all is 100 % and only nothing is 0 %. */
export function percent(share: number): string {
  const rounded = Math.round(share * 100);
  if (rounded === 100 && share < 1) return '99%';
  if (rounded === 0 && share > 0) return '1%';
  return `${rounded}%`;
}

export function fileSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

export const number = (n: number) => n.toLocaleString('en');

/** `Owners, Admins and Auditors` */
export function wordList(words: string[]): string {
  return new Intl.ListFormat('en', { type: 'conjunction' }).format(words);
}

/** `Contoso, Fabrikam, or Litware` */
export function choiceList(words: string[]): string {
  return new Intl.ListFormat('en', { type: 'disjunction' }).format(words);
}
