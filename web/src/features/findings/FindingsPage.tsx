// Findings of every source in one list, with the one that is open beside it.
import { makeStyles } from '@fluentui/react-components';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { facetsQuery, findingsQuery } from '@/api/queries';
import type { Finding } from '@/api/schema';
import { usePages } from '@/api/usePages';
import { useDirectoryName, useProjectName } from '@/shell/Scope';
import { t } from '@/messages';
import { paths } from '@/paths';
import { LifeBadge, SeverityBadge } from '@/shared/Badges';
import { type Column, DataTable } from '@/shared/DataTable';
import { FilterPill, FilterRow, FilterSearch } from '@/shared/FilterRow';
import { useSearch, useSetSearch } from '@/shared/location';
import { Page, Section } from '@/shared/Page';
import { EmptyState, ErrorState, ListSkeleton, Need, NoMatch, Note } from '@/shared/States';
import { Time } from '@/shared/Time';
import { useReachItem } from '@/shared/useReachItem';
import { family, FamilyPill, known, product, ProductPill, severity, SeverityPill, StatusPill } from './filters';
import { FindingPanel } from './FindingPanel';
import { place } from './place';

const FILTERS = ['status', 'severity', 'family', 'product', 'search', 'sort'];

// A telephone has no keys to hint at.
const useStyles = makeStyles({ keys: { '@media (max-width: 640px)': { display: 'none' } } });

export function FindingsPage() {
  return (
    <Need permission="findings.read" page={t.findings.title}>
      <Body />
    </Need>
  );
}

function Body() {
  const styles = useStyles();
  const search = useSearch();
  const set = useSetSearch();
  const filter = {
    status: known(t.statuses, search.status), severity: severity(search.severity), family: family(search.family), product: product(search.product),
    directory: search.directory, project: search.project, search: search.search,
  };
  const { query, rows, pages, more } = usePages(findingsQuery({ ...filter, sort: search.sort === 'first_seen' ? 'first_seen' : undefined }));
  const facets = useQuery({ ...facetsQuery(filter), placeholderData: keepPreviousData }).data;
  const status = filter.status ?? 'open';
  const total = facets?.severity.reduce((sum, facet) => sum + facet.count, 0);
  const filtered = FILTERS.some((key) => key !== 'sort' && search[key]);
  const columns = useColumns(search);
  const keys = rows?.map((row) => row.id);
  const item = search.item;
  // A finding is fetched by itself; only the walk along the list needs the rows.
  useReachItem({ item: item !== undefined && keys?.includes(item) ? item : undefined, keys, pages, more });
  return (
    <Page
      title={t.findings.title}
      state={t.findings.state(status === 'open' ? total : undefined, t.statuses[status].toLowerCase())}
      filters={
        <FilterRow keys={FILTERS}>
          <FilterSearch label={t.filter.search} />
          <StatusPill counts={facets?.status} />
          <SeverityPill counts={facets?.severity} />
          <FamilyPill counts={facets?.family} />
          <ProductPill counts={facets?.product} />
          <FilterPill param="sort" name={t.filter.sort} fallback="severity" choices={[{ value: 'severity', label: t.filter.sortSeverity }, { value: 'first_seen', label: t.filter.sortFirstSeen }]} />
        </FilterRow>
      }
    >
      <Section title={t.findings.table} note={rows && t.list.shown(rows.length, more.has)} actions={rows?.length ? <span className={styles.keys}><Note>{t.list.hint}</Note></span> : undefined}>
        {query.isError && !rows ? (
          <ErrorState error={query.error} onRetry={() => void query.refetch()} permission="findings.read" />
        ) : !rows ? (
          <ListSkeleton rows={12} />
        ) : rows.length === 0 ? (
          filtered ? <NoMatch onClear={() => set(Object.fromEntries(FILTERS.map((key) => [key, undefined])))} /> : <EmptyState title={t.findings.emptyTitle}>{t.findings.empty}</EmptyState>
        ) : (
          <DataTable label={t.findings.table} rows={rows} columns={columns} rowKey={(row) => row.id} href={(row) => paths.findings({ ...search, item: row.id })} selected={item} more={more} />
        )}
      </Section>
      {item && <FindingPanel finding={item} place={{ keys: keys ?? [], hasMore: more.has }} />}
    </Page>
  );
}

function useColumns(search: Record<string, string>): Column<Finding>[] {
  const directory = useDirectoryName();
  const project = useProjectName();
  const columns: (Column<Finding> | false)[] = [
    { key: 'title', name: t.findings.titleColumn, width: 'minmax(0, 5fr)', cell: (row) => <Titled check={row.check_key} title={row.title} /> },
    { key: 'severity', name: t.findings.severity, width: '92px', cell: (row) => <SeverityBadge severity={row.severity} /> },
    { key: 'life', name: t.findings.life, width: '100px', cell: (row) => <LifeBadge life={row.life} /> },
    { key: 'product', name: t.findings.product, width: '112px', cell: (row) => (row.product ? t.products[row.product] : '–') },
    { key: 'source', name: t.findings.source, width: 'minmax(0, 110px)', wideOnly: true, cell: (row) => row.tool },
    !search.directory && { key: 'where', name: t.findings.where, width: 'minmax(0, 1.6fr)', wideOnly: true, cell: (row) => <Where text={place(row.location) ?? directory(row.directory) ?? project(row.project)} /> },
    { key: 'seen', name: t.findings.firstSeen, width: '104px', align: 'end', cell: (row) => <Time at={row.first_seen} /> },
  ];
  return columns.filter((column) => column !== false);
}

/** A check's id before its title, unless the title begins with it already. */
export function Titled({ check, title }: { check: string; title: string }) {
  const full = title.startsWith(check) ? title : `${check} ${title}`;
  return (
    <span title={full}>
      {title.startsWith(check) ? title : (
        <>
          <strong style={{ fontWeight: 600 }}>{check}</strong> {title}
        </>
      )}
    </span>
  );
}

/** A place that may be longer than its column. */
export function Where({ text }: { text: string | undefined }) {
  return text === undefined ? '–' : <span title={text}>{text}</span>;
}
