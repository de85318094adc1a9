// Every result of a run; those that need attention first.
import { observationsQuery } from '@/api/queries';
import type { OutcomeGroup, RunDetail } from '@/api/schema';
import { usePages } from '@/api/usePages';
import { ObservationPanel, ObservationTable, observationKey } from '@/features/findings/ObservationTable';
import { t } from '@/messages';
import { number } from '@/shared/format';
import { FilterRow, FilterSearch } from '@/shared/FilterRow';
import { useSearch, useSetSearch } from '@/shared/location';
import { Section } from '@/shared/Page';
import { useReachItem } from '@/shared/useReachItem';
import { Tabs } from '@/shared/Tabs';
import { ErrorState, ListSkeleton, NoMatch, Note } from '@/shared/States';

const TABS: OutcomeGroup[] = ['failing', 'passed', 'rest'];

export function RunResults({ run }: { run: RunDetail }) {
  const search = useSearch();
  const set = useSetSearch();
  const outcome = TABS.find((each) => each === search.outcome);
  const { query, rows, first, pages, more } = usePages(observationsQuery(run.id, { outcome, search: search.search }));
  const counts = first ? { all: first.failing + first.passed + first.rest, failing: first.failing, passed: first.passed, rest: first.rest } : undefined;
  const names = { all: t.app.all, failing: t.run.attention, passed: t.controls.passed, rest: t.controls.rest };
  const keys = rows?.map(observationKey);
  useReachItem({ item: search.item, keys, pages, more });
  const selected = rows?.find((row) => observationKey(row) === search.item);
  return (
    <Section title={t.run.results} note={rows && t.list.shown(rows.length, more.has)}>
      <Tabs
        label={t.run.results} value={outcome ?? 'all'} onChange={(value) => set({ outcome: value === 'all' ? undefined : value, item: undefined })}
        tabs={(['all', ...TABS] as const).map((each) => ({ value: each, text: counts ? `${names[each]} (${number(counts[each])})` : names[each] }))}
      />
      <div style={{ padding: '8px 0' }}>
        <FilterRow keys={['search']}>
          <FilterSearch label={t.filter.search} />
        </FilterRow>
      </div>
      {query.isError && !rows ? (
        <ErrorState error={query.error} onRetry={() => void query.refetch()} permission="findings.read" />
      ) : !rows ? (
        <ListSkeleton rows={8} />
      ) : rows.length === 0 ? (
        search.search ? <NoMatch onClear={() => set({ search: undefined })} /> : <Note>{counts?.all === 0 ? t.run.noResults : t.run.emptyGroup}</Note>
      ) : (
        <ObservationTable label={t.run.results} rows={rows} more={more} selected={search.item} />
      )}
      {selected && <ObservationPanel observation={selected} place={{ keys: keys ?? [], hasMore: more.has }} />}
    </Section>
  );
}
