// The tenant's name, what happens to reports about unknown directories, and the directories.
import { Field, Input, makeStyles, Radio, RadioGroup, tokens } from '@fluentui/react-components';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, unwrap } from '@/api/client';
import { useWhyNot } from '@/api/me';
import { settingsQuery } from '@/api/queries';
import type { Settings, UnknownDirectory } from '@/api/schema';
import { t } from '@/messages';
import { Action } from '@/shared/Action';
import { Facts, Mono } from '@/shared/Facts';
import { Section } from '@/shared/Page';
import { Loaded, Need } from '@/shared/States';
import { useChange } from '@/shared/useChange';
import { Directories } from './Directories';

const useStyles = makeStyles({
  form: { display: 'grid', gap: tokens.spacingVerticalL, maxWidth: '560px' },
  button: { justifySelf: 'start' },
});

const words = t.settings.general;

export function GeneralTab() {
  const query = useQuery(settingsQuery);
  return (
    <>
      <Section title={words.tenant}>
        <Need permission="settings.read">
          <Loaded query={query} permission="settings.read">
            {(settings) => <Form key={`${settings.name} ${settings.unknown_directory}`} settings={settings} />}
          </Loaded>
        </Need>
      </Section>
      <Directories />
    </>
  );
}

function Form({ settings }: { settings: Settings }) {
  const styles = useStyles();
  const whyNot = useWhyNot('settings.write');
  const [name, setName] = useState(settings.name);
  const [unknown, setUnknown] = useState<UnknownDirectory>(settings.unknown_directory);
  const save = useChange({
    run: () => unwrap(api.PATCH('/api/v1/settings', { body: { name: name.trim(), unknown_directory: unknown } })),
    name: words.save, done: words.saved, touches: ['get_settings'],
  });
  const same = name.trim() === settings.name && unknown === settings.unknown_directory;
  return (
    <form className={styles.form} onSubmit={(event) => { event.preventDefault(); if (!same && whyNot === undefined) save.mutate(undefined); }}>
      <Field label={words.name}>
        <Input value={name} maxLength={120} readOnly={whyNot !== undefined} onChange={(_, data) => setName(data.value)} />
      </Field>
      <Field label={words.unknown}>
        <RadioGroup value={unknown} disabled={whyNot !== undefined} onChange={(_, data) => setUnknown(data.value as UnknownDirectory)}>
          <Radio value="refuse" label={words.refuse} />
          <Radio value="add" label={words.add} />
        </RadioGroup>
      </Field>
      <Facts facts={[[words.id, <Mono key="id">{settings.tenant}</Mono>], [words.signIn, <Mono key="sign-in">{settings.sign_in_directory}</Mono>]]} />
      <Action type="submit" appearance="primary" className={styles.button} whyNot={whyNot ?? (same ? words.noChange : undefined)} disabledFocusable={save.isPending}>
        {words.save}
      </Action>
    </form>
  );
}
