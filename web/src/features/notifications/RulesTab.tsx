// Which channel is told what, and when; each rule as a sentence.
import { makeStyles, tokens } from '@fluentui/react-components';
import { AddCircle20Regular, CheckmarkCircle16Filled, Delete16Regular, Edit16Regular, SubtractCircle16Regular } from '@fluentui/react-icons';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, unwrap } from '@/api/client';
import { useMay, useWhyNot } from '@/api/me';
import type { NewNotificationRule, NotificationRule } from '@/api/schema';
import { n } from '@/messages/notifications';
import { useDirectoryName, useProjectName } from '@/shell/Scope';
import { Action } from '@/shared/Action';
import { Badge } from '@/shared/Badges';
import { Confirm } from '@/shared/Confirm';
import { type Column, DataTable } from '@/shared/DataTable';
import { FilterPill, FilterRow } from '@/shared/FilterRow';
import { useSearch, useSetSearch } from '@/shared/location';
import { Section } from '@/shared/Page';
import { EmptyState, Loaded, Need, NoMatch, Note } from '@/shared/States';
import { Time } from '@/shared/Time';
import { useChange } from '@/shared/useChange';
import { channelsQuery, rulesQuery } from './queries';
import { RuleDialog } from './RuleDialog';
import { sentenceOf } from './sentence';

const words = n.rules;
const useStyles = makeStyles({
  actions: { display: 'flex', flexWrap: 'wrap', gap: tokens.spacingHorizontalXS },
  sentence: { whiteSpace: 'normal', display: 'block' },
  lead: { margin: `0 0 ${tokens.spacingVerticalM}` },
});

export function RulesTab() {
  return (
    <Need permission="notifications.read">
      <Rules />
    </Need>
  );
}

function Rules() {
  const styles = useStyles();
  const { channel, add: asked } = useSearch();
  const set = useSetSearch();
  const whyNot = useWhyNot('notifications.manage');
  const query = useQuery(rulesQuery);
  const channels = useQuery({ ...channelsQuery, enabled: useMay('notifications.read') }).data?.items ?? [];
  const [editing, setEditing] = useState<NotificationRule | 'new' | undefined>(asked && whyNot === undefined ? 'new' : undefined);
  const [removing, setRemoving] = useState<NotificationRule>();
  const columns = useColumns(whyNot, setEditing, setRemoving);
  const add = (
    <Action size="small" appearance="primary" icon={<AddCircle20Regular />} whyNot={whyNot ?? (channels.length === 0 ? words.noChannel : undefined)} onClick={() => setEditing('new')}>
      {words.add}
    </Action>
  );
  return (
    <>
      {channels.length > 1 && (
        <FilterRow keys={['channel']}>
          <FilterPill param="channel" name={n.deliveries.filterChannel} choices={channels.map((each) => ({ value: each.id, label: each.name }))} />
        </FilterRow>
      )}
      <Section title={words.table} actions={add}>
        <Loaded query={query} permission="notifications.read">
          {({ items }) => {
            if (items.length === 0) return <EmptyState title={words.emptyTitle}>{words.empty}</EmptyState>;
            const shown = items.filter((rule) => !channel || rule.channel.id === channel);
            if (shown.length === 0) return <NoMatch onClear={() => set({ channel: undefined })} />;
            return (
              <>
                <p className={styles.lead}>
                  <Note>{words.lead}</Note>
                </p>
                <DataTable label={words.table} rows={shown} columns={columns} rowKey={(row) => row.id} />
              </>
            );
          }}
        </Loaded>
      </Section>
      {editing && channels.length > 0 && (
        <RuleDialog
          rule={editing === 'new' ? undefined : editing} channels={channels} channel={channel}
          onClose={() => {
            setEditing(undefined);
            if (asked) set({ add: undefined }, 'replace');
          }}
        />
      )}
      {removing && <Remove rule={removing} onClose={() => setRemoving(undefined)} />}
    </>
  );
}

function useColumns(whyNot: string | undefined, edit: (rule: NotificationRule) => void, remove: (rule: NotificationRule) => void): Column<NotificationRule>[] {
  const styles = useStyles();
  return [
    { key: 'name', name: words.name, width: 'minmax(0, 1fr)', cell: (row) => row.name },
    { key: 'says', name: words.says, width: 'minmax(0, 3fr)', cell: (row) => <Sentence rule={row} /> },
    { key: 'state', name: words.state, width: '60px', cell: (row) => (row.enabled ? <Badge tone="good" icon={CheckmarkCircle16Filled} word={words.on} /> : <Badge tone="calm" icon={SubtractCircle16Regular} word={words.off} />) },
    { key: 'next', name: words.next, width: '110px', align: 'end', cell: (row) => <span title={row.gathered > 0 ? words.gathered(row.gathered) : undefined}><Time at={row.next_digest_at} /></span> },
    {
      key: 'actions', name: words.actions, width: '270px',
      cell: (row) => (
        <span className={styles.actions}>
          <Turn rule={row} whyNot={whyNot} />
          <Action size="small" appearance="subtle" icon={<Edit16Regular />} whyNot={whyNot} aria-label={words.changeNamed(row.name)} onClick={() => edit(row)}>
            {words.change}
          </Action>
          <Action size="small" appearance="subtle" icon={<Delete16Regular />} whyNot={whyNot} aria-label={words.removeNamed(row.name)} onClick={() => remove(row)}>
            {words.remove}
          </Action>
        </span>
      ),
    },
  ];
}

function Sentence({ rule }: { rule: NotificationRule }) {
  const styles = useStyles();
  const directory = useDirectoryName();
  const project = useProjectName();
  const names = (name: (id: string) => string | undefined, ids: string[]) => ids.map((id) => name(id) ?? id);
  return <span className={styles.sentence}>{sentenceOf({ ...rule, channel: rule.channel.name, directories: names(directory, rule.directories), projects: names(project, rule.projects) })}</span>;
}

function Turn({ rule, whyNot }: { rule: NotificationRule; whyNot: string | undefined }) {
  const { name, enabled } = rule;
  const turn = useChange({
    run: () => unwrap(api.PUT('/api/v1/notification-rules/{rule}', { params: { path: { rule: rule.id } }, body: { ...wishOf(rule), enabled: !enabled } })),
    name: enabled ? words.turnOffNamed(name) : words.turnOnNamed(name), done: enabled ? words.turnedOff : words.turnedOn, touches: ['list_notification_rules'],
  });
  return (
    <Action size="small" appearance="subtle" whyNot={whyNot} disabledFocusable={turn.isPending} aria-label={enabled ? words.turnOffNamed(name) : words.turnOnNamed(name)} onClick={() => turn.mutate(undefined)}>
      {enabled ? words.turnOff : words.turnOn}
    </Action>
  );
}

/** A rule as it would be sent to be kept as it is. */
export function wishOf({ name, channel, events, min_severity, min_regressions, directories, projects, timing, enabled }: NotificationRule): NewNotificationRule {
  return { name, channel: channel.id, events, min_severity: min_severity ?? null, min_regressions, directories, projects, timing, enabled };
}

function Remove({ rule, onClose }: { rule: NotificationRule; onClose: () => void }) {
  const remove = useChange({
    run: () => unwrap(api.DELETE('/api/v1/notification-rules/{rule}', { params: { path: { rule: rule.id } } })),
    name: words.removeTitle(rule.name), done: words.removed, touches: ['list_notification_rules', 'list_channels', 'get_channel'], then: onClose,
  });
  return <Confirm title={words.removeTitle(rule.name)} body={words.removeBody} verb={words.remove} busy={remove.isPending} onConfirm={() => remove.mutate(undefined)} onClose={onClose} />;
}
