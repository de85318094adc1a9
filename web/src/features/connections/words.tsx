// How a connection stands, in words with their icons.
import { CheckmarkCircle16Filled, Clock16Regular, DismissCircle16Filled, PlugDisconnected16Regular, Warning16Filled } from '@fluentui/react-icons';
import type { Connection, ConnectionState } from '@/api/schema';
import { m } from '@/messages/microsoft365';
import { Badge } from '@/shared/Badges';
import { daysUntil } from '@/shared/format';
import { useNow } from '@/shared/Time';
import { missingOf } from './missing';

/** From here on an ending credential is a warning. */
const SOON = 30;
/** Beyond this the days say nothing. */
const FAR = 366;

export function ConnectionStateBadge({ state }: { state: ConnectionState }) {
  const word = m.connectionStates[state];
  switch (state) {
    case 'working':
      return <Badge tone="good" icon={CheckmarkCircle16Filled} word={word} />;
    case 'failing':
      return <Badge tone="bad" icon={DismissCircle16Filled} word={word} />;
    case 'unchecked':
      return <Badge tone="busy" icon={Clock16Regular} word={word} />;
    case 'disconnected':
      return <Badge tone="calm" icon={PlugDisconnected16Regular} word={word} />;
  }
}

/** One word for the list: refused, or what is missing, or that nothing is. */
export function Health({ connection }: { connection: Connection }) {
  if (connection.state !== 'working') return <ConnectionStateBadge state={connection.state} />;
  const missing = missingOf(connection).length;
  return missing === 0 ? <Badge tone="good" icon={CheckmarkCircle16Filled} word={m.directories.granted} /> : <Badge tone="warn" icon={Warning16Filled} word={m.directories.missing(missing)} />;
}

/** The kind of credential; a static secret with the days it has left. */
export function CredentialWord({ app }: { app: Connection['app'] }) {
  const now = useNow();
  const word = m.credentials[app.credential];
  if (!app.expires_at) return app.credential === 'secret' ? <Badge tone="warn" icon={Warning16Filled} word={`${word}, ${m.directories.noEnd}`} /> : <>{word}</>;
  const days = daysUntil(app.expires_at, now);
  if (app.credential !== 'secret' && days > FAR) return <>{word}</>;
  const text = `${word}, ${m.directories.daysLeft(days)}`;
  if (days < 0) return <Badge tone="bad" icon={DismissCircle16Filled} word={text} />;
  return app.credential === 'secret' || days < SOON ? <Badge tone="warn" icon={Warning16Filled} word={text} /> : <>{text}</>;
}
