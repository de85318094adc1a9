// Every scan, newest first.
import type { Scan } from '@/api/schema';
import { usePages } from '@/api/usePages';
import { ConnectButton } from '@/features/connections/DirectoriesPage';
import { known } from '@/features/findings/filters';
import { t } from '@/messages';
import { m } from '@/messages/microsoft365';
import { paths } from '@/paths';
import { type Column, DataTable } from '@/shared/DataTable';
import { type Choice, FilterPill, FilterRow } from '@/shared/FilterRow';
import { useSearch, useSetSearch } from '@/shared/location';
import { Section } from '@/shared/Page';
import { EmptyState, ErrorState, ListSkeleton, NoMatch } from '@/shared/States';
import { Time } from '@/shared/Time';
import { ScanStateBadge, ScoreWord } from './badges';
import { scansQuery } from './queries';
import { StartButton, useReaders } from './StartScan';

const words = m.scans;
const FILTERS = ['of', 'kind', 'state'];

export const choicesOf = (names: Record<string, string>): Choice[] => Object.entries(names).map(([value, label]) => ({ value, label }));

/** How long a scan took, in words. */
export function tookWords(scan: Pick<Scan, 'started_at' | 'ended_at'>): string {
  if (!scan.started_at || !scan.ended_at) return '–';
  return words.seconds(Math.max(1, Math.round((Date.parse(scan.ended_at) - Date.parse(scan.started_at)) / 1000)));
}

const columns: Column<Scan>[] = [
  { key: 'directory', name: words.directory, width: 'minmax(0, 1.6fr)', cell: (row) => row.directory.name },
  { key: 'kind', name: words.kind, width: '110px', cell: (row) => m.scanKinds[row.kind] },
  { key: 'state', name: words.stateColumn, width: '120px', cell: (row) => <ScanStateBadge state={row.state} /> },
  { key: 'score', name: words.score, width: '180px', cell: (row) => <ScoreWord score={row.score} /> },
  { key: 'change', name: m.scan.change, width: '140px', cell: (row) => (typeof row.score_change === 'number' ? words.change(row.score_change) : '–') },
  { key: 'findings', name: words.findings, width: 'minmax(0, 1fr)', wideOnly: true, cell: (row) => (row.findings ? t.runs.delta(row.findings.new, row.findings.fixed, row.findings.reopened) : '–') },
  { key: 'by', name: words.by, width: 'minmax(0, 1fr)', wideOnly: true, cell: (row) => (row.schedule ? words.bySchedule : row.requested_by.name) },
  { key: 'took', name: words.took, width: '90px', align: 'end', wideOnly: true, cell: (row) => tookWords(row) },
  { key: 'started', name: words.started, width: '120px', align: 'end', cell: (row) => <Time at={row.started_at ?? row.queued_at} /> },
];

export function HistoryTab() {
  const search = useSearch();
  const set = useSetSearch();
  const readers = useReaders();
  const directories = Object.fromEntries(readers.map((each) => [each.directory.id, each.directory.name]));
  const { query, rows, more } = usePages(scansQuery({ directory: search.of ?? search.directory, kind: known(m.scanKinds, search.kind), state: known(m.scanStates, search.state) }));
  const filtered = FILTERS.some((key) => search[key]) || search.directory !== undefined;
  return (
    <>
      <FilterRow keys={FILTERS}>
        <FilterPill param="of" name={words.directory} choices={choicesOf(directories)} />
        <FilterPill param="kind" name={words.kind} choices={choicesOf(m.scanKinds)} />
        <FilterPill param="state" name={words.stateColumn} choices={choicesOf(m.scanStates)} />
      </FilterRow>
      <Section title={words.table} note={rows && t.list.shown(rows.length, more.has)}>
        {query.isError && !rows ? (
          <ErrorState error={query.error} onRetry={() => void query.refetch()} permission="scans.read" />
        ) : !rows ? (
          <ListSkeleton rows={10} />
        ) : rows.length > 0 ? (
          <DataTable label={words.table} rows={rows} columns={columns} rowKey={(row) => row.id} href={(row) => paths.scan(row.id)} more={more} />
        ) : filtered ? (
          <NoMatch onClear={() => set({ of: undefined, kind: undefined, state: undefined, directory: undefined })} />
        ) : (
          <EmptyState title={words.emptyTitle} action={readers.length === 0 ? <ConnectButton /> : <StartButton />}>
            {words.empty}
          </EmptyState>
        )}
      </Section>
    </>
  );
}
