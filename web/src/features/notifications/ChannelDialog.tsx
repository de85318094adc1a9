// A channel is added, or changed: where it goes, and what to do on the other side first. An address that is a key goes to the server
// once and is forgotten here.
import { Dropdown, Field, Input, makeStyles, Option, Radio, RadioGroup, tokens } from '@fluentui/react-components';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, unwrap } from '@/api/client';
import type { Channel, ChannelKind, CreatedChannel, NotificationOptions } from '@/api/schema';
import { n } from '@/messages/notifications';
import { paths } from '@/paths';
import { FormDialog } from '@/shared/Confirm';
import { wordList } from '@/shared/format';
import { useGo } from '@/shared/location';
import { ErrorState, ListSkeleton, Note } from '@/shared/States';
import { useChange } from '@/shared/useChange';
import { changeOf, configOf, type Draft, draftOf, type Field as Name, problemsOf } from './draft';
import { KindWord } from './badges';
import { MailboxSteps, Steps } from './MicrosoftSide';
import { optionsQuery } from './queries';
import { Recipients } from './Recipients';
import type { NewSecret } from './SecretDialog';

const words = n.form;
const KINDS: ChannelKind[] = ['smtp', 'mailbox', 'teams', 'webhook'];
const useStyles = makeStyles({
  kinds: { display: 'grid', gap: tokens.spacingVerticalXS },
  kind: { display: 'flex', flexDirection: 'column' },
  note: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
});

interface Props {
  /** The one that is changed; none to add one. */
  channel: Channel | undefined;
  onClose: () => void;
  onSecret: (secret: NewSecret) => void;
}

export function ChannelDialog({ channel, onClose, onSecret }: Props) {
  const go = useGo();
  const options = useQuery(optionsQuery);
  const [draft, setDraft] = useState(() => draftOf(channel));
  const [touched, setTouched] = useState<ReadonlySet<Name>>(new Set());
  const put = (change: Partial<Draft>, ...fields: Name[]) => {
    setDraft({ ...draft, ...change });
    setTouched(new Set([...touched, ...fields]));
  };
  const problems = problemsOf(draft, !channel);
  const unable = options.data && whyUnable(draft.kind, options.data);
  const change = channel && changeOf(draft, channel);
  const forget = () => setDraft((now) => ({ ...now, url: '' }));
  const create = useChange({
    run: () => unwrap(api.POST('/api/v1/channels', { body: { name: draft.name.trim(), config: configOf(draft) } })),
    name: words.add, done: n.channel.added, touches: ['list_channels'],
    then: ({ channel: made, signing_secret }: CreatedChannel) => {
      forget();
      onClose();
      // The panel takes the focus when it opens, so it waits for the secret to be put away.
      if (signing_secret) onSecret({ secret: signing_secret, channel: made.id });
      else go(paths.notifications('channels', { item: made.id }));
    },
  });
  const save = useChange({
    run: () => unwrap(api.PATCH('/api/v1/channels/{channel}', { params: { path: { channel: channel!.id } }, body: change! })),
    name: words.change(draft.name), done: n.channel.changed, touches: ['list_channels', 'get_channel', 'list_notification_rules'],
    then: () => {
      forget();
      onClose();
    },
  });
  const busy = create.isPending || save.isPending || problems.size > 0 || (channel ? change === undefined : !options.data || unable !== undefined);
  return (
    <FormDialog title={channel ? words.change(channel.name) : words.add} verb={channel ? words.save : words.create} busy={busy} onSubmit={() => (channel ? save : create).mutate(undefined)} onClose={onClose}>
      {options.isError ? (
        <ErrorState error={options.error} onRetry={() => void options.refetch()} />
      ) : !options.data ? (
        <ListSkeleton rows={4} />
      ) : (
        <>
          {channel ? <KindWord kind={channel.kind} /> : <Kinds kind={draft.kind} options={options.data} onChange={(kind) => put({ kind })} />}
          {unable ? (
            <Note>{unable}</Note>
          ) : (
            <>
              <Field label={words.name} required hint={words.nameHint}>
                <Input value={draft.name} maxLength={120} onChange={(_, data) => put({ name: data.value }, 'name')} />
              </Field>
              <Place draft={draft} put={put} isNew={!channel} options={options.data} wrong={(field) => touched.has(field) && problems.has(field)} />
            </>
          )}
        </>
      )}
    </FormDialog>
  );
}

/** Why this environment cannot send that way; undefined when it can. */
function whyUnable(kind: ChannelKind, { smtp_from, mailbox }: NotificationOptions): string | undefined {
  if (kind === 'smtp' && !smtp_from) return words.noMail;
  if (kind === 'mailbox' && !mailbox) return words.noIdentity;
  if (kind === 'mailbox' && mailbox?.directories.length === 0) return words.noDirectory;
  return undefined;
}

function Kinds({ kind, options, onChange }: { kind: ChannelKind; options: NotificationOptions; onChange: (kind: ChannelKind) => void }) {
  const styles = useStyles();
  return (
    <Field label={words.kind}>
      <RadioGroup value={kind} onChange={(_, data) => onChange(data.value as ChannelKind)} className={styles.kinds}>
        {KINDS.map((each) => (
          <Radio
            key={each} value={each}
            label={
              <span className={styles.kind}>
                {n.kinds[each]}
                <span className={styles.note}>{whyUnable(each, options) ?? n.kindNotes[each]}</span>
              </span>
            }
          />
        ))}
      </RadioGroup>
    </Field>
  );
}

interface PlaceProps {
  draft: Draft;
  put: (change: Partial<Draft>, ...fields: Name[]) => void;
  isNew: boolean;
  options: NotificationOptions;
  /** Whether to mark a field: it was written in, and what stands there will not do. */
  wrong: (field: Name) => boolean;
}

/** The fields of the chosen kind, after what is to be done on the other side. */
function Place({ draft, put, isNew, options, wrong }: PlaceProps) {
  switch (draft.kind) {
    case 'smtp':
      return (
        <>
          {isNew && <Steps kind="smtp" note={options.smtp_from ? `${words.from} ${options.smtp_from}.` : undefined} />}
          <Recipients draft={draft} put={put} wrong={wrong} />
        </>
      );
    case 'mailbox':
      return <MailboxFields draft={draft} put={put} isNew={isNew} options={options} wrong={wrong} />;
    case 'teams':
    case 'webhook': {
      const teams = draft.kind === 'teams';
      return (
        <>
          {isNew && <Steps kind={draft.kind} />}
          <Field
            label={teams ? words.teamsUrl : words.webhookUrl} required={isNew} validationMessage={wrong('url') ? words.badUrl : undefined}
            hint={!isNew ? words.keepUrl : teams ? `${words.teamsHint} ${words.teamsHosts(wordList(options.teams_hosts))}` : words.webhookHint}
          >
            <Input value={draft.url} type="url" autoComplete="off" spellCheck={false} maxLength={2000} onChange={(_, data) => put({ url: data.value }, 'url')} />
          </Field>
        </>
      );
    }
  }
}

function MailboxFields({ draft, put, isNew, options, wrong }: PlaceProps) {
  const directories = options.mailbox?.directories ?? [];
  const chosen = directories.find((each) => each.id === draft.directory);
  return (
    <>
      {isNew && <MailboxSteps offer={options.mailbox ?? undefined} client={draft.client.trim()} mailbox={draft.mailbox.trim()} />}
      <Field label={words.directory} required>
        <Dropdown value={chosen?.name ?? ''} selectedOptions={chosen ? [chosen.id] : []} onOptionSelect={(_, data) => put({ directory: data.optionValue ?? '' }, 'directory')} style={{ minWidth: 0 }}>
          {directories.map((each) => (
            <Option key={each.id} value={each.id}>
              {each.name}
            </Option>
          ))}
        </Dropdown>
      </Field>
      <Field label={words.clientId} required validationMessage={wrong('client') ? words.badClient : undefined}>
        <Input value={draft.client} autoComplete="off" spellCheck={false} maxLength={100} onChange={(_, data) => put({ client: data.value }, 'client')} />
      </Field>
      <Field label={words.mailbox} required hint={words.mailboxHint} validationMessage={wrong('mailbox') ? words.badAddress(draft.mailbox) : undefined}>
        <Input value={draft.mailbox} type="text" inputMode="email" autoComplete="off" spellCheck={false} maxLength={320} onChange={(_, data) => put({ mailbox: data.value }, 'mailbox')} />
      </Field>
      <Recipients draft={draft} put={put} wrong={wrong} />
    </>
  );
}
