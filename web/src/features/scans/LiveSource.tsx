// What a source of a live view says when it could not be read: which of the reasons it is, and what to do.
import { makeStyles, tokens } from '@fluentui/react-components';
import type { LiveSource, SourceState } from '@/api/schema';
import { ConnectButton } from '@/features/connections/DirectoriesPage';
import { m } from '@/messages/microsoft365';
import { paths } from '@/paths';
import { AppLink } from '@/shared/location';
import { EmptyState, Note } from '@/shared/States';
import { SourceBadge } from './badges';

const useStyles = makeStyles({ line: { display: 'flex', flexWrap: 'wrap', gap: `0 ${tokens.spacingHorizontalM}`, alignItems: 'baseline' } });
const CONSENT: SourceState[] = ['needs_consent'];

export function SourceLine({ source, connection }: { source: LiveSource; connection: string | null | undefined }) {
  const styles = useStyles();
  return (
    <div className={styles.line}>
      <SourceBadge state={source.state} />
      <Note>{source.detail ?? (source.permission ? m.threats.needs(source.permission) : '')}</Note>
      {CONSENT.includes(source.state) && connection && <AppLink href={paths.directories({ item: connection })}>{m.threats.grant}</AppLink>}
    </div>
  );
}

export function NotConnected({ detail }: { detail: string | null | undefined }) {
  return (
    <EmptyState title={m.policies.notConnectedTitle} action={<ConnectButton />}>
      {detail ?? m.policies.notConnected}
    </EmptyState>
  );
}
