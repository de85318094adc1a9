// Connecting with an application registration of the customer's own. A secret or key goes to the server once and is forgotten here.
import { Field, Input, makeStyles, Radio, RadioGroup, Textarea, tokens } from '@fluentui/react-components';
import { useState } from 'react';
import { api, unwrap } from '@/api/client';
import { useWhyNot } from '@/api/me';
import type { ConnectionOffer, ConnectionOptions, CredentialKind } from '@/api/schema';
import { GUID } from '@/features/scans/lines';
import { m } from '@/messages/microsoft365';
import { paths } from '@/paths';
import { Action } from '@/shared/Action';
import { CodeSnippet } from '@/shared/CodeSnippet';
import { Facts, Mono } from '@/shared/Facts';
import { useGo } from '@/shared/location';
import { Section } from '@/shared/Page';
import { Note } from '@/shared/States';
import { useChange } from '@/shared/useChange';
import type { Target } from './ConnectPage';

const words = m.connect;
const KINDS: CredentialKind[] = ['federated', 'certificate', 'secret'];

const useStyles = makeStyles({
  fields: { display: 'grid', gap: tokens.spacingVerticalM, gridTemplateColumns: 'minmax(0, 460px)' },
  wide: { display: 'grid', gap: tokens.spacingVerticalM, gridTemplateColumns: 'minmax(0, 1fr)' },
  steps: { margin: 0, paddingLeft: '20px', display: 'grid', gap: tokens.spacingVerticalXS },
  pem: { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200 },
});

export function OwnApplication({ options, offer, target }: { options: ConnectionOptions; offer: ConnectionOffer | undefined; target: Target }) {
  const styles = useStyles();
  const go = useGo();
  const whyNot = useWhyNot('connections.manage');
  const [client, setClient] = useState('');
  const [kind, setKind] = useState<CredentialKind>(options.federated ? 'federated' : 'certificate');
  const [secret, setSecret] = useState('');
  const [pem, setPem] = useState('');
  const [ends, setEnds] = useState('');
  const badClient = client !== '' && !GUID.test(client.trim());
  const complete = GUID.test(client.trim()) && (kind === 'federated' || (kind === 'secret' ? secret !== '' : pem.trim() !== ''));
  const connect = useChange({
    run: () =>
      unwrap(
        api.POST('/api/v1/connections', {
          body: {
            kind: target.kind, directory: target.directory, label: target.label.trim() || null, client_id: client.trim().toLowerCase(),
            credential: {
              kind, secret: kind === 'secret' ? secret : null, certificate_pem: kind === 'certificate' ? pem : null,
              expires_at: kind === 'secret' && ends ? new Date(ends).toISOString() : null,
            },
          },
        }),
      ),
    name: words.title, done: words.added, touches: ['list_connections', 'list_directories'],
    then: (connection) => {
      setSecret('');
      setPem('');
      go(paths.directories({ item: connection.id }));
    },
  });
  return (
    <>
      <Section title={words.register}>
        <div className={styles.wide}>
          <ol className={styles.steps}>
            <li>{words.steps.make}</li>
            <li>{words.steps.permit}</li>
            <li>{words.steps.prove}</li>
          </ol>
          {offer && offer.permissions.length > 0 && <CodeSnippet label={words.permissionNames} code={offer.permissions.map((each) => each.permission).join('\n')} />}
        </div>
      </Section>
      <Section title={words.own}>
        <form
          className={styles.fields}
          onSubmit={(event) => {
            event.preventDefault();
            if (complete && !connect.isPending && whyNot === undefined && GUID.test(target.directory)) connect.mutate(undefined);
          }}
        >
          <Field label={words.client} required validationMessage={badClient ? words.badClient : undefined}>
            <Input value={client} autoComplete="off" spellCheck={false} onChange={(_, data) => setClient(data.value)} />
          </Field>
          <Field label={words.credential}>
            <RadioGroup value={kind} onChange={(_, data) => setKind(data.value as CredentialKind)}>
              {KINDS.map((each) => (
                <Radio key={each} value={each} label={m.credentials[each]} disabled={each === 'federated' && !options.federated} />
              ))}
            </RadioGroup>
          </Field>
          <Note>{words.credentialNotes[kind]}</Note>
          {!options.federated && <Note>{words.noFederated}</Note>}
          {kind === 'federated' && options.federated_subject && (
            <Facts
              facts={[
                [words.issuer, <Mono key="issuer">{options.federated_subject.issuer}</Mono>],
                [words.subject, <Mono key="subject">{options.federated_subject.subject}</Mono>],
                [words.audience, <Mono key="audience">{options.federated_subject.audience}</Mono>],
              ]}
            />
          )}
          {kind === 'secret' && (
            <>
              <Field label={words.secret} required hint={words.secretHint}>
                <Input type="password" value={secret} autoComplete="off" maxLength={1000} onChange={(_, data) => setSecret(data.value)} />
              </Field>
              <Field label={words.secretEnds}>
                <Input type="date" value={ends} onChange={(_, data) => setEnds(data.value)} />
              </Field>
            </>
          )}
          {kind === 'certificate' && (
            <Field label={words.pem} required hint={words.pemHint}>
              <Textarea value={pem} rows={8} spellCheck={false} autoComplete="off" textarea={{ className: styles.pem }} maxLength={40000} onChange={(_, data) => setPem(data.value)} />
            </Field>
          )}
          <div>
            <Action type="submit" appearance="primary" whyNot={whyNot ?? (GUID.test(target.directory) ? undefined : words.idFirst)} disabledFocusable={!complete || connect.isPending}>
              {words.add}
            </Action>
          </div>
        </form>
      </Section>
    </>
  );
}
