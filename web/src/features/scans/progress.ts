// How much of a scan is done. Pure.
import type { ScanProgress } from '@/api/schema';

/** 0 to 1, where reading is most of the work; undefined while nothing is planned yet. */
export function shareDone(progress: Pick<ScanProgress, 'requests_planned' | 'requests_done' | 'checks_planned' | 'checks_judged' | 'phase'>): number | undefined {
  if (progress.phase === 'storing') return 1;
  if (progress.requests_planned === 0) return undefined;
  const part = (done: number, planned: number) => (planned === 0 ? 0 : Math.min(1, done / planned));
  return 0.8 * part(progress.requests_done, progress.requests_planned) + 0.2 * part(progress.checks_judged, progress.checks_planned);
}
