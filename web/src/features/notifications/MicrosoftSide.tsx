// What is to be done at Microsoft, or at the receiver, before a channel can work.
import { makeStyles, tokens } from '@fluentui/react-components';
import type { ChannelKind, MailboxOffer } from '@/api/schema';
import { n } from '@/messages/notifications';
import { CodeSnippet } from '@/shared/CodeSnippet';
import { Facts, Mono } from '@/shared/Facts';
import { GUID } from '@/features/scans/lines';
import { isAddress } from './draft';

const words = n.form;

const useStyles = makeStyles({
  frame: { display: 'grid', gap: tokens.spacingVerticalS, gridTemplateColumns: 'minmax(0, 1fr)', padding: tokens.spacingHorizontalM, backgroundColor: tokens.colorNeutralBackground3, borderRadius: tokens.borderRadiusMedium },
  title: { margin: 0, fontSize: tokens.fontSizeBase300, lineHeight: tokens.lineHeightBase300, fontWeight: tokens.fontWeightSemibold },
  steps: { margin: 0, paddingLeft: '20px', display: 'grid', gap: tokens.spacingVerticalXS },
  single: { margin: 0 },
});

export function Steps({ kind, note, children }: { kind: ChannelKind; note?: string; children?: React.ReactNode }) {
  const styles = useStyles();
  const title = kind === 'webhook' ? words.howOther : words.how;
  const steps = words.steps[kind];
  return (
    <section className={styles.frame} aria-label={title}>
      <h3 className={styles.title}>{title}</h3>
      {note && <p className={styles.single}>{note}</p>}
      {steps.length === 1 ? (
        <p className={styles.single}>{steps[0]}</p>
      ) : (
        <ol className={styles.steps}>
          {steps.map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ol>
      )}
      {children}
    </section>
  );
}

/** With the federated credential to add, and the command that limits the application to the one mailbox, as soon as both are known. */
export function MailboxSteps({ offer, client, mailbox }: { offer: MailboxOffer | undefined; client: string; mailbox: string }) {
  const trust = offer?.federated_subject;
  return (
    <Steps kind="mailbox">
      {trust && (
        <Facts
          facts={[
            [words.issuer, <Mono key="issuer">{trust.issuer}</Mono>],
            [words.subject, <Mono key="subject">{trust.subject}</Mono>],
            [words.audience, <Mono key="audience">{trust.audience}</Mono>],
          ]}
        />
      )}
      <CodeSnippet label={words.policyCommand} code={policyCommand(client, mailbox)} />
    </Steps>
  );
}

/** What stands in angle brackets is not known yet. Nothing that was typed gets in unless it is an id or an address, so the line can be pasted. */
export function policyCommand(client: string, mailbox: string): string {
  const app = GUID.test(client) ? client : '<application id>';
  const box = isAddress(mailbox) && /^[\w.+@-]+$/.test(mailbox) ? mailbox : '<mailbox>';
  return `New-ApplicationAccessPolicy -AppId ${app} -PolicyScopeGroupId ${box} \`\n  -AccessRight RestrictAccess -Description "Bailiwick sends from this mailbox only"`;
}
