// The directories that are connected, how each stands, and when it was last looked at.
import { PlugConnected20Regular, Star16Filled } from '@fluentui/react-icons';
import { useQuery } from '@tanstack/react-query';
import { useMay, useWhyNot } from '@/api/me';
import type { Connection, Scan } from '@/api/schema';
import { known } from '@/features/findings/filters';
import { ScoreWord } from '@/features/scans/badges';
import { latestScansQuery } from '@/features/scans/queries';
import { t } from '@/messages';
import { m } from '@/messages/microsoft365';
import { paths } from '@/paths';
import { Action } from '@/shared/Action';
import { type Column, DataTable } from '@/shared/DataTable';
import { FilterPill, FilterRow } from '@/shared/FilterRow';
import { AppLink, useGo, usePath, useSearch, useSetSearch } from '@/shared/location';
import { Page, Section } from '@/shared/Page';
import { EmptyState, Loaded, Need, NoMatch } from '@/shared/States';
import { Time } from '@/shared/Time';
import { ConnectionPanel } from './ConnectionPanel';
import { connectionsQuery } from './queries';
import { CredentialWord, Health } from './words';

const FILTERS = ['kind', 'gone'];
const words = m.directories;

export function DirectoriesPage() {
  return (
    <Need permission="connections.read" page={words.title}>
      <Body />
    </Need>
  );
}

function Body() {
  const search = useSearch();
  const set = useSetSearch();
  // While another page is on its way, the address is that page's already, and so is the item it names.
  const item = usePath() === paths.directories() ? search.item : undefined;
  const query = useQuery(connectionsQuery({ kind: known(m.connectionKinds, search.kind), directory: search.directory, all: search.gone === 'shown' || undefined }));
  const scans = useQuery({ ...latestScansQuery, enabled: useMay('scans.read') }).data?.items ?? [];
  const rows = query.data?.items;
  const live = rows?.filter((row) => row.state !== 'disconnected') ?? [];
  const columns = columnsWith((directory) => scans.find((scan) => scan.directory.id === directory));
  return (
    <Page
      title={words.title}
      state={rows && words.state(live.length, live.filter((row) => row.state === 'failing').length)}
      commands={<ConnectButton />}
      filters={
        <FilterRow keys={FILTERS}>
          <FilterPill param="kind" name={words.kind} choices={Object.entries(m.connectionKinds).map(([value, label]) => ({ value, label }))} />
          <FilterPill param="gone" name={words.showAll} fallback="" choices={[{ value: '', label: words.onlyLive }, { value: 'shown', label: words.withGone }]} />
        </FilterRow>
      }
    >
      <Section title={words.table} note={rows && t.list.shown(rows.length, false)}>
        <Loaded query={query} permission="connections.read">
          {({ items }) =>
            items.length === 0 ? (
              search.kind || search.directory ? <NoMatch onClear={() => set({ kind: undefined, gone: undefined, directory: undefined })} /> : <EmptyState title={words.emptyTitle} action={<ConnectButton />}>{words.empty}</EmptyState>
            ) : (
              <DataTable label={words.table} rows={items} columns={columns} rowKey={(row) => row.id} href={(row) => paths.directories({ ...search, item: row.id })} selected={item} />
            )
          }
        </Loaded>
      </Section>
      {item && <ConnectionPanel connection={item} place={{ keys: rows?.map((row) => row.id) ?? [], hasMore: false }} />}
    </Page>
  );
}

export function ConnectButton() {
  const go = useGo();
  return (
    <Action appearance="primary" icon={<PlugConnected20Regular />} whyNot={useWhyNot('connections.manage')} onClick={() => go(paths.connect())}>
      {words.connect}
    </Action>
  );
}

function columnsWith(latest: (directory: string) => Scan | undefined): Column<Connection>[] {
  const reads = (row: Connection) => (row.kind === 'read' ? latest(row.directory.id) : undefined);
  return [
    { key: 'label', name: words.directory, width: 'minmax(0, 2fr)', cell: (row) => <Named connection={row} /> },
    { key: 'kind', name: words.kind, width: '72px', cell: (row) => <span title={words.accessTo(row.kind)}>{m.connectionKinds[row.kind]}</span> },
    { key: 'health', name: words.health, width: '170px', cell: (row) => <Health connection={row} /> },
    { key: 'credential', name: words.credential, width: 'minmax(0, 1.4fr)', cell: (row) => <CredentialWord app={row.app} /> },
    { key: 'score', name: words.score, width: '170px', cell: (row) => <ScoreWord score={reads(row)?.score} /> },
    { key: 'scan', name: words.lastScan, width: '120px', align: 'end', cell: (row) => <LastScan scan={reads(row)} /> },
  ];
}

function Named({ connection: { label, directory, primary } }: { connection: Connection }) {
  return (
    <span title={directory.id}>
      {label}
      {label !== directory.name && ` (${directory.name})`}
      {primary && (
        <span style={{ whiteSpace: 'nowrap', fontWeight: 400 }}>
          {' '}
          <Star16Filled aria-hidden style={{ verticalAlign: 'text-bottom' }} /> {words.primary}
        </span>
      )}
    </span>
  );
}

function LastScan({ scan }: { scan: Scan | undefined }) {
  if (!scan) return <>{words.never}</>;
  return (
    <AppLink href={paths.scan(scan.id)}>
      <Time at={scan.ended_at ?? scan.queued_at} />
    </AppLink>
  );
}
