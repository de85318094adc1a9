// Everything that was sent or waits to be: what, to whom, how often it was tried, and one of them beside the list.
import { useQuery } from '@tanstack/react-query';
import { useMay } from '@/api/me';
import { usePages } from '@/api/usePages';
import type { Delivery } from '@/api/schema';
import { known } from '@/features/findings/filters';
import { n } from '@/messages/notifications';
import { paths } from '@/paths';
import { type Column, DataTable } from '@/shared/DataTable';
import { number } from '@/shared/format';
import { FilterPill, FilterRow } from '@/shared/FilterRow';
import { useSearch, useSetSearch } from '@/shared/location';
import { Section } from '@/shared/Page';
import { EmptyState, Loaded, Need, NoMatch, Note } from '@/shared/States';
import { Time } from '@/shared/Time';
import { useReachItem } from '@/shared/useReachItem';
import { DeliveryBadge } from './badges';
import { DeliveryPanel } from './DeliveryPanel';
import { channelsQuery, deliveriesQuery } from './queries';

const words = n.deliveries;

const columns: Column<Delivery>[] = [
  { key: 'subject', name: words.subject, width: 'minmax(0, 3fr)', cell: (row) => <span title={row.subject}>{row.subject}</span> },
  { key: 'channel', name: words.channel, width: 'minmax(0, 1fr)', cell: (row) => row.channel.name },
  { key: 'recipient', name: words.recipient, width: 'minmax(0, 1.2fr)', cell: (row) => row.recipient ?? n.kinds[row.channel.kind] },
  { key: 'state', name: words.state, width: '150px', cell: (row) => <DeliveryBadge state={row.state} /> },
  { key: 'attempts', name: words.attempts, width: '60px', align: 'end', cell: (row) => number(row.attempts) },
  { key: 'next', name: words.next, width: '110px', align: 'end', wideOnly: true, cell: (row) => <Time at={row.next_try_at} /> },
  { key: 'at', name: words.at, width: '120px', align: 'end', cell: (row) => <Time at={row.created_at} /> },
];

export function DeliveriesTab() {
  return (
    <Need permission="notifications.read">
      <Deliveries />
    </Need>
  );
}

function Deliveries() {
  const { channel, rule, state, item } = useSearch();
  const set = useSetSearch();
  const channels = useQuery({ ...channelsQuery, enabled: useMay('notifications.read') }).data?.items ?? [];
  const { query, rows, pages, more } = usePages(deliveriesQuery({ channel, rule, state: known(n.deliveryStates, state) }));
  const keys = rows?.map((row) => row.id);
  useReachItem({ item, keys, pages, more });
  const filtered = channel || rule || state;
  return (
    <>
      <FilterRow keys={['channel', 'rule', 'state']}>
        <FilterPill param="state" name={words.filterState} choices={Object.entries(n.deliveryStates).map(([value, label]) => ({ value, label }))} />
        {channels.length > 0 && <FilterPill param="channel" name={words.filterChannel} choices={channels.map((each) => ({ value: each.id, label: each.name }))} />}
      </FilterRow>
      <Section title={words.table}>
        <Loaded query={query} permission="notifications.read">
          {() =>
            !rows || rows.length === 0 ? (
              filtered ? <NoMatch onClear={() => set({ channel: undefined, rule: undefined, state: undefined })} /> : <EmptyState title={words.emptyTitle}>{words.empty}</EmptyState>
            ) : (
              <>
                <p style={{ margin: '0 0 12px' }}>
                  <Note>{words.lead}</Note>
                </p>
                <DataTable
                  label={words.table} rows={rows} columns={columns} rowKey={(row) => row.id} href={(row) => paths.notifications('deliveries', { channel, rule, state, item: row.id })} selected={item} more={more}
                />
              </>
            )
          }
        </Loaded>
      </Section>
      {item && <DeliveryPanel delivery={item} place={{ keys: keys ?? [], hasMore: more.has }} />}
    </>
  );
}
