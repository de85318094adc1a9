// Every fix, what needs somebody first; or the fixes of one plan, with what the plan left out.
import { Link } from '@fluentui/react-components';
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { Fix, FixPlan } from '@/api/schema';
import { usePages } from '@/api/usePages';
import { known, severity, SeverityPill } from '@/features/findings/filters';
import { choicesOf } from '@/features/scans/HistoryTab';
import { t } from '@/messages';
import { f } from '@/messages/fixes';
import { paths } from '@/paths';
import { SeverityBadge } from '@/shared/Badges';
import { type Column, DataTable } from '@/shared/DataTable';
import { Facts, Mono } from '@/shared/Facts';
import { FilterPill, FilterRow } from '@/shared/FilterRow';
import { AppLink, usePath, useSearch, useSetSearch } from '@/shared/location';
import { Section } from '@/shared/Page';
import { EmptyState, ErrorState, ListSkeleton, Loaded, NoMatch, Note } from '@/shared/States';
import { Time } from '@/shared/Time';
import { useReachItem } from '@/shared/useReachItem';
import { FixStateBadge, RiskBadge } from './badges';
import { FixPanel } from './FixPanel';
import { byPlan, byState, groupOf, titleOf, waiting } from './groups';
import { PlanButton, useDirectories } from './PlanFixes';
import { fixesQuery, planQuery } from './queries';

const words = f.list;
const FILTERS = ['of', 'state', 'severity', 'group', 'aside'];
/** With so few to show, the next pages are asked for at once: what was set aside may fill the first ones. */
const FEW = 30;
const MOST_PAGES = 20;

const columns: Column<Fix>[] = [
  { key: 'fix', name: words.fix, width: 'minmax(0, 4fr)', cell: (row) => <span title={titleOf(row)}>{titleOf(row)}</span> },
  { key: 'state', name: words.state, width: '150px', cell: (row) => <FixStateBadge state={row.state} /> },
  { key: 'severity', name: words.severity, width: '84px', cell: (row) => <SeverityBadge severity={row.severity} /> },
  { key: 'risk', name: words.risk, width: '112px', cell: (row) => <RiskBadge risk={row.risk} /> },
  { key: 'directory', name: words.directory, width: 'minmax(0, 1.1fr)', cell: (row) => <span title={row.directory.name}>{row.directory.name}</span> },
  { key: 'approvals', name: words.approvals, width: '80px', align: 'end', wideOnly: true, cell: (row) => words.of(row.approvals.length, row.approvals_needed) },
  { key: 'at', name: words.changed, width: '116px', align: 'end', cell: (row) => <Time at={row.planned_at} /> },
];


export function ListTab() {
  const search = useSearch();
  const set = useSetSearch();
  // While another page is on its way, the address is that page's already, and so is the item it names.
  const item = usePath() === paths.fixes() ? search.item : undefined;
  const directories = Object.fromEntries(useDirectories().map((each) => [each.id, each.name]));
  const filter = { directory: search.of ?? search.directory, state: known(f.states, search.state), severity: severity(search.severity), plan: search.plan };
  const { query, rows: all, pages, more } = usePages(fixesQuery(filter));
  // What was dismissed or superseded is out of the way, unless it is what was asked for.
  const whole = search.aside === 'shown' || search.plan !== undefined || filter.state !== undefined;
  const rows = whole ? all : all?.filter((row) => groupOf(row.state) !== 'aside');
  const onward = rows !== undefined && rows.length < FEW && more.has && !more.loading && pages < MOST_PAGES;
  useEffect(() => {
    if (onward) more.load();
    // `more` is made anew on each drawing; whether to go on is what counts.
  }, [onward]);
  const plans = search.group === 'plan';
  // Where all are of one directory, its name says nothing.
  const several = new Set(rows?.map((row) => row.directory.id)).size > 1;
  const shown = rows && (plans ? byPlan(rows) : byState(rows));
  const keys = shown?.map((row) => row.id);
  useReachItem({ item: item !== undefined && keys?.includes(item) ? item : undefined, keys, pages, more });
  const filtered = FILTERS.some((key) => key !== 'group' && key !== 'aside' && search[key]) || (all?.length ?? 0) > 0 || search.plan !== undefined || search.directory !== undefined;
  const waits = rows && waiting(rows);
  const clear = () => set({ aside: 'shown',  ...Object.fromEntries(FILTERS.map((key) => [key, undefined])), plan: undefined, directory: undefined });
  return (
    <>
      <FilterRow keys={FILTERS}>
        <FilterPill param="of" name={words.directory} choices={choicesOf(directories)} />
        <FilterPill param="state" name={words.state} choices={choicesOf(f.states)} />
        <SeverityPill />
        <FilterPill param="aside" name={words.aside} fallback="" choices={[{ value: '', label: words.asideOut }, { value: 'shown', label: words.asideIn }]} />
        <FilterPill param="group" name={words.group} fallback="state" choices={[{ value: 'state', label: words.byState }, { value: 'plan', label: words.byPlan }]} />
      </FilterRow>
      {search.plan && <Plan plan={search.plan} />}
      <Section title={words.table} note={waits && rows && (more.has ? t.list.shown(rows.length, true) : f.waits(waits.approval, waits.ready, waits.attention))}>
        {query.isError && !shown ? (
          <ErrorState error={query.error} onRetry={() => void query.refetch()} permission="fixes.read" />
        ) : !shown || (shown.length === 0 && onward) ? (
          <ListSkeleton rows={10} />
        ) : shown.length > 0 ? (
          <DataTable
            label={words.table} rows={shown} columns={columns.filter((column) => several || column.key !== 'directory')} rowKey={(row) => row.id} href={(row) => paths.fixes('list', { ...search, item: row.id })} selected={item} more={more}
            group={(row) => (plans ? words.planOf(row.directory.name, new Date(row.planned_at)) : f.groups[groupOf(row.state)])}
          />
        ) : filtered ? (
          <NoMatch onClear={clear} />
        ) : (
          <EmptyState title={words.emptyTitle} action={<PlanButton />}>
            {words.empty}
          </EmptyState>
        )}
      </Section>
      {item && <FixPanel fix={item} place={{ keys: keys ?? [], hasMore: more.has }} />}
    </>
  );
}

/** What one plan looked at, and what it proposes nothing for. */
function Plan({ plan }: { plan: string }) {
  const set = useSetSearch();
  const query = useQuery(planQuery(plan));
  return (
    <Section title={f.plan.summary} note={query.data?.directory.name} actions={<AppLink href={paths.fixes()}>{words.allPlans}</AppLink>}>
      <Loaded query={query} permission="fixes.read" skeleton={<ListSkeleton rows={2} />}>
        {(shown) => (
          <>
            <Facts
              facts={[
                [f.plan.when, <span key="when"><Time at={shown.created_at} /> <Note>{f.plan.byWhom(shown.by.name)}</Note></span>],
                [f.plan.scan, shown.scan && <AppLink key="scan" href={paths.scan(shown.scan)}>{f.plan.openScan}</AppLink>],
                [f.plan.proposed, shown.fixes.length],
              ]}
            />
            {shown.left_out.length > 0 && <LeftOut plan={shown} onOpen={(fix) => set({ item: fix })} />}
          </>
        )}
      </Loaded>
    </Section>
  );
}

function LeftOut({ plan, onOpen }: { plan: FixPlan; onOpen: (fix: string) => void }) {
  return (
    // Where the plan proposes nothing, the reasons are the answer.
    <details open={plan.fixes.length === 0}>
      <summary style={{ cursor: 'pointer' }}>{f.plan.leftOutNote(plan.left_out.length)}</summary>
      <ul aria-label={f.plan.leftOut} style={{ paddingLeft: 20, margin: '4px 0 0' }}>
        {plan.left_out.map((each, index) => (
          <li key={index}>
            <Mono>{each.check ?? each.recipe ?? each.code}</Mono> {each.object && (each.object.name ?? each.object.id)} <span>{each.detail}</span>{' '}
            {each.fix && <OpenFix onOpen={() => onOpen(each.fix!)} />}
          </li>
        ))}
      </ul>
    </details>
  );
}

function OpenFix({ onOpen }: { onOpen: () => void }) {
  return (
    <Link as="button" inline onClick={onOpen}>
      {f.plan.openFix}
    </Link>
  );
}
