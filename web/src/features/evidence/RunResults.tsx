// Every result of a run; those that need attention first.
import { Tab, TabList } from '@fluentui/react-components';
import { observationsQuery } from '@/api/queries';
import type { OutcomeGroup, RunDetail } from '@/api/schema';
import { usePages } from '@/api/usePages';
import { ObservationPanel, ObservationTable, observationKey } from '@/features/findings/ObservationTable';
import { t } from '@/messages';
import { number } from '@/shared/format';
import { FilterRow, FilterSearch } from '@/shared/FilterRow';
import { useSearch, useSetSearch } from '@/shared/location';
import { Section } from '@/shared/Page';
import { ErrorState, ListSkeleton, NoMatch, Note } from '@/shared/States';

const TABS: OutcomeGroup[] = ['failing', 'passed', 'rest'];

export function RunResults({ run }: { run: RunDetail }) {
  const search = useSearch();
  const set = useSetSearch();
  const outcome = TABS.find((each) => each === search.outcome);
  const { query, rows, first, more } = usePages(observationsQuery(run.id, { outcome, search: search.search }));
  const counts = first ? { all: first.failing + first.passed + first.rest, failing: first.failing, passed: first.passed, rest: first.rest } : undefined;
  const names = { all: t.app.all, failing: t.run.attention, passed: t.controls.passed, rest: t.controls.rest };
  const selected = rows?.find((row) => observationKey(row) === search.item);
  return (
    <Section title={t.run.results} note={rows && t.list.shown(rows.length, more.has)}>
      <TabList size="small" aria-label={t.run.results} selectedValue={outcome ?? 'all'} onTabSelect={(_, data) => set({ outcome: data.value === 'all' ? undefined : String(data.value), item: undefined })}>
        {(['all', ...TABS] as const).map((each) => (
          <Tab key={each} value={each}>
            {names[each]} {counts ? `(${number(counts[each])})` : ''}
          </Tab>
        ))}
      </TabList>
      <FilterRow keys={['search']}>
        <FilterSearch label={t.filter.search} />
      </FilterRow>
      {query.isError && !rows ? (
        <ErrorState error={query.error} onRetry={() => void query.refetch()} permission="findings.read" />
      ) : !rows ? (
        <ListSkeleton rows={8} />
      ) : rows.length === 0 ? (
        search.search ? <NoMatch onClear={() => set({ search: undefined })} /> : <Note>{counts?.all === 0 ? t.run.noResults : t.run.emptyGroup}</Note>
      ) : (
        <ObservationTable label={t.run.results} rows={rows} more={more} selected={search.item} />
      )}
      {selected && <ObservationPanel observation={selected} place={{ keys: rows?.map(observationKey) ?? [], hasMore: more.has }} />}
    </Section>
  );
}
