// Where Microsoft sends the browser back to after a consent. What it put into the address is handed to the server once, taken out of
// the address, and what came of it is explained.
import { Button, makeStyles, MessageBar, MessageBarBody, MessageBarTitle, Spinner, tokens } from '@fluentui/react-components';
import { CheckmarkCircle24Regular, ErrorCircle24Regular, SearchInfo24Regular, Warning24Regular } from '@fluentui/react-icons';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api, ApiError, unwrap } from '@/api/client';
import { changed } from '@/api/queries';
import type { CloudFailure, Connection, ConsentAnswer } from '@/api/schema';
import { m } from '@/messages/microsoft365';
import { paths } from '@/paths';
import { AppLink, useGo, useSearch, useSetSearch } from '@/shared/location';
import { Page, Section } from '@/shared/Page';
import { ErrorState, Loaded, Need, Note, State } from '@/shared/States';
import { Features } from './ConnectionPanel';
import { missingOf } from './missing';
import { connectionQuery } from './queries';

const words = m.consent;
const MEMBERS = ['state', 'tenant', 'admin_consent', 'error', 'error_subcode', 'error_description', 'scope'] as const;

const useStyles = makeStyles({
  actions: { display: 'flex', flexWrap: 'wrap', justifyContent: 'center', gap: tokens.spacingHorizontalM },
  bar: { textAlign: 'left' },
});

/** What Microsoft answered, as the address holds it; undefined when it holds no answer. */
export function answerIn(search: Record<string, string>): ConsentAnswer | undefined {
  if (!search.state) return undefined;
  return Object.fromEntries(MEMBERS.map((name) => [name, search[name] ?? null])) as unknown as ConsentAnswer;
}

export function ConsentPage() {
  return (
    <Need permission="connections.manage" page={words.title}>
      <Body />
    </Need>
  );
}

function Body() {
  const search = useSearch();
  const set = useSetSearch();
  // Kept from the first drawing: the address is cleared at once, so that a reload or a copied link takes nothing up twice.
  const [answer] = useState(() => answerIn(search));
  useEffect(() => {
    if (answer) set({ ...Object.fromEntries(MEMBERS.map((name) => [name, undefined])), session_state: undefined }, 'replace');
  }, [answer, set]);
  return (
    <Page title={words.title} state={words.state}>
      {answer ? <Taking answer={answer} /> : search.connection ? <Good connection={search.connection} /> : (
        <State icon={<SearchInfo24Regular />} title={words.nothingTitle}>
          <Note>{words.nothing}</Note>
          <Again />
        </State>
      )}
    </Page>
  );
}

function Taking({ answer }: { answer: ConsentAnswer }) {
  const set = useSetSearch();
  const client = useQueryClient();
  const outcome = useQuery({
    queryKey: ['complete_consent', answer.state],
    queryFn: () => unwrap(api.POST('/api/v1/consents/complete', { body: answer })),
    // A state counts once.
    staleTime: Infinity, gcTime: Infinity, retry: false, refetchOnWindowFocus: false, refetchOnReconnect: false, refetchOnMount: false,
  });
  const connection = outcome.data?.connection;
  useEffect(() => {
    if (!connection) return;
    client.setQueryData(connectionQuery(connection.id).queryKey, connection);
    changed(client, 'list_connections', 'list_directories');
    set({ connection: connection.id }, 'replace');
  }, [connection, client, set]);
  if (connection) return <Good connection={connection.id} />;
  if (outcome.data?.refusal) return <Bad refusal={outcome.data.refusal} />;
  if (!outcome.isError) return <Spinner label={words.taking} />;
  const { error } = outcome;
  // Any refusal of the state itself: unknown, expired, used, malformed.
  const spent = error instanceof ApiError && error.status >= 400 && error.status < 500 && ![401, 403, 429].includes(error.status);
  if (!spent) return <ErrorState error={error} onRetry={() => void outcome.refetch()} permission="connections.manage" />;
  return (
    <State icon={<ErrorCircle24Regular />} title={words.expiredTitle} alert>
      <Note>{words.expired}</Note>
      {error.message && <Note>{error.message}</Note>}
      <Again />
    </State>
  );
}

function Bad({ refusal }: { refusal: CloudFailure }) {
  const styles = useStyles();
  return (
    <State icon={<ErrorCircle24Regular />} title={words.notConnected} alert>
      <MessageBar intent="error" layout="multiline" className={styles.bar}>
        <MessageBarBody>
          <MessageBarTitle>{m.failures[refusal.code]}</MessageBarTitle>
          {refusal.detail} {refusal.microsoft_code && m.directories.panel.microsoft(refusal.microsoft_code)}
        </MessageBarBody>
      </MessageBar>
      <Note>{words.next[refusal.code] ?? words.nextElse}</Note>
      <Again />
    </State>
  );
}

function Again() {
  const styles = useStyles();
  const go = useGo();
  return (
    <div className={styles.actions}>
      <Button appearance="primary" onClick={() => go(paths.connect())}>
        {words.again}
      </Button>
      <Button onClick={() => go(paths.directories())}>{words.toDirectories}</Button>
    </div>
  );
}

function Good({ connection }: { connection: string }) {
  return (
    <Loaded query={useQuery(connectionQuery(connection))} permission="connections.read">
      {(shown) => <Connected connection={shown} />}
    </Loaded>
  );
}

function Connected({ connection }: { connection: Connection }) {
  const styles = useStyles();
  const go = useGo();
  const missing = missingOf(connection).length;
  return (
    <>
      <State icon={missing > 0 ? <Warning24Regular /> : <CheckmarkCircle24Regular />} title={(missing > 0 ? words.missingTitle : words.goodTitle)(connection.label)}>
        <Note>{missing > 0 ? words.missing(missing) : connection.kind === 'read' ? words.good : words.goodWrite}</Note>
        {missing > 0 && <Note>{words.checking}</Note>}
        <div className={styles.actions}>
          {connection.kind === 'read' && (
            <Button appearance="primary" onClick={() => go(paths.scans('history', { start: connection.id }))}>
              {words.scan}
            </Button>
          )}
          <AppLink href={paths.directories({ item: connection.id })}>{words.open}</AppLink>
        </div>
      </State>
      {connection.features.length > 0 && (
        <Section title={words.features}>
          <Features features={connection.features} />
        </Section>
      )}
    </>
  );
}
