// Every check with its latest word.
import { controlsQuery } from '@/api/queries';
import type { OutcomeGroup } from '@/api/schema';
import { usePages } from '@/api/usePages';
import { t } from '@/messages';
import { number } from '@/shared/format';
import { FilterRow, FilterSearch } from '@/shared/FilterRow';
import { useSearch, useSetSearch } from '@/shared/location';
import { ProjectNote } from '@/shared/ProjectNote';
import { Page, Section } from '@/shared/Page';
import { useReachItem } from '@/shared/useReachItem';
import { Tabs } from '@/shared/Tabs';
import { EmptyState, ErrorState, ListSkeleton, Need, NoMatch } from '@/shared/States';
import { family, FamilyPill, product, ProductPill } from './filters';
import { ObservationPanel, ObservationTable, observationKey } from './ObservationTable';

const TABS: OutcomeGroup[] = ['failing', 'passed', 'rest'];
const FILTERS = ['product', 'family', 'search'];

export function ControlsPage() {
  return (
    <Need permission="findings.read" page={t.controls.title}>
      <Body />
    </Need>
  );
}

function Body() {
  const search = useSearch();
  const set = useSetSearch();
  const tab = TABS.find((each) => each === search.outcome) ?? 'failing';
  const { query, rows, first, pages, more } = usePages(
    controlsQuery({ outcome: tab, product: product(search.product), family: family(search.family), directory: search.directory, search: search.search }),
  );
  const filtered = FILTERS.some((key) => search[key]);
  const none = first && first.failing + first.passed + first.rest === 0;
  const keys = rows?.map(observationKey);
  useReachItem({ item: search.item, keys, pages, more });
  const selected = rows?.find((row) => observationKey(row) === search.item);
  return (
    <Page
      title={t.controls.title}
      state={t.controls.state}
      filters={
        <FilterRow keys={FILTERS}>
          <FilterSearch label={t.filter.search} />
          <ProductPill />
          <FamilyPill />
        </FilterRow>
      }
    >
      <ProjectNote />
      <Tabs
        label={t.controls.tabs} value={tab} onChange={(value) => set({ outcome: value === 'failing' ? undefined : value, item: undefined })}
        tabs={TABS.map((each) => ({ value: each, text: first ? `${t.controls[each]} (${number(first[each])})` : t.controls[each] }))}
      />
      <Section title={t.controls[tab]} note={tab === 'rest' ? t.controls.restNote : rows && t.list.shown(rows.length, more.has)}>
        {query.isError && !rows ? (
          <ErrorState error={query.error} onRetry={() => void query.refetch()} permission="findings.read" />
        ) : !rows ? (
          <ListSkeleton rows={12} />
        ) : rows.length === 0 ? (
          filtered ? <NoMatch onClear={() => set(Object.fromEntries(FILTERS.map((key) => [key, undefined])))} /> : <EmptyState title={none ? t.controls.emptyTitle : t.run.emptyGroup}>{none && t.controls.empty}</EmptyState>
        ) : (
          <ObservationTable label={t.controls.table} rows={rows} more={more} selected={search.item} />
        )}
      </Section>
      {selected && <ObservationPanel observation={selected} place={{ keys: keys ?? [], hasMore: more.has }} />}
    </Page>
  );
}
