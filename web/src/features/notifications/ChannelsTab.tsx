// The places Bailiwick tells things to.
import { Alert20Regular } from '@fluentui/react-icons';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useWhyNot } from '@/api/me';
import type { Channel } from '@/api/schema';
import { n } from '@/messages/notifications';
import { paths } from '@/paths';
import { Action } from '@/shared/Action';
import { type Column, DataTable } from '@/shared/DataTable';
import { useSearch, useSetSearch } from '@/shared/location';
import { Section } from '@/shared/Page';
import { EmptyState, Loaded, Need, Note } from '@/shared/States';
import { Time } from '@/shared/Time';
import { ChannelStateBadge, KindWord } from './badges';
import { ChannelDialog } from './ChannelDialog';
import { ChannelPanel } from './ChannelPanel';
import { channelsQuery } from './queries';
import { type NewSecret, SecretDialog } from './SecretDialog';

const words = n.channels;

const columns: Column<Channel>[] = [
  { key: 'name', name: words.name, width: 'minmax(0, 1.4fr)', cell: (row) => row.name },
  { key: 'kind', name: words.kind, width: '160px', cell: (row) => <KindWord kind={row.kind} /> },
  { key: 'target', name: words.target, width: 'minmax(0, 2fr)', cell: (row) => <span title={row.target}>{row.target}</span> },
  { key: 'state', name: words.state, width: '100px', cell: (row) => <ChannelStateBadge state={row.state} /> },
  { key: 'rules', name: words.rules, width: '110px', align: 'end', cell: (row) => (row.rules === 0 ? words.noRule : words.ruleCount(row.rules)) },
  { key: 'last', name: words.last, width: '120px', align: 'end', cell: (row) => (row.last_delivery ? <Time at={row.last_delivery.at} /> : words.none) },
];

export function ChannelsTab() {
  return (
    <Need permission="notifications.read">
      <Channels />
    </Need>
  );
}

function Channels() {
  const { item } = useSearch();
  const set = useSetSearch();
  const query = useQuery(channelsQuery);
  const [adding, setAdding] = useState(false);
  // Held in memory only while the dialog is open.
  const [shown, setShown] = useState<NewSecret>();
  const keys = query.data?.items.map((row) => row.id) ?? [];
  const add = <AddButton onClick={() => setAdding(true)} />;
  return (
    <>
      <Section title={words.table} actions={query.data && query.data.items.length > 0 ? add : undefined}>
        <Loaded query={query} permission="notifications.read">
          {({ items }) =>
            items.length === 0 ? (
              <EmptyState title={words.emptyTitle} action={add}>
                {words.empty}
              </EmptyState>
            ) : (
              <>
                <p style={{ margin: '0 0 12px' }}>
                  <Note>{words.lead}</Note>
                </p>
                <DataTable label={words.table} rows={items} columns={columns} rowKey={(row) => row.id} href={(row) => paths.notifications('channels', { item: row.id })} selected={item} />
              </>
            )
          }
        </Loaded>
      </Section>
      {item && <ChannelPanel channel={item} place={{ keys, hasMore: false }} onSecret={setShown} />}
      {adding && <ChannelDialog channel={undefined} onClose={() => setAdding(false)} onSecret={setShown} />}
      {shown && (
        <SecretDialog
          value={shown.secret}
          onClose={() => {
            setShown(undefined);
            set({ item: shown.channel });
          }}
        />
      )}
    </>
  );
}

function AddButton({ onClick }: { onClick: () => void }) {
  return (
    <Action size="small" appearance="primary" icon={<Alert20Regular />} whyNot={useWhyNot('notifications.manage')} onClick={onClick}>
      {words.add}
    </Action>
  );
}
