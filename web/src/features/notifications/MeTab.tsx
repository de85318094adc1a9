// How much of the tenant's mail reaches me.
import { Field, makeStyles, MessageBar, MessageBarBody, Radio, RadioGroup, tokens } from '@fluentui/react-components';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, unwrap } from '@/api/client';
import type { MailPreference, NotificationPreference } from '@/api/schema';
import { n } from '@/messages/notifications';
import { Action } from '@/shared/Action';
import { Facts } from '@/shared/Facts';
import { Section } from '@/shared/Page';
import { Loaded, Need, Note } from '@/shared/States';
import { Time } from '@/shared/Time';
import { useChange } from '@/shared/useChange';
import { preferenceQuery } from './queries';

const words = n.me;
const MAILS = Object.keys(n.mails) as MailPreference[];

const useStyles = makeStyles({
  form: { display: 'grid', gap: tokens.spacingVerticalL, gridTemplateColumns: 'minmax(0, 640px)', justifyItems: 'start' },
  choice: { display: 'flex', flexDirection: 'column' },
  note: { color: tokens.colorNeutralForeground3, fontSize: tokens.fontSizeBase200 },
});

export function MeTab() {
  return (
    <Section title={words.title}>
      <Need permission="notifications.read">
        <Preference />
      </Need>
    </Section>
  );
}

function Preference() {
  const query = useQuery(preferenceQuery);
  return (
    <Loaded query={query} permission="notifications.read">
      {(preference) => <Form key={`${preference.mail} ${preference.changed_at ?? ''}`} now={preference} />}
    </Loaded>
  );
}

function Form({ now }: { now: NotificationPreference }) {
  const styles = useStyles();
  const [mail, setMail] = useState(now.mail);
  const save = useChange({ run: () => unwrap(api.PUT('/api/v1/me/notifications', { body: { mail } })), name: words.title, done: words.saved, touches: ['get_my_notifications', 'list_channels', 'get_channel'] });
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (mail !== now.mail && !save.isPending) save.mutate(undefined);
      }}
    >
      <Note>{words.lead}</Note>
      {!now.address && (
        <MessageBar intent="warning" layout="multiline">
          <MessageBarBody>{words.noAddress}</MessageBarBody>
        </MessageBar>
      )}
      <Facts
        facts={[
          [words.address, now.address],
          [now.by_link ? words.byLink : words.byHand, now.changed_at && <Time key="at" at={now.changed_at} />],
        ]}
      />
      <Field label={words.mail}>
        <RadioGroup value={mail} onChange={(_, data) => setMail(data.value as MailPreference)}>
          {MAILS.map((each) => (
            <Radio
              key={each} value={each}
              label={
                <span className={styles.choice}>
                  {n.mails[each]}
                  <span className={styles.note}>{n.mailNotes[each]}</span>
                </span>
              }
            />
          ))}
        </RadioGroup>
      </Field>
      <Action type="submit" appearance="primary" whyNot={mail === now.mail ? words.noChange : undefined} disabledFocusable={save.isPending}>
        {words.save}
      </Action>
    </form>
  );
}
