// Where the link at the foot of every mail leads. Works without a sign-in. Nothing happens before the button is pressed, because
// scanners of mail open every link they find.
import { Button, Link, Spinner, Text } from '@fluentui/react-components';
import { CheckmarkCircle24Regular } from '@fluentui/react-icons';
import { useEffect, useState } from 'react';
import { type ApiError, unwrap } from '@/api/client';
import type { Unsubscribed } from '@/api/schema';
import { Frame } from '@/auth/Frame';
import { n } from '@/messages/notifications';
import { t } from '@/messages';
import { paths } from '@/paths';
import { tokenIn } from './unsubscribe';

const words = n.unsubscribe;

type Step = { at: 'asking' } | { at: 'sending' } | { at: 'done'; answer: Unsubscribed } | { at: 'failed'; error: ApiError; undo: boolean };

export default function UnsubscribePage() {
  // Kept from the first drawing and taken out of the address at once, so that it stays in no history and no copied link.
  const [token] = useState(() => tokenIn(location));
  const [step, setStep] = useState<Step>({ at: 'asking' });
  useEffect(() => {
    if (token) history.replaceState(null, '', location.pathname);
  }, [token]);
  const send = (undo: boolean) => {
    setStep({ at: 'sending' });
    unsubscribe(token!, undo).then(
      (answer) => setStep({ at: 'done', answer }),
      (error: ApiError) => setStep({ at: 'failed', error, undo }),
    );
  };
  if (!token) return <Frame title={words.noTokenTitle}>{words.noToken}</Frame>;
  switch (step.at) {
    case 'asking':
      return (
        <Frame title={words.title}>
          <Text>{words.lead}</Text>
          <Button appearance="primary" onClick={() => send(false)}>
            {words.verb}
          </Button>
        </Frame>
      );
    case 'sending':
      return (
        <Frame title={words.title}>
          <Spinner label={words.sending} />
        </Frame>
      );
    case 'done':
      return <Done answer={step.answer} onUndo={() => send(true)} />;
    case 'failed':
      return <Failed error={step.error} onRetry={() => send(step.undo)} />;
  }
}

function Done({ answer: { address, tenant_name, mail }, onUndo }: { answer: Unsubscribed; onUndo: () => void }) {
  const off = mail === 'none';
  return (
    <Frame title={off ? words.doneTitle : words.undoneTitle}>
      <Text role="status">
        <CheckmarkCircle24Regular aria-hidden style={{ verticalAlign: 'text-bottom' }} /> {(off ? words.done : words.undone)(address, tenant_name)}
      </Text>
      {off && <Button onClick={onUndo}>{words.undo}</Button>}
      <Link href={paths.notifications('me')}>{words.back}</Link>
    </Frame>
  );
}

/** A refusal of the link itself is final; anything else is worth another try. */
function Failed({ error, onRetry }: { error: ApiError; onRetry: () => void }) {
  const spent = error.status >= 400 && error.status < 500 && error.status !== 429;
  return (
    <Frame title={spent ? words.spentTitle : words.failedTitle}>
      <Text role="alert">{spent ? words.spent : error.status === 0 ? t.states.unreachable : error.message}</Text>
      {error.requestId && <Text size={200}>{t.states.requestId(error.requestId)}</Text>}
      {spent ? <Link href={paths.notifications('me')}>{words.back}</Link> : <Button onClick={onRetry}>{t.app.retry}</Button>}
    </Frame>
  );
}

/** The typed client sends the caller's token with every call; here there is no caller. */
function unsubscribe(token: string, undo: boolean): Promise<Unsubscribed> {
  const query = new URLSearchParams({ token, ...(undo ? { undo: 'true' } : {}) });
  return unwrap(
    fetch(`/api/v1/unsubscribe?${query}`, { method: 'POST' }).then(async (response) => {
      const body: unknown = await response.json().catch(() => undefined);
      return response.ok ? { data: body as Unsubscribed, response } : { error: body, response };
    }),
  );
}
