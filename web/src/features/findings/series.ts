// How a series is named to people.
import type { RunSeries, Series } from '@/api/schema';
import { t } from '@/messages';

/** `Maester, Contoso` or `Trivy, container, payments-api`. */
export function seriesName(series: Pick<Series | RunSeries, 'tool' | 'category' | 'directory' | 'family'> & { project?: Series['project'] }): string {
  return [series.tool || t.families[series.family], series.category, series.directory?.name, series.project?.name].filter(Boolean).join(', ');
}
