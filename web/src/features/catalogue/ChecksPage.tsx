// The catalogue: every check that scans judge by, and what each needs.
import { makeStyles, tokens } from '@fluentui/react-components';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { CatalogueCheck, CatalogueDetail } from '@/api/schema';
import { usePages } from '@/api/usePages';
import { known, severity, SeverityPill } from '@/features/findings/filters';
import { Part, usePanelStyles } from '@/features/findings/FindingPanel';
import { CheckName } from '@/features/scans/CheckName';
import { choicesOf } from '@/features/scans/HistoryTab';
import { counted } from '@/features/scans/Results';
import { Value, valueText } from '@/features/scans/Values';
import { t } from '@/messages';
import { m } from '@/messages/microsoft365';
import { paths } from '@/paths';
import { SeverityBadge } from '@/shared/Badges';
import { type Column, DataTable } from '@/shared/DataTable';
import { Facts, Mono } from '@/shared/Facts';
import { FilterPill, FilterRow, FilterSearch } from '@/shared/FilterRow';
import { OutsideLink, usePath, useSearch, useSetSearch } from '@/shared/location';
import { Message } from '@/shared/Message';
import { Page, Section } from '@/shared/Page';
import { type Place, SidePanel } from '@/shared/SidePanel';
import { EmptyState, ErrorState, ListSkeleton, Loaded, Need, NoMatch } from '@/shared/States';
import { useReachItem } from '@/shared/useReachItem';
import { catalogueQuery, checkQuery } from './queries';

const words = m.checks;
const FILTERS = ['search', 'severity', 'product', 'framework', 'scan'];
const useStyles = makeStyles({ list: { margin: 0, paddingLeft: '20px' }, values: { display: 'grid', gap: tokens.spacingVerticalS } });

const scansOf = (check: CatalogueCheck) => check.scans.map((kind) => m.scanKinds[kind]).join(', ');
const frameworksOf = (check: CatalogueCheck) => Object.keys(check.frameworks).map(m.framework).join(', ') || '–';

const columns: Column<CatalogueCheck>[] = [
  { key: 'title', name: words.check, width: 'minmax(0, 5fr)', cell: (row) => <CheckName id={row.id} title={row.title} /> },
  { key: 'severity', name: words.severity, width: '92px', cell: (row) => <SeverityBadge severity={row.severity} /> },
  { key: 'product', name: words.product, width: '120px', cell: (row) => m.product(row.product) },
  { key: 'scan', name: words.scan, width: '170px', wideOnly: true, cell: scansOf },
  { key: 'frameworks', name: words.frameworks, width: 'minmax(0, 2fr)', wideOnly: true, cell: (row) => <span title={frameworksOf(row)}>{frameworksOf(row)}</span> },
];

export function ChecksPage() {
  return (
    <Need permission="scans.read" page={words.title}>
      <Body />
    </Need>
  );
}

function Body() {
  const search = useSearch();
  const set = useSetSearch();
  // While another page is on its way, the address is that page's already, and so is the item it names.
  const item = usePath() === paths.checks() ? search.item : undefined;
  const filter = { framework: search.framework, product: search.product, severity: severity(search.severity), scan: known(m.scanKinds, search.scan), search: search.search };
  const { query, rows, first, pages, more } = usePages({ ...catalogueQuery(filter), placeholderData: keepPreviousData });
  const keys = rows?.map((row) => row.id);
  useReachItem({ item: item !== undefined && keys?.includes(item) ? item : undefined, keys, pages, more });
  return (
    <Page
      title={words.title}
      state={words.state(first?.total)}
      filters={
        <FilterRow keys={FILTERS}>
          <FilterSearch label={words.search} />
          <SeverityPill />
          <FilterPill param="product" name={words.product} choices={counted(first?.products, m.product, search.product)} />
          <FilterPill param="framework" name={words.framework} choices={counted(first?.frameworks, m.framework, search.framework)} />
          <FilterPill param="scan" name={words.scan} choices={choicesOf(m.scanKinds)} />
        </FilterRow>
      }
    >
      <Section title={words.table} note={rows && t.list.shown(rows.length, more.has)}>
        {query.isError && !rows ? (
          <ErrorState error={query.error} onRetry={() => void query.refetch()} permission="scans.read" />
        ) : !rows ? (
          <ListSkeleton rows={12} />
        ) : rows.length > 0 ? (
          <DataTable label={words.table} rows={rows} columns={columns} rowKey={(row) => row.id} href={(row) => paths.checks({ ...search, item: row.id })} selected={item} more={more} />
        ) : FILTERS.some((key) => search[key]) ? (
          <NoMatch onClear={() => set(Object.fromEntries(FILTERS.map((key) => [key, undefined])))} />
        ) : (
          <EmptyState title={words.emptyTitle}>{words.empty}</EmptyState>
        )}
      </Section>
      {item && <CheckPanel check={item} place={{ keys: keys ?? [], hasMore: more.has }} />}
    </Page>
  );
}

function CheckPanel({ check, place }: { check: string; place: Place }) {
  const query = useQuery({ ...checkQuery(check), placeholderData: keepPreviousData });
  const data = query.data?.id === check ? query.data : undefined;
  return (
    <SidePanel item={check} title={data ? data.title : t.app.loading} place={place}>
      <Loaded query={{ ...query, data } as typeof query} permission="scans.read" skeleton={<ListSkeleton rows={9} />}>
        {(detail) => <Detail check={detail} />}
      </Loaded>
    </SidePanel>
  );
}

const filled = (value: unknown) => value !== null && value !== undefined && Object.keys(value as object).length > 0;

function Detail({ check }: { check: CatalogueDetail }) {
  const panel = usePanelStyles();
  const styles = useStyles();
  return (
    <>
      <Part>
        <div className={panel.badges}>
          <SeverityBadge severity={check.severity} />
          <span>{m.product(check.product)}</span>
          <span>{scansOf(check)}</span>
        </div>
      </Part>
      <Part title={words.panel.why}>
        <Message text={check.rationale} />
      </Part>
      <Part title={words.panel.todo}>
        <Message text={check.remediation} />
      </Part>
      <Part title={words.panel.rule}>
        <div className={styles.values}>
          <Value name={words.panel.rule} value={check.rule} />
          {filled(check.parameters) && <Value name={words.panel.parameters} value={check.parameters} />}
        </div>
      </Part>
      <Part title={words.panel.facts}>
        <Facts
          facts={[
            [words.panel.id, <Mono key="id">{check.id}</Mono>],
            [words.panel.version, check.version],
            [words.panel.theme, check.theme],
            [words.panel.request, <Mono key="request">{`${check.service} ${check.path}`}</Mono>],
            [words.panel.permissions, check.permissions.length > 0 && <Mono key="permissions">{check.permissions.join(', ')}</Mono>],
            [words.panel.licence, check.license && <Mono key="licence">{check.license}</Mono>],
            [words.panel.default, check.default_value !== null && check.default_value !== undefined && <Mono key="default">{valueText(check.default_value)}</Mono>],
            [words.panel.fix, check.fixable ? words.panel.yes : words.panel.no],
          ]}
        />
      </Part>
      {filled(check.frameworks) && (
        <Part title={words.panel.frameworks}>
          <Facts facts={Object.entries(check.frameworks).map(([framework, controls]) => [m.framework(framework), controls.join(', ')])} />
        </Part>
      )}
      {filled(check.also) && (
        <Part title={words.panel.also}>
          <Facts facts={Object.entries(check.also).map(([tool, ids]) => [tool, ids.join(', ')])} />
        </Part>
      )}
      {check.references.length > 0 && (
        <Part title={words.panel.references}>
          <ul className={styles.list}>
            {check.references.map((reference) => (
              <li key={reference} style={{ overflowWrap: 'anywhere' }}>
                <OutsideLink href={reference}>{reference}</OutsideLink>
              </li>
            ))}
          </ul>
        </Part>
      )}
    </>
  );
}
