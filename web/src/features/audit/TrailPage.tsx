// The trail, read like a log: one line an entry, filters above, particulars beside it.
import { makeStyles, tokens } from '@fluentui/react-components';
import { trailQuery } from '@/api/queries';
import type { TrailEntry } from '@/api/schema';
import { usePages } from '@/api/usePages';
import { known } from '@/features/findings/filters';
import { Part } from '@/features/findings/FindingPanel';
import { t } from '@/messages';
import { paths } from '@/paths';
import { TrailOutcomeBadge } from '@/shared/Badges';
import { type Column, DataTable } from '@/shared/DataTable';
import { Facts, Mono } from '@/shared/Facts';
import { FilterPill, FilterRow } from '@/shared/FilterRow';
import { exactTime, number } from '@/shared/format';
import { useSearch, useSetSearch } from '@/shared/location';
import { Page, Section } from '@/shared/Page';
import { SidePanel } from '@/shared/SidePanel';
import { EmptyState, ErrorState, ListSkeleton, Need, NoMatch } from '@/shared/States';
import { Time } from '@/shared/Time';
import { useReachItem } from '@/shared/useReachItem';

const FILTERS = ['action', 'outcome'];

const useStyles = makeStyles({
  detail: { margin: 0, padding: tokens.spacingVerticalS, backgroundColor: tokens.colorNeutralBackground3, borderRadius: tokens.borderRadiusMedium, overflowX: 'auto', fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200 },
});

const columns: Column<TrailEntry>[] = [
  { key: 'action', name: t.trail.action, width: 'minmax(0, 1fr)', cell: (row) => <Mono>{row.action}</Mono> },
  { key: 'outcome', name: t.trail.outcome, width: '100px', cell: (row) => <TrailOutcomeBadge outcome={row.outcome} /> },
  { key: 'actor', name: t.trail.actor, width: 'minmax(0, 1.2fr)', cell: (row) => `${row.actor.name} (${t.principals[row.actor.kind]})` },
  { key: 'target', name: t.trail.target, width: 'minmax(0, 2fr)', cell: (row) => <Mono>{row.target}</Mono> },
  { key: 'at', name: t.trail.at, width: '120px', align: 'end', cell: (row) => <Time at={row.at} /> },
  { key: 'seq', name: t.trail.seq, width: '70px', align: 'end', cell: (row) => number(row.seq) },
];

export function TrailPage() {
  return (
    <Need permission="trail.read" page={t.trail.title}>
      <Body />
    </Need>
  );
}

function Body() {
  const search = useSearch();
  const set = useSetSearch();
  const { query, rows, pages, more } = usePages(trailQuery({ action: search.action, outcome: known(t.trailOutcomes, search.outcome) }));
  const kinds = Object.entries(t.trail.kinds).filter(([value]) => value !== '').map(([value, label]) => ({ value, label }));
  const lines = rows?.map((row) => String(row.seq));
  useReachItem({ item: search.item, keys: lines, pages, more });
  const entry = rows?.find((row) => String(row.seq) === search.item);
  return (
    <Page
      title={t.trail.title}
      state={t.trail.state}
      filters={
        <FilterRow keys={FILTERS}>
          <FilterPill param="action" name={t.filter.action} choices={kinds} />
          <FilterPill param="outcome" name={t.filter.outcome} choices={Object.entries(t.trailOutcomes).map(([value, label]) => ({ value, label }))} />
        </FilterRow>
      }
    >
      <Section title={t.trail.table} note={rows && t.list.shown(rows.length, more.has)}>
        {query.isError && !rows ? (
          <ErrorState error={query.error} onRetry={() => void query.refetch()} permission="trail.read" />
        ) : !rows ? (
          <ListSkeleton rows={14} />
        ) : rows.length === 0 ? (
          FILTERS.some((key) => search[key]) ? <NoMatch onClear={() => set({ action: undefined, outcome: undefined })} /> : <EmptyState title={t.trail.emptyTitle}>{t.trail.empty}</EmptyState>
        ) : (
          <DataTable label={t.trail.table} rows={rows} columns={columns} rowKey={(row) => String(row.seq)} href={(row) => paths.trail({ ...search, item: String(row.seq) })} selected={search.item} more={more} />
        )}
      </Section>
      {entry && <Entry entry={entry} keys={lines ?? []} hasMore={more.has} />}
    </Page>
  );
}

function Entry({ entry, keys, hasMore }: { entry: TrailEntry; keys: string[]; hasMore: boolean }) {
  const styles = useStyles();
  return (
    <SidePanel item={String(entry.seq)} title={t.trail.entry(entry.seq)} place={{ keys, hasMore }}>
      <Part>
        <Facts
          facts={[
            [t.trail.action, <Mono key="action">{entry.action}</Mono>],
            [t.trail.outcome, <TrailOutcomeBadge key="outcome" outcome={entry.outcome} />],
            [t.trail.at, exactTime(entry.at)],
            [t.trail.actor, `${entry.actor.name} (${t.principals[entry.actor.kind]})`],
            [t.trail.subject, entry.actor.token_subject && <Mono key="subject">{entry.actor.token_subject}</Mono>],
            [t.trail.target, <Mono key="target">{entry.target}</Mono>],
            [t.trail.address, entry.address],
            [t.trail.request, <Mono key="request">{entry.request_id}</Mono>],
            [t.trail.hash, <Mono key="hash">{entry.hash}</Mono>],
          ]}
        />
      </Part>
      <Part title={t.trail.detail}>
        <pre className={styles.detail} tabIndex={0} role="group" aria-label={t.trail.detail}>
          {JSON.stringify(entry.detail, null, 2)}
        </pre>
      </Part>
    </SidePanel>
  );
}
