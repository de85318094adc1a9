// Posture over ninety days: one line a series, one mark a run.
import { lazy } from 'react';
import type { Series, TrendPoint } from '@/api/schema';
import { seriesName } from '@/features/findings/series';
import { t } from '@/messages';
import { ChartFrame } from '@/shared/ChartFrame';
import { exactTime, percent } from '@/shared/format';

const TrendLines = lazy(() => import('./charts').then((module) => ({ default: module.TrendLines })));

export function TrendChart({ trend, series }: { trend: TrendPoint[]; series: Series[] }) {
  const names = new Map(series.map((each) => [each.id, seriesName(each)]));
  const name = (id: string) => names.get(id) ?? t.app.unnamed;
  const figures = {
    columns: [t.overview.at, t.overview.series, t.overview.value, t.overview.passed, t.overview.failingWord],
    rows: [...trend].reverse().map((point) => ({
      key: `${point.run} ${point.series}`,
      cells: [exactTime(point.at), name(point.series), percent(point.posture), point.passed, point.failing],
    })),
  };
  return (
    <ChartFrame title={t.overview.trend} figures={figures} height={300} empty={trend.length < 2 ? t.overview.trendEmpty : undefined}>
      <TrendLines trend={trend} name={name} height={300} />
    </ChartFrame>
  );
}
