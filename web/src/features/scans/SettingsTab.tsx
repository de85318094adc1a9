// What scans of one directory are told: emergency accounts, what may be left out, thresholds, and which packs judge with them.
import { Dropdown, Field, makeStyles, Option, Textarea, tokens } from '@fluentui/react-components';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, unwrap } from '@/api/client';
import { useWhyNot } from '@/api/me';
import type { Pack, ScanSettings, SettingsOfDirectory } from '@/api/schema';
import { ConnectButton } from '@/features/connections/DirectoriesPage';
import { m } from '@/messages/microsoft365';
import { Action } from '@/shared/Action';
import { useSearch, useSetSearch } from '@/shared/location';
import { Section } from '@/shared/Page';
import { EmptyState, Loaded, Note } from '@/shared/States';
import { Time } from '@/shared/Time';
import { useChange } from '@/shared/useChange';
import { readIds, readJson, readLists, readParameters, writeLists, writeParameters } from './lines';
import { packsQuery, scanSettingsQuery } from './queries';
import { useReaders } from './StartScan';

const words = m.settings;
const useStyles = makeStyles({
  form: { display: 'grid', gap: tokens.spacingVerticalL, gridTemplateColumns: 'minmax(0, 720px)' },
  mono: { fontFamily: tokens.fontFamilyMonospace, fontSize: tokens.fontSizeBase200 },
  pick: { maxWidth: '420px' },
  packs: { display: 'grid', gap: tokens.spacingVerticalS, gridTemplateColumns: 'repeat(auto-fill, minmax(min(260px, 100%), 1fr))' },
  foot: { display: 'flex', flexWrap: 'wrap', gap: tokens.spacingHorizontalM, alignItems: 'center' },
});

export function SettingsTab() {
  const styles = useStyles();
  const search = useSearch();
  const set = useSetSearch();
  const directories = [...new Map(useReaders().map((each) => [each.directory.id, each.directory])).values()];
  const directory = directories.find((each) => each.id === (search.of ?? search.directory)) ?? directories[0];
  if (!directory) return <EmptyState title={words.none} action={<ConnectButton />} />;
  return (
    <Section title={words.title} note={directory.name}>
      <div className={styles.form}>
        <Note>{words.lead}</Note>
        <Field label={words.directory} className={styles.pick}>
          <Dropdown value={directory.name} selectedOptions={[directory.id]} onOptionSelect={(_, data) => set({ of: data.optionValue }, 'replace')}>
            {directories.map((each) => (
              <Option key={each.id} value={each.id}>
                {each.name}
              </Option>
            ))}
          </Dropdown>
        </Field>
      </div>
      <Loaded query={useQuery(scanSettingsQuery(directory.id))} permission="scans.read">
        {(settings) => <Form key={`${settings.directory} ${settings.changed_at ?? ''}`} of={settings} />}
      </Loaded>
    </Section>
  );
}

/** The settings as they stand in the fields: text, until they are saved. */
interface Draft {
  accounts: string;
  groups: string;
  exclusions: string;
  entities: string;
  parameters: string;
  scuba: string;
  packs: Record<string, string>;
}

function draftOf(settings: ScanSettings): Draft {
  return {
    accounts: settings.emergency_accounts.join('\n'), groups: settings.emergency_groups.join('\n'), exclusions: writeLists(settings.accepted_exclusions), entities: writeLists(settings.accepted_entities),
    parameters: writeParameters(settings.parameters), scuba: settings.scuba_config === null || settings.scuba_config === undefined ? '' : JSON.stringify(settings.scuba_config, null, 2), packs: settings.packs,
  };
}

function Form({ of: { directory, settings, changed_at } }: { of: SettingsOfDirectory }) {
  const styles = useStyles();
  const missing = useWhyNot('scans.manage');
  const [draft, setDraft] = useState(() => draftOf(settings));
  const put = (change: Partial<Draft>) => setDraft({ ...draft, ...change });
  const accounts = readIds(draft.accounts);
  const groups = readIds(draft.groups);
  const exclusions = readLists(draft.exclusions);
  const entities = readLists(draft.entities);
  const parameters = readParameters(draft.parameters);
  const scuba = readJson(draft.scuba);
  const wrong = [accounts, groups, exclusions, entities, parameters, scuba].some((each) => each.bad !== undefined);
  const same = JSON.stringify(draft) === JSON.stringify(draftOf(settings));
  const body: ScanSettings = {
    emergency_accounts: accounts.value, emergency_groups: groups.value, accepted_exclusions: exclusions.value, accepted_entities: entities.value, parameters: parameters.value, packs: draft.packs, scuba_config: scuba.value,
  };
  const save = useChange({
    run: () => unwrap(api.PUT('/api/v1/scan-settings/{directory}', { params: { path: { directory } }, body })),
    name: words.title, done: words.saved, touches: ['get_scan_settings'],
  });
  const whyNot = missing ?? (wrong ? words.fix : same ? words.noChange : undefined);
  const lines = (label: string, hint: string, key: keyof Draft & ('accounts' | 'groups' | 'exclusions' | 'entities' | 'parameters'), bad: string | undefined, say: (line: string) => string, rows: number) => (
    <Field label={label} hint={hint} validationMessage={bad === undefined ? undefined : say(bad)}>
      <Textarea value={draft[key]} rows={rows} spellCheck={false} resize="vertical" readOnly={missing !== undefined} textarea={{ className: styles.mono }} onChange={(_, data) => put({ [key]: data.value })} />
    </Field>
  );
  return (
    <form
      className={styles.form}
      style={{ marginTop: 16 }}
      onSubmit={(event) => {
        event.preventDefault();
        if (whyNot === undefined && !save.isPending) save.mutate(undefined);
      }}
    >
      {lines(words.accounts, words.accountsHint, 'accounts', accounts.bad, words.badId, 3)}
      {lines(words.groups, words.groupsHint, 'groups', groups.bad, words.badId, 2)}
      {lines(words.exclusions, words.exclusionsHint, 'exclusions', exclusions.bad, words.badLine, 3)}
      {lines(words.entities, words.entitiesHint, 'entities', entities.bad, words.badLine, 3)}
      {lines(words.parameters, words.parametersHint, 'parameters', parameters.bad, words.badLine, 3)}
      <Packs chosen={draft.packs} onChange={(packs) => put({ packs })} />
      <Field label={words.scuba} validationMessage={scuba.bad === undefined ? undefined : words.badJson}>
        <Textarea value={draft.scuba} rows={4} spellCheck={false} resize="vertical" readOnly={missing !== undefined} textarea={{ className: styles.mono }} onChange={(_, data) => put({ scuba: data.value })} />
      </Field>
      <div className={styles.foot}>
        <Action type="submit" appearance="primary" whyNot={whyNot} disabledFocusable={save.isPending}>
          {words.save}
        </Action>
        <Note>{changed_at ? <>{words.changedAt} <Time at={changed_at} /></> : words.never}</Note>
      </div>
    </form>
  );
}

/** One drop-down a pack: which of its versions judges, or none. */
function Packs({ chosen, onChange }: { chosen: Record<string, string>; onChange: (packs: Record<string, string>) => void }) {
  const styles = useStyles();
  const packs = useQuery(packsQuery).data?.items ?? [];
  const versions = new Map<string, string[]>(Object.entries(chosen).map(([name, version]) => [name, [version]]));
  for (const { name, version } of packs as Pack[]) versions.set(name, [...new Set([...(versions.get(name) ?? []), version])]);
  const pick = (name: string, version: string | undefined) => {
    const { [name]: _, ...rest } = chosen;
    onChange(version ? { ...rest, [name]: version } : rest);
  };
  return (
    <div role="group" aria-label={words.packs}>
      <div>{words.packs}</div>
      {versions.size === 0 ? (
        <Note>{words.noPacks}</Note>
      ) : (
        <div className={styles.packs}>
          {[...versions].map(([name, all]) => (
            <Field key={name} label={name}>
              <Dropdown value={chosen[name] ?? words.notUsed} selectedOptions={[chosen[name] ?? '']} onOptionSelect={(_, data) => pick(name, data.optionValue)} style={{ minWidth: 0 }}>
                <Option value="">{words.notUsed}</Option>
                {all.map((version) => (
                  <Option key={version} value={version}>
                    {version}
                  </Option>
                ))}
              </Dropdown>
            </Field>
          ))}
        </div>
      )}
    </div>
  );
}
