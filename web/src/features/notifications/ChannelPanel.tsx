// One channel beside the list: how it stands, why it fails, a test with its outcome, and everything that can be done to it.
import { makeStyles, MessageBar, MessageBarBody, MessageBarTitle, Spinner, tokens } from '@fluentui/react-components';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, unwrap } from '@/api/client';
import { useWhyNot } from '@/api/me';
import type { Channel, ShownRecipient, TestOutcome } from '@/api/schema';
import { Part, usePanelStyles } from '@/features/findings/FindingPanel';
import { t } from '@/messages';
import { n } from '@/messages/notifications';
import { paths } from '@/paths';
import { Action } from '@/shared/Action';
import { Confirm } from '@/shared/Confirm';
import { Facts, Mono } from '@/shared/Facts';
import { number } from '@/shared/format';
import { AppLink, useSetSearch } from '@/shared/location';
import { type Place, SidePanel } from '@/shared/SidePanel';
import { ListSkeleton, Loaded, Note } from '@/shared/States';
import { Time } from '@/shared/Time';
import { useChange } from '@/shared/useChange';
import { ChannelStateBadge, KindWord } from './badges';
import { ChannelDialog } from './ChannelDialog';
import { channelQuery } from './queries';
import type { NewSecret } from './SecretDialog';

const words = n.channel;

const useStyles = makeStyles({
  actions: { display: 'flex', flexWrap: 'wrap', gap: tokens.spacingHorizontalS },
  outcome: { marginTop: tokens.spacingVerticalM },
  lines: { listStyleType: 'none', margin: 0, padding: 0, overflowWrap: 'anywhere' },
});

const touches: Parameters<typeof useChange>[0]['touches'] = ['list_channels', 'get_channel'];

interface Props {
  channel: string;
  place: Place;
  onSecret: (secret: NewSecret) => void;
}

export function ChannelPanel({ channel, place, onSecret }: Props) {
  const query = useQuery({ ...channelQuery(channel), placeholderData: keepPreviousData });
  const data = query.data?.id === channel ? query.data : undefined;
  return (
    <SidePanel item={channel} title={data ? data.name : t.app.loading} place={place}>
      <Loaded query={{ ...query, data } as typeof query} permission="notifications.read" skeleton={<ListSkeleton rows={9} />}>
        {(shown) => <Detail key={shown.id} channel={shown} onSecret={onSecret} />}
      </Loaded>
    </SidePanel>
  );
}

function Detail({ channel, onSecret }: { channel: Channel; onSecret: (secret: NewSecret) => void }) {
  const panel = usePanelStyles();
  const styles = useStyles();
  const { failure } = channel;
  return (
    <>
      <Part>
        <div className={panel.badges}>
          <ChannelStateBadge state={channel.state} />
          <KindWord kind={channel.kind} />
        </div>
        <Note>{n.stateNotes[channel.state]}</Note>
      </Part>
      <Part>
        <Actions channel={channel} onSecret={onSecret} />
      </Part>
      {failure && (
        <Part title={words.failure}>
          <MessageBar intent={channel.state === 'broken' ? 'error' : 'warning'} layout="multiline">
            <MessageBarBody>
              {failure.detail} (<Time at={failure.at} />)
            </MessageBarBody>
          </MessageBar>
        </Part>
      )}
      <Part title={words.facts}>
        <Facts
          facts={[
            ...factsOf(channel),
            [words.waiting, channel.waiting > 0 ? number(channel.waiting) : undefined],
            [n.channels.last, channel.last_delivery && <Time key="last" at={channel.last_delivery.at} />],
            [words.created, <Time key="created" at={channel.created_at} />],
            [words.by, channel.created_by.name],
          ]}
        />
      </Part>
      <Part>
        <div className={styles.actions}>
          <AppLink href={paths.notifications('deliveries', { channel: channel.id })}>{words.deliveries}</AppLink>
          <AppLink href={paths.notifications('rules', { channel: channel.id, add: channel.rules === 0 ? 'yes' : undefined })}>{channel.rules === 0 ? words.addRule : words.ruleList}</AppLink>
        </div>
      </Part>
    </>
  );
}

/** Where it goes, as far as it may be shown. */
function factsOf({ config }: Channel): [string, React.ReactNode][] {
  switch (config.kind) {
    case 'smtp':
      return [[words.recipients, <People key="to" people={config.recipients} />]];
    case 'mailbox':
      return [
        [words.mailbox, config.mailbox],
        [words.directory, config.directory.name],
        [words.client, <Mono key="client">{config.client_id}</Mono>],
        [words.recipients, <People key="to" people={config.recipients} />],
      ];
    case 'teams':
    case 'webhook':
      return [[words.address, <Mono key="url">{config.url}</Mono>]];
  }
}

/** Each with what they want, where that is less than everything. */
function People({ people }: { people: ShownRecipient[] }) {
  return (
    <ul className={useStyles().lines}>
      {people.map((person) => (
        <li key={person.member ?? person.name}>
          {person.name} {person.member && person.address && <Note>{person.address}</Note>} <Note>{person.address ? words.wants[person.mail] : words.noAddressOf}</Note>
        </li>
      ))}
    </ul>
  );
}

function Actions({ channel, onSecret }: { channel: Channel; onSecret: (secret: NewSecret) => void }) {
  const styles = useStyles();
  const whyNot = useWhyNot('notifications.manage');
  const [open, setOpen] = useState<'change' | 'rotate' | 'remove'>();
  const path = { channel: channel.id };
  const paused = channel.state === 'paused';
  const set = useSetSearch();
  const close = () => setOpen(undefined);
  const test = useChange({ run: () => unwrap(api.POST('/api/v1/channels/{channel}/test', { params: { path } })), name: words.test, touches: [...touches, 'list_deliveries'] });
  const pause = useChange({
    run: () => unwrap(api.PATCH('/api/v1/channels/{channel}', { params: { path }, body: { name: null, paused: !paused, config: null } })),
    name: paused ? words.resume : words.pause, done: paused ? words.resumed : words.paused, touches,
  });
  const rotate = useChange({
    run: () => unwrap(api.POST('/api/v1/channels/{channel}/rotate-secret', { params: { path } })), name: words.rotate, touches,
    then: ({ signing_secret }) => {
      close();
      onSecret({ secret: signing_secret, channel: channel.id });
    },
  });
  const remove = useChange({
    run: () => unwrap(api.DELETE('/api/v1/channels/{channel}', { params: { path } })), name: words.removeTitle(channel.name), done: words.removed, touches: ['list_channels'],
    then: () => set({ item: undefined }, 'replace'),
  });
  return (
    <>
      <div className={styles.actions} role="group" aria-label={words.actions}>
        <Action size="small" appearance="primary" whyNot={whyNot} disabledFocusable={test.isPending} onClick={() => test.mutate(undefined)}>
          {words.test}
        </Action>
        <Action size="small" whyNot={whyNot} disabledFocusable={pause.isPending} onClick={() => pause.mutate(undefined)}>
          {paused ? words.resume : words.pause}
        </Action>
        <Action size="small" whyNot={whyNot} onClick={() => setOpen('change')}>
          {words.change}
        </Action>
        <Action size="small" whyNot={whyNot ?? (channel.kind === 'webhook' ? undefined : words.notWebhook)} onClick={() => setOpen('rotate')}>
          {words.rotate}
        </Action>
        <Action size="small" whyNot={whyNot ?? (channel.rules === 0 ? undefined : words.inUse(channel.rules))} onClick={() => setOpen('remove')}>
          {words.remove}
        </Action>
      </div>
      <div role="status" aria-label={words.testOf}>
        {test.isPending && <Spinner className={styles.outcome} size="tiny" labelPosition="after" label={words.testing} />}
        {test.data && !test.isPending && <Outcome of={test.data} />}
      </div>
      {open === 'change' && <ChannelDialog channel={channel} onClose={close} onSecret={onSecret} />}
      {open === 'rotate' && <Confirm title={words.rotateTitle(channel.name)} body={words.rotateBody} verb={words.rotate} busy={rotate.isPending} onConfirm={() => rotate.mutate(undefined)} onClose={close} />}
      {open === 'remove' && <Confirm title={words.removeTitle(channel.name)} body={words.removeBody} verb={words.remove} busy={remove.isPending} onConfirm={() => remove.mutate(undefined)} onClose={close} />}
    </>
  );
}

/** What a test came to, for each place it went to. */
function Outcome({ of: { outcome, detail, deliveries } }: { of: TestOutcome }) {
  const styles = useStyles();
  return (
    <MessageBar className={styles.outcome} layout="multiline" intent={outcome === 'delivered' ? 'success' : outcome === 'later' ? 'warning' : 'error'}>
      <MessageBarBody>
        <MessageBarTitle>{words[outcome]}</MessageBarTitle>
        {detail}
        {deliveries.length > 1 && (
          <ul className={styles.lines}>
            {deliveries.map((delivery) => (
              <li key={delivery.id}>
                {delivery.recipient}: {delivery.failure?.detail ?? n.deliveryStates[delivery.state]}
              </li>
            ))}
          </ul>
        )}
      </MessageBarBody>
    </MessageBar>
  );
}
