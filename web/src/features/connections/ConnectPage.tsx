// Connecting a directory, guided: what for, which application, which directory, and every permission before anybody consents.
import { Dropdown, Field, Input, makeStyles, Option, Radio, RadioGroup, tokens } from '@fluentui/react-components';
import { Open16Regular } from '@fluentui/react-icons';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, unwrap } from '@/api/client';
import { useMay, useWhyNot } from '@/api/me';
import { directoriesQuery } from '@/api/queries';
import type { ConnectionKind, ConnectionOffer, ConnectionOptions } from '@/api/schema';
import { known } from '@/features/findings/filters';
import { GUID } from '@/features/scans/lines';
import { m } from '@/messages/microsoft365';
import { Action } from '@/shared/Action';
import { Mono } from '@/shared/Facts';
import { useSearch, useSetSearch } from '@/shared/location';
import { Page, Section } from '@/shared/Page';
import { Loaded, Need, Note } from '@/shared/States';
import { useChange } from '@/shared/useChange';
import { byFeature } from './missing';
import { OwnApplication } from './OwnApplication';
import { optionsQuery } from './queries';

const words = m.connect;

const useStyles = makeStyles({
  body: { display: 'grid', gap: tokens.spacingVerticalM, gridTemplateColumns: 'minmax(0, 1fr)', maxWidth: '960px' },
  fields: { display: 'grid', gap: tokens.spacingVerticalM, gridTemplateColumns: 'minmax(0, 460px)' },
  group: { margin: `${tokens.spacingVerticalM} 0 0`, borderTop: `1px solid ${tokens.colorNeutralStroke2}`, paddingTop: tokens.spacingVerticalM },
  groupName: { margin: 0, fontSize: tokens.fontSizeBase300, lineHeight: tokens.lineHeightBase300, fontWeight: tokens.fontWeightSemibold },
  list: { columnWidth: '290px', columnGap: tokens.spacingHorizontalXL, margin: `${tokens.spacingVerticalS} 0 0`, paddingLeft: '20px' },
  go: { display: 'flex', flexWrap: 'wrap', gap: tokens.spacingHorizontalM, alignItems: 'center' },
});

export function ConnectPage() {
  return (
    <Need permission="connections.read" page={words.title}>
      <Page title={words.title} state={words.state}>
        <Loaded query={useQuery(optionsQuery)} permission="connections.read">
          {(options) => <Guide options={options} />}
        </Loaded>
      </Page>
    </Need>
  );
}

export interface Target {
  kind: ConnectionKind;
  directory: string;
  label: string;
}

function Guide({ options }: { options: ConnectionOptions }) {
  const styles = useStyles();
  const search = useSearch();
  const set = useSetSearch();
  const [label, setLabel] = useState('');
  const kind = known(m.connectionKinds, search.kind) ?? 'read';
  const offer = options.offers.find((each) => each.kind === kind);
  const ours = offer?.client_id ? search.app !== 'own' : false;
  const directory = (search.to ?? search.directory ?? '').trim().toLowerCase();
  const target: Target = { kind, directory, label };
  return (
    <div className={styles.body}>
      <Section title={words.what}>
        <RadioGroup aria-label={words.what} value={kind} onChange={(_, data) => set({ kind: data.value === 'read' ? undefined : data.value }, 'replace')}>
          {options.offers.map((each) => (
            <Radio key={each.kind} value={each.kind} label={words.kinds[each.kind]} />
          ))}
        </RadioGroup>
        <Note>{words.kindNotes[kind]}</Note>
      </Section>
      <Section title={words.app}>
        <RadioGroup aria-label={words.app} value={ours ? 'ours' : 'own'} onChange={(_, data) => set({ app: data.value === 'own' ? 'own' : undefined }, 'replace')}>
          <Radio value="ours" label={words.ours} disabled={!offer?.client_id} />
          <Radio value="own" label={words.own} />
        </RadioGroup>
        <Note>{!offer?.client_id ? words.noOurs : ours ? words.oursNote : words.ownNote}</Note>
      </Section>
      <Section title={words.where}>
        <div className={styles.fields}>
          <Where directory={directory} />
          <Field label={words.label} hint={words.labelHint}>
            <Input value={label} maxLength={120} onChange={(_, data) => setLabel(data.value)} />
          </Field>
        </div>
      </Section>
      {offer && <Asked offer={offer} />}
      {ours ? <Begin target={target} /> : <OwnApplication options={options} offer={offer} target={target} />}
    </div>
  );
}

/** One of the directories that are known here, or another by its id. What is chosen is in the address. */
function Where({ directory }: { directory: string }) {
  const set = useSetSearch();
  const items = useQuery({ ...directoriesQuery, enabled: useMay('directories.read') }).data?.items ?? [];
  const [other, setOther] = useState(false);
  const listed = other ? undefined : items.find((each) => each.id === directory);
  const bad = directory !== '' && !GUID.test(directory);
  const typed = other || listed === undefined;
  return (
    <>
      {items.length > 0 && (
        <Field label={words.directory}>
          <Dropdown
            value={listed?.name ?? words.another} selectedOptions={[listed?.id ?? '']}
            onOptionSelect={(_, data) => {
              setOther(data.optionValue === '');
              set({ to: data.optionValue || undefined }, 'replace');
            }}
          >
            {items.map((each) => (
              <Option key={each.id} value={each.id}>
                {each.name}
              </Option>
            ))}
            <Option value="">{words.another}</Option>
          </Dropdown>
        </Field>
      )}
      {typed && (
        <Field label={words.id} required hint={words.idHint} validationMessage={bad ? words.badId : undefined}>
          <Input
            value={directory} autoComplete="off" spellCheck={false}
            onChange={(_, data) => {
              setOther(true);
              set({ to: data.value.trim() || undefined }, 'replace');
            }}
          />
        </Field>
      )}
    </>
  );
}

/** Every permission that is asked for, under each feature that needs it, with the reason. */
function Asked({ offer }: { offer: ConnectionOffer }) {
  const styles = useStyles();
  return (
    <Section title={words.asked} note={words.askedNote(offer.permissions.length)}>
      <Note>{offer.permissions.length === 0 ? words.none : words.all}</Note>
      {byFeature(offer).map(({ feature, permissions }) => (
        <div key={feature} className={styles.group}>
          <h3 className={styles.groupName}>{m.features[feature]}</h3>
          <Note>{m.featureReasons[feature]}</Note>
          <ul className={styles.list} aria-label={m.features[feature]}>
            {permissions.map((permission) => (
              <li key={permission}>
                <Mono>{permission}</Mono>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </Section>
  );
}

function Begin({ target }: { target: Target }) {
  const styles = useStyles();
  const whyNot = useWhyNot('connections.manage');
  const [leaving, setLeaving] = useState(false);
  const begin = useChange({
    run: () => unwrap(api.POST('/api/v1/consents', { body: { kind: target.kind, directory: target.directory, label: target.label.trim() || null } })),
    name: words.begin, touches: [],
    then: (consent) => {
      setLeaving(true);
      location.assign(consent.url);
    },
  });
  return (
    <div className={styles.go}>
      <Action
        appearance="primary" icon={<Open16Regular />} whyNot={whyNot ?? (GUID.test(target.directory) ? undefined : words.idFirst)} disabledFocusable={begin.isPending || leaving} onClick={() => begin.mutate(undefined)}
      >
        {leaving ? words.going : words.go}
      </Action>
      <Note>{words.goNote}</Note>
    </div>
  );
}
