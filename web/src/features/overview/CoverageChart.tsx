// Per product: how much passes, fails, was skipped, is unknown.
import { lazy } from 'react';
import type { Coverage } from '@/api/schema';
import { t } from '@/messages';
import { ChartFrame } from '@/shared/ChartFrame';
import { number } from '@/shared/format';

const CoverageBars = lazy(() => import('./charts').then((module) => ({ default: module.CoverageBars })));

export function CoverageChart({ coverage }: { coverage: Coverage[] }) {
  const figures = {
    columns: [t.overview.product, t.overview.passed, t.overview.failingWord, t.overview.skipped, t.overview.unknown],
    rows: coverage.map((row) => ({ key: row.product, cells: [t.products[row.product], number(row.passed), number(row.failing), number(row.skipped), number(row.unknown)] })),
  };
  const height = 48 + coverage.length * 28;
  return (
    <ChartFrame title={t.overview.coverage} figures={figures} height={height} empty={coverage.length === 0 ? t.overview.postureNone : undefined}>
      <CoverageBars coverage={coverage} height={height} />
    </ChartFrame>
  );
}
