// Runs as rows, for the overview and the list of runs.
import type { Run } from '@/api/schema';
import { t } from '@/messages';
import { paths } from '@/paths';
import { RunStateBadge } from '@/shared/Badges';
import { type Column, DataTable, type DataTableProps } from '@/shared/DataTable';
import { percent } from '@/shared/format';
import { Time } from '@/shared/Time';

const failing = (run: Run) => run.counts.failed + run.counts.error + run.counts.investigate;

const columns: Column<Run>[] = [
  { key: 'source', name: t.runs.source, width: 'minmax(0, 1.6fr)', cell: (run) => run.source },
  { key: 'state', name: t.runs.stateColumn, width: '120px', cell: (run) => <RunStateBadge state={run.state} /> },
  { key: 'family', name: t.runs.family, width: 'minmax(0, 1.2fr)', cell: (run) => (run.family ? t.families[run.family] : '–') },
  { key: 'posture', name: t.runs.posture, width: '70px', align: 'end', cell: (run) => (typeof run.posture === 'number' ? percent(run.posture) : '–') },
  { key: 'results', name: t.runs.results, width: '170px', align: 'end', cell: (run) => (run.counts.total === 0 ? '–' : `${t.runs.failing(failing(run))}, ${run.counts.total.toLocaleString('en')}`) },
  { key: 'findings', name: t.runs.findings, width: 'minmax(0, 1.2fr)', wideOnly: true, cell: (run) => (run.state === 'succeeded' ? t.runs.delta(run.findings.new, run.findings.fixed, run.findings.reopened) : '–') },
  { key: 'by', name: t.runs.by, width: 'minmax(0, 1fr)', wideOnly: true, cell: (run) => run.submitted_by.name },
  { key: 'at', name: t.runs.submitted, width: '120px', align: 'end', cell: (run) => <Time at={run.opened_at} /> },
];

export function RunTable({ label, runs, more }: { label: string; runs: Run[]; more?: DataTableProps<Run>['more'] }) {
  return <DataTable label={label} rows={runs} columns={columns} rowKey={(run) => run.id} href={(run) => paths.run(run.id)} more={more} />;
}
