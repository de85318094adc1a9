// The pages before and around a sign-in. They hold no tenant's data.
import { Button, Link, makeStyles, MessageBar, MessageBarBody, Spinner, Text, tokens } from '@fluentui/react-components';
import { useState } from 'react';
import type { ApiError } from '@/api/client';
import type { SignIn } from '@/api/schema';
import { t } from '@/messages';
import { Frame } from './Frame';
import { type Session, signIn, signOut, startSession } from './session';

const useStyles = makeStyles({
  buttons: { display: 'grid', gap: tokens.spacingVerticalS },
  detail: { display: 'block', fontSize: tokens.fontSizeBase200, overflowWrap: 'anywhere' },
});

/** Microsoft's mark in its four colours, as its branding guidance asks for beside "Sign in with Microsoft". */
function MicrosoftMark() {
  return (
    <svg width="18" height="18" viewBox="0 0 21 21" aria-hidden>
      <path fill="#f25022" d="M1 1h9v9H1z" />
      <path fill="#7fba00" d="M11 1h9v9h-9z" />
      <path fill="#00a4ef" d="M1 11h9v9H1z" />
      <path fill="#ffb900" d="M11 11h9v9h-9z" />
    </svg>
  );
}

export function SignInPage({ session }: { session: Extract<Session, { kind: 'signed_out' }> }) {
  const styles = useStyles();
  const [leaving, setLeaving] = useState(false);
  const [problem, setProblem] = useState(session.detail);
  const go = (option: SignIn, another = false) => {
    setLeaving(true);
    signIn(option, another).catch((error: unknown) => {
      setLeaving(false);
      setProblem(error instanceof Error ? error.message : String(error));
    });
  };
  const only = session.options.length === 1 ? session.options[0] : undefined;
  return (
    <Frame title={t.signIn.title(session.product)}>
      <Text>{t.signIn.lead}</Text>
      {session.reason === 'ended' && (
        <MessageBar intent="info">
          <MessageBarBody>{t.signIn.ended}</MessageBarBody>
        </MessageBar>
      )}
      {problem && (
        <MessageBar intent="error" layout="multiline">
          <MessageBarBody>
            {t.signIn.refused}
            <span className={styles.detail}>{problem}</span>
          </MessageBarBody>
        </MessageBar>
      )}
      {leaving ? (
        <Spinner size="small" label={t.signIn.leaving} />
      ) : (
        <div className={styles.buttons}>
          {session.options.map((option) => (
            <Button key={`${option.authority} ${option.client_id}`} size="large" icon={<MicrosoftMark />} onClick={() => go(option)}>
              {only ? t.signIn.microsoft : t.signIn.as(option.label)}
            </Button>
          ))}
          {only && (
            <Link as="button" onClick={() => go(only, true)}>
              {t.signIn.another}
            </Link>
          )}
          {session.options.length === 0 && <Text>{t.signIn.none}</Text>}
        </div>
      )}
    </Frame>
  );
}

export function Unreachable({ detail }: { detail: string }) {
  const styles = useStyles();
  return (
    <Frame title={t.signIn.unreachable}>
      <Text>{t.signIn.unreachableNext}</Text>
      <span className={styles.detail}>{detail}</span>
      <Button onClick={() => void startSession()}>{t.app.retry}</Button>
    </Frame>
  );
}

/** Microsoft knows the person; this tenant does not. */
export function NotMember({ username, error }: { username: string; error: ApiError }) {
  const styles = useStyles();
  return (
    <Frame title={t.signIn.notMember}>
      <Text>{username}</Text>
      <Text>{error.message}</Text>
      <Text>{t.signIn.notMemberNext}</Text>
      {error.requestId && <span className={styles.detail}>{t.states.requestId(error.requestId)}</span>}
      <Button onClick={() => void signOut()}>{t.signIn.signOut}</Button>
    </Frame>
  );
}
