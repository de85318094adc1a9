// What a completed scan found: scores, every check with its verdict, the sources it read and the packs it used.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Scan, ScanResult, Severity } from '@/api/schema';
import { usePages } from '@/api/usePages';
import { known, severity, SeverityPill } from '@/features/findings/filters';
import { t } from '@/messages';
import { m } from '@/messages/microsoft365';
import { paths } from '@/paths';
import { SeverityBadge } from '@/shared/Badges';
import { type Column, DataTable } from '@/shared/DataTable';
import { type Choice, FilterPill, FilterRow, FilterSearch } from '@/shared/FilterRow';
import { usePath, useSearch, useSetSearch } from '@/shared/location';
import { Section } from '@/shared/Page';
import { EmptyState, ErrorState, ListSkeleton, Loaded, NoMatch } from '@/shared/States';
import { useReachItem } from '@/shared/useReachItem';
import { VerdictBadge } from './badges';
import { CheckName } from './CheckName';
import { resultsQuery, summaryQuery } from './queries';
import { ResultPanel } from './ResultPanel';
import { Scores } from './Scores';
import { Packs, Sources } from './Sources';

const words = m.scan;
const FILTERS = ['verdict', 'severity', 'product', 'framework', 'search'];

/** What a filter offers, with how many each holds; the chosen one stays offered. */
export function counted(counts: Record<string, number> | undefined, nameOf: (key: string) => string, chosen: string | undefined): Choice[] {
  const all = { ...(chosen ? { [chosen]: 0 } : {}), ...counts };
  return Object.entries(all).filter(([key, count]) => count > 0 || key === chosen).map(([value, count]) => ({ value, label: nameOf(value), count })).sort((a, b) => a.label.localeCompare(b.label));
}

const columns: Column<ScanResult>[] = [
  { key: 'title', name: words.check, width: 'minmax(0, 5fr)', cell: (row) => <CheckName id={row.check} title={row.title} /> },
  { key: 'verdict', name: words.verdict, width: '200px', cell: (row) => <VerdictBadge verdict={row.verdict} /> },
  { key: 'severity', name: words.severity, width: '92px', cell: (row) => <SeverityBadge severity={row.severity} /> },
  { key: 'product', name: words.product, width: '120px', cell: (row) => m.product(row.product) },
  { key: 'why', name: words.panel.reason, width: 'minmax(0, 2.4fr)', wideOnly: true, cell: (row) => <Remark result={row} /> },
];

function Remark({ result }: { result: ScanResult }) {
  const text = result.would_pass_if_enforced ? words.wouldPass : (result.reason?.detail ?? (result.exclusions.length > 0 ? result.exclusions.join(', ') : undefined));
  return text ? <span title={text}>{text}</span> : <>–</>;
}

export function Results({ scan, children }: { scan: Scan; children: ReactNode }) {
  const summary = useQuery(summaryQuery(scan.id));
  return (
    <>
      <Loaded query={summary} permission="scans.read" skeleton={<ListSkeleton rows={2} height={96} />}>
        {({ scores }) => <Scores scan={scan.id} scores={scores} />}
      </Loaded>
      {children}
      <Checks scan={scan} />
      {summary.data && <Sources scan={scan.id} sources={summary.data.sources} />}
      {summary.data && summary.data.packs.length > 0 && <Packs packs={summary.data.packs} />}
    </>
  );
}

function Checks({ scan }: { scan: Scan }) {
  const search = useSearch();
  const set = useSetSearch();
  // While another page is on its way, the address is that page's already, and so is the item it names.
  const item = usePath() === paths.scan(scan.id) ? search.item : undefined;
  const filter = { verdict: known(m.verdicts, search.verdict), severity: severity(search.severity), product: search.product, framework: search.framework, search: search.search };
  const { query, rows, first, pages, more } = usePages({ ...resultsQuery(scan.id, filter), placeholderData: keepPreviousData });
  const keys = rows?.map((row) => row.check);
  useReachItem({ item: item !== undefined && keys?.includes(item) ? item : undefined, keys, pages, more });
  const filtered = FILTERS.some((key) => search[key]);
  const severities = first && Object.entries(first.severities).map(([value, count]) => ({ value: value as Severity, count: count ?? 0 }));
  const verdicts = first && (Object.keys(m.verdicts) as (keyof typeof m.verdicts)[]).map((value) => ({ value, label: m.verdicts[value], count: first.counts[value] }));
  return (
    <>
      <FilterRow keys={FILTERS}>
        <FilterSearch label={words.search} />
        <FilterPill param="verdict" name={words.verdict} choices={verdicts ?? Object.entries(m.verdicts).map(([value, label]) => ({ value, label }))} />
        <SeverityPill counts={severities} />
        <FilterPill param="product" name={words.product} choices={counted(first?.products, m.product, search.product)} />
        <FilterPill param="framework" name={words.framework} choices={counted(first?.frameworks, m.framework, search.framework)} />
      </FilterRow>
      <Section title={words.results} note={rows && t.list.shown(rows.length, more.has)}>
        {query.isError && !rows ? (
          <ErrorState error={query.error} onRetry={() => void query.refetch()} permission="scans.read" />
        ) : !rows ? (
          <ListSkeleton rows={12} />
        ) : rows.length > 0 ? (
          <DataTable label={words.results} rows={rows} columns={columns} rowKey={(row) => row.check} href={(row) => paths.scan(scan.id, { ...search, item: row.check })} selected={item} more={more} />
        ) : filtered ? (
          <NoMatch onClear={() => set(Object.fromEntries(FILTERS.map((key) => [key, undefined])))} />
        ) : (
          <EmptyState title={words.emptyTitle}>{words.empty}</EmptyState>
        )}
      </Section>
      {item && <ResultPanel scan={scan} check={item} place={{ keys: keys ?? [], hasMore: more.has }} />}
    </>
  );
}
