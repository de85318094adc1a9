// Every submission, newest first.
import { runsQuery } from '@/api/queries';
import { usePages } from '@/api/usePages';
import { known } from '@/features/findings/filters';
import { t } from '@/messages';
import { paths } from '@/paths';
import { FilterPill, FilterRow } from '@/shared/FilterRow';
import { AppLink, useSearch, useSetSearch } from '@/shared/location';
import { Page, Section } from '@/shared/Page';
import { EmptyState, ErrorState, ListSkeleton, Need, NoMatch } from '@/shared/States';
import { RunTable } from './RunTable';

const FILTERS = ['state', 'family'];
const choices = (words: Record<string, string>) => Object.entries(words).map(([value, label]) => ({ value, label }));

export function RunsPage() {
  return (
    <Need permission="runs.read" page={t.runs.title}>
      <Body />
    </Need>
  );
}

function Body() {
  const search = useSearch();
  const set = useSetSearch();
  const { query, rows, more } = usePages(
    runsQuery({ state: known(t.runStates, search.state), family: known(t.families, search.family), directory: search.directory, project: search.project }),
  );
  const filtered = FILTERS.some((key) => search[key]);
  return (
    <Page
      title={t.runs.title}
      state={t.runs.state}
      commands={<AppLink href={paths.settings('submit')}>{t.runs.howTo}</AppLink>}
      filters={
        <FilterRow keys={FILTERS}>
          <FilterPill param="state" name={t.filter.state} choices={choices(t.runStates)} />
          <FilterPill param="family" name={t.filter.family} choices={choices(t.families)} />
        </FilterRow>
      }
    >
      <Section title={t.runs.table} note={rows && t.list.shown(rows.length, more.has)}>
        {query.isError && !rows ? (
          <ErrorState error={query.error} onRetry={() => void query.refetch()} permission="runs.read" />
        ) : !rows ? (
          <ListSkeleton rows={12} />
        ) : rows.length === 0 ? (
          filtered ? (
            <NoMatch onClear={() => set({ state: undefined, family: undefined })} />
          ) : (
            <EmptyState title={t.runs.emptyTitle} action={<AppLink href={paths.settings('submit')}>{t.runs.howTo}</AppLink>}>
              {t.runs.empty}
            </EmptyState>
          )
        ) : (
          <RunTable label={t.runs.table} runs={rows} more={more} />
        )}
      </Section>
    </Page>
  );
}
