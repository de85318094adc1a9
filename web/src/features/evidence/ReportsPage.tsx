// The original files, whatever run they came with.
import { reportsQuery } from '@/api/queries';
import type { Report } from '@/api/schema';
import { usePages } from '@/api/usePages';
import { known } from '@/features/findings/filters';
import { t } from '@/messages';
import { paths } from '@/paths';
import { type Column, DataTable } from '@/shared/DataTable';
import { FilterPill, FilterRow } from '@/shared/FilterRow';
import { fileSize } from '@/shared/format';
import { AppLink, useSearch, useSetSearch } from '@/shared/location';
import { ProjectNote } from '@/shared/ProjectNote';
import { Page, Section } from '@/shared/Page';
import { EmptyState, ErrorState, ListSkeleton, Need, NoMatch } from '@/shared/States';
import { Time } from '@/shared/Time';
import { ArtifactActions } from './ArtifactLinks';

const columns: Column<Report>[] = [
  { key: 'name', name: t.reports.name, width: 'minmax(0, 1.6fr)', cell: (row) => row.name },
  { key: 'kind', name: t.reports.kind, width: '64px', cell: (row) => t.kinds[row.kind] },
  { key: 'family', name: t.reports.family, width: 'minmax(0, 1fr)', cell: (row) => (row.family ? t.families[row.family] : '–') },
  { key: 'directories', name: t.reports.directories, width: 'minmax(0, 1fr)', cell: (row) => row.directories.map((each) => each.name).join(', ') || '–' },
  { key: 'run', name: t.reports.run, width: 'minmax(0, 1fr)', cell: (row) => <AppLink href={paths.run(row.run)}>{row.source}</AppLink> },
  { key: 'size', name: t.reports.size, width: '80px', align: 'end', wideOnly: true, cell: (row) => fileSize(row.size) },
  { key: 'stored', name: t.reports.stored, width: '110px', align: 'end', cell: (row) => <Time at={row.stored_at} /> },
  { key: 'actions', name: t.reports.actions, width: '200px', cell: (row) => <ArtifactActions artifact={row} /> },
];

export function ReportsPage() {
  return (
    <Need permission="runs.read" page={t.reports.title}>
      <Body />
    </Need>
  );
}

function Body() {
  const search = useSearch();
  const set = useSetSearch();
  const { query, rows, more } = usePages(reportsQuery({ kind: known(t.kinds, search.kind), directory: search.directory }));
  return (
    <Page
      title={t.reports.title}
      state={t.reports.state}
      filters={
        <FilterRow keys={['kind']}>
          <FilterPill param="kind" name={t.filter.kind} choices={Object.entries(t.kinds).map(([value, label]) => ({ value, label }))} />
        </FilterRow>
      }
    >
      <ProjectNote />
      <Section title={t.reports.table} note={rows && t.list.shown(rows.length, more.has)}>
        {query.isError && !rows ? (
          <ErrorState error={query.error} onRetry={() => void query.refetch()} permission="runs.read" />
        ) : !rows ? (
          <ListSkeleton rows={12} />
        ) : rows.length === 0 ? (
          search.kind ? <NoMatch onClear={() => set({ kind: undefined })} /> : <EmptyState title={t.reports.emptyTitle}>{t.reports.empty}</EmptyState>
        ) : (
          <DataTable label={t.reports.table} rows={rows} columns={columns} rowKey={(row) => row.id} more={more} />
        )}
      </Section>
    </Page>
  );
}
