// One connection beside the list: what it may do, what is missing and how to grant it, and how it ends.
import { Field, Input, makeStyles, MessageBar, MessageBarBody, MessageBarTitle, tokens } from '@fluentui/react-components';
import { CheckmarkCircle16Filled, Warning16Filled } from '@fluentui/react-icons';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, unwrap } from '@/api/client';
import { useWhyNot } from '@/api/me';
import type { Connection, FeatureAccess } from '@/api/schema';
import { Part, usePanelStyles } from '@/features/findings/FindingPanel';
import { t } from '@/messages';
import { m } from '@/messages/microsoft365';
import { paths } from '@/paths';
import { Action } from '@/shared/Action';
import { Badge } from '@/shared/Badges';
import { CodeSnippet } from '@/shared/CodeSnippet';
import { Confirm, FormDialog } from '@/shared/Confirm';
import { Facts, Mono } from '@/shared/Facts';
import { AppLink, useGo } from '@/shared/location';
import { type Place, SidePanel } from '@/shared/SidePanel';
import { ListSkeleton, Loaded, Note } from '@/shared/States';
import { Time } from '@/shared/Time';
import { useChange } from '@/shared/useChange';
import { missingOf } from './missing';
import { connectionQuery } from './queries';
import { ConnectionStateBadge, CredentialWord } from './words';

const words = m.directories.panel;

const useStyles = makeStyles({
  actions: { display: 'flex', flexWrap: 'wrap', gap: tokens.spacingHorizontalS },
  bars: { display: 'grid', gap: tokens.spacingVerticalS },
  features: { listStyleType: 'none', margin: 0, padding: 0, display: 'grid', gap: tokens.spacingVerticalS },
  feature: { display: 'flex', flexWrap: 'wrap', justifyContent: 'space-between', gap: `0 ${tokens.spacingHorizontalM}` },
  missing: { flexBasis: '100%', margin: 0, paddingLeft: '20px' },
  granted: { columnWidth: '210px', margin: `${tokens.spacingVerticalS} 0 0`, paddingLeft: '20px' },
  how: { display: 'grid', gap: tokens.spacingVerticalS, justifyItems: 'start', gridTemplateColumns: 'minmax(0, 1fr)' },
  snippet: { justifySelf: 'stretch' },
});

export function ConnectionPanel({ connection, place }: { connection: string; place: Place }) {
  const query = useQuery({ ...connectionQuery(connection), placeholderData: keepPreviousData });
  const data = query.data?.id === connection ? query.data : undefined;
  return (
    <SidePanel item={connection} title={data ? data.label : t.app.loading} place={place}>
      <Loaded query={{ ...query, data } as typeof query} permission="connections.read" skeleton={<ListSkeleton rows={9} />}>
        {(shown) => <Detail connection={shown} />}
      </Loaded>
    </SidePanel>
  );
}

function Detail({ connection }: { connection: Connection }) {
  const panel = usePanelStyles();
  const styles = useStyles();
  const { app, failure, warnings, granted } = connection;
  const gone = connection.state === 'disconnected';
  return (
    <>
      <Part>
        <div className={panel.badges}>
          <ConnectionStateBadge state={connection.state} />
          <span>{m.directories.accessTo(connection.kind)}</span>
        </div>
      </Part>
      {!gone && (
        <Part>
          <Actions connection={connection} />
        </Part>
      )}
      {(failure || warnings.length > 0) && (
        <Part title={failure ? words.failure : words.warnings}>
          <div className={styles.bars}>
            {failure && (
              <MessageBar intent="error" layout="multiline">
                <MessageBarBody>
                  <MessageBarTitle>{m.failures[failure.code]}</MessageBarTitle>
                  {failure.detail} {failure.microsoft_code && words.microsoft(failure.microsoft_code)}
                </MessageBarBody>
              </MessageBar>
            )}
            {warnings.map((warning) => (
              <MessageBar key={warning.code} intent="warning" layout="multiline">
                <MessageBarBody>{warning.detail}</MessageBarBody>
              </MessageBar>
            ))}
          </div>
        </Part>
      )}
      {!gone && (
        <Part title={words.permissions}>
          {connection.checked_at ? <Features features={connection.features} /> : <Note>{words.unchecked}</Note>}
          {granted.length > 0 && (
            <details>
              <summary>{words.granted(granted.length)}</summary>
              <ul className={styles.granted}>
                {granted.map((permission) => (
                  <li key={permission}>
                    <Mono>{permission}</Mono>
                  </li>
                ))}
              </ul>
            </details>
          )}
        </Part>
      )}
      {!gone && <HowToGrant connection={connection} />}
      <Part title={words.facts}>
        <Facts
          facts={[
            [m.directories.directory, connection.directory.name],
            [words.directoryId, <Mono key="id">{connection.directory.id}</Mono>],
            [words.app, app.own ? words.own : words.ours],
            [words.client, <Mono key="client">{app.client_id}</Mono>],
            [m.directories.credential, <CredentialWord key="credential" app={app} />],
            [words.checked, connection.checked_at && <Time key="checked" at={connection.checked_at} />],
            [words.connected, <Time key="connected" at={connection.connected_at} />],
            [words.by, connection.connected_by.name],
            [words.disconnected, connection.disconnected_at && <Time key="gone" at={connection.disconnected_at} />],
          ]}
        />
      </Part>
      {connection.kind === 'write' && (
        <Part>
          <div className={styles.actions}>
            <AppLink href={paths.fixes('list', { of: connection.directory.id })}>{words.fixes}</AppLink>
            <AppLink href={paths.fixes('settings', { of: connection.directory.id })}>{words.fixSettings}</AppLink>
          </div>
        </Part>
      )}
      {connection.kind === 'read' && (
        <Part>
          <div className={styles.actions}>
            <AppLink href={paths.scans('history', { directory: connection.directory.id })}>{words.scans}</AppLink>
            <AppLink href={paths.scans('settings', { directory: connection.directory.id })}>{words.settings}</AppLink>
          </div>
        </Part>
      )}
    </>
  );
}

/** Each feature with what it needs, and the exact names of what it lacks. */
export function Features({ features }: { features: FeatureAccess[] }) {
  const styles = useStyles();
  return (
    <ul className={styles.features} aria-label={words.permissions}>
      {features.map((feature) => (
        <li key={feature.feature} className={styles.feature}>
          <span>{m.features[feature.feature]}</span>
          {feature.missing.length === 0 ? (
            <Badge tone="good" icon={CheckmarkCircle16Filled} word={words.allGranted(feature.needs.length)} />
          ) : (
            <>
              <Badge tone="warn" icon={Warning16Filled} word={words.lacks(feature.missing.length)} />
              <ul className={styles.missing}>
                {feature.missing.map((permission) => (
                  <li key={permission}>
                    <Mono>{permission}</Mono>
                  </li>
                ))}
              </ul>
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

/** Says how to grant what is missing; nothing when nothing is. */
export function HowToGrant({ connection }: { connection: Connection }) {
  const styles = useStyles();
  const go = useGo();
  const whyNot = useWhyNot('connections.manage');
  const missing = missingOf(connection);
  if (missing.length === 0 || !connection.checked_at) return null;
  return (
    <Part title={words.howTo}>
      <div className={styles.how}>
        <span>{connection.app.own ? words.grantOwn(connection.app.client_id) : words.grantOurs}</span>
        {connection.app.own ? (
          <CodeSnippet className={styles.snippet} label={words.missingList} code={missing.join('\n')} />
        ) : (
          <Action whyNot={whyNot} onClick={() => go(paths.connect({ kind: connection.kind, to: connection.directory.id }))}>
            {words.grantAgain}
          </Action>
        )}
      </div>
    </Part>
  );
}

function Actions({ connection }: { connection: Connection }) {
  const styles = useStyles();
  const whyNot = useWhyNot('connections.manage');
  const [open, setOpen] = useState<'relabel' | 'disconnect'>();
  const path = { connection: connection.id };
  const touches: Parameters<typeof useChange>[0]['touches'] = ['list_connections', 'get_connection'];
  const check = useChange({ run: () => unwrap(api.POST('/api/v1/connections/{connection}/check', { params: { path } })), name: words.check, done: words.checked2, touches });
  const primary = useChange({ run: () => unwrap(api.PATCH('/api/v1/connections/{connection}', { params: { path }, body: { label: null, primary: true } })), name: words.makePrimary, done: words.made, touches });
  const disconnect = useChange({
    run: () => unwrap(api.POST('/api/v1/connections/{connection}/disconnect', { params: { path } })),
    name: words.disconnectTitle(connection.label), done: words.disconnected2, touches: [...touches, 'list_scans', 'list_scan_schedules'], then: () => setOpen(undefined),
  });
  return (
    <div className={styles.actions}>
      <Action size="small" appearance="primary" whyNot={whyNot} disabledFocusable={check.isPending} onClick={() => check.mutate(undefined)}>
        {words.check}
      </Action>
      <Action size="small" whyNot={whyNot} onClick={() => setOpen('relabel')}>
        {words.relabel}
      </Action>
      <Action size="small" whyNot={whyNot ?? (connection.primary ? words.isPrimary : undefined)} disabledFocusable={primary.isPending} onClick={() => primary.mutate(undefined)}>
        {words.makePrimary}
      </Action>
      <Action size="small" whyNot={whyNot} onClick={() => setOpen('disconnect')}>
        {words.disconnect}
      </Action>
      {open === 'relabel' && <Relabel connection={connection} onClose={() => setOpen(undefined)} />}
      {open === 'disconnect' && (
        <Confirm
          title={words.disconnectTitle(connection.label)} body={words.disconnectBody(connection.kind)} verb={words.disconnect} busy={disconnect.isPending} onConfirm={() => disconnect.mutate(undefined)}
          onClose={() => setOpen(undefined)}
        />
      )}
    </div>
  );
}

function Relabel({ connection, onClose }: { connection: Connection; onClose: () => void }) {
  const [label, setLabel] = useState(connection.label);
  const relabel = useChange({
    run: () => unwrap(api.PATCH('/api/v1/connections/{connection}', { params: { path: { connection: connection.id } }, body: { label: label.trim(), primary: null } })),
    name: words.relabel, done: words.relabelled, touches: ['list_connections', 'get_connection'], then: onClose,
  });
  return (
    <FormDialog title={words.relabel} verb={words.save} busy={relabel.isPending || !label.trim()} onSubmit={() => relabel.mutate(undefined)} onClose={onClose}>
      <Field label={words.label} required>
        <Input value={label} maxLength={120} onChange={(_, data) => setLabel(data.value)} />
      </Field>
    </FormDialog>
  );
}
