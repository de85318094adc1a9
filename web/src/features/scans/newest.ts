// The newest of several. Pure.
import type { Scan } from '@/api/schema';

/** Of a list of scans, newest first, the newest of each directory and kind. */
export function newestOfEach<T extends Pick<Scan, 'directory' | 'kind'>>(scans: T[]): T[] {
  const seen = new Set<string>();
  return scans.filter(({ directory, kind }) => {
    const key = `${directory.id} ${kind}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** Of scores named `cis_m365 6.0`, `cis_m365 7.0`, the one of the last version; what has no versions stays. */
export function newestVersions<T extends { name: string }>(scores: T[]): T[] {
  const newest = new Map<string, T>();
  const later = new Intl.Collator('en', { numeric: true });
  for (const score of scores) {
    const [framework = ''] = score.name.split(' ');
    const known = newest.get(framework);
    if (!known || later.compare(score.name, known.name) > 0) newest.set(framework, score);
  }
  return [...newest.values()];
}
