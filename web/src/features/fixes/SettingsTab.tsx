// The rules of one directory: whether fixes are sent to it at all, who has to approve, when, and whether people may be contained.
import { Checkbox, Dropdown, Field, Input, makeStyles, Option, Switch, tokens } from '@fluentui/react-components';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, unwrap } from '@/api/client';
import { useWhyNot } from '@/api/me';
import type { ChangeWindow, FixSettings, FixSettingsOfDirectory } from '@/api/schema';
import { ConnectButton } from '@/features/connections/DirectoriesPage';
import { f } from '@/messages/fixes';
import { paths } from '@/paths';
import { Action } from '@/shared/Action';
import { Facts } from '@/shared/Facts';
import { AppLink, useSearch, useSetSearch } from '@/shared/location';
import { Section } from '@/shared/Page';
import { EmptyState, Loaded, Note } from '@/shared/States';
import { Time } from '@/shared/Time';
import { useChange } from '@/shared/useChange';
import { ZoneField, zoneHere } from '@/shared/ZoneField';
import { same } from './difference';
import { Bar, useDirectories } from './PlanFixes';
import { fixSettingsQuery } from './queries';
import { DAYS, overnight, windowProblem, windowText } from './window';

const words = f.settings;
const useStyles = makeStyles({
  form: { display: 'grid', gap: tokens.spacingVerticalL, gridTemplateColumns: 'minmax(0, 720px)' },
  pick: { maxWidth: '420px' },
  group: { display: 'grid', gap: tokens.spacingVerticalXS, gridTemplateColumns: 'minmax(0, 1fr)' },
  hint: { marginLeft: '60px' },
  window: { display: 'grid', gap: tokens.spacingVerticalM, gridTemplateColumns: 'minmax(0, 1fr)', paddingLeft: tokens.spacingHorizontalL, borderLeft: `2px solid ${tokens.colorNeutralStroke1}` },
  days: { display: 'flex', flexWrap: 'wrap', gap: `0 ${tokens.spacingHorizontalM}` },
  times: { display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(150px, 100%), 1fr))', gap: tokens.spacingHorizontalM, alignItems: 'start' },
  foot: { display: 'flex', flexWrap: 'wrap', gap: tokens.spacingHorizontalM, alignItems: 'center' },
});

export function SettingsTab() {
  const styles = useStyles();
  const search = useSearch();
  const set = useSetSearch();
  const directories = useDirectories();
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
      <Loaded query={useQuery(fixSettingsQuery(directory.id))} permission="fixes.read">
        {(settings) => <Form key={`${settings.directory} ${settings.changed_at ?? ''}`} of={settings} />}
      </Loaded>
    </Section>
  );
}

/** Weekday nights, where nothing was chosen yet. */
const firstWindow = (): ChangeWindow => ({ days: ['mon', 'tue', 'wed', 'thu'], from: '22:00', until: '04:00', time_zone: zoneHere() });

function Form({ of: { directory, settings, entitled, writer, opens_at, changed_at, changed_by } }: { of: FixSettingsOfDirectory }) {
  const styles = useStyles();
  const missing = useWhyNot('fixes.manage');
  const [draft, setDraft] = useState<FixSettings>(settings);
  const put = (change: Partial<FixSettings>) => setDraft({ ...draft, ...change });
  const problem = draft.window ? windowProblem(draft.window) : undefined;
  const whyNot = missing ?? problem ?? (same(draft, settings) ? words.noChange : undefined);
  const save = useChange({
    run: () => unwrap(api.PUT('/api/v1/fix-settings/{directory}', { params: { path: { directory } }, body: draft })),
    name: words.title, done: words.saved, touches: ['get_fix_settings', 'list_fixes', 'get_fix'],
  });
  const readOnly = missing !== undefined;
  return (
    <form
      className={styles.form}
      style={{ marginTop: 16 }}
      onSubmit={(event) => {
        event.preventDefault();
        if (whyNot === undefined && !save.isPending) save.mutate(undefined);
      }}
    >
      {!entitled.fixes && <Bar text={f.plan.notEntitled} />}
      <Toggle label={words.enabled} hint={words.enabledHint} checked={draft.enabled} disabled={readOnly || !entitled.fixes} onChange={(enabled) => put({ enabled })} />
      <Toggle label={words.second} hint={words.secondHint} checked={draft.second_approver ?? false} disabled={readOnly} onChange={(second_approver) => put({ second_approver })} />
      <div className={styles.group}>
        <Toggle label={words.useWindow} hint={draft.window ? undefined : words.always} checked={draft.window != null} disabled={readOnly} onChange={(on) => put({ window: on ? firstWindow() : undefined })} />
        {draft.window && <WindowFields window={draft.window} readOnly={readOnly} problem={problem} onChange={(window) => put({ window })} />}
      </div>
      <Toggle label={words.containment} hint={entitled.containment ? words.containmentHint : f.plan.notEntitled} checked={draft.containment ?? false} disabled={readOnly || !entitled.containment} onChange={(containment) => put({ containment })} />
      <div className={styles.foot}>
        <Action type="submit" appearance="primary" whyNot={whyNot} disabledFocusable={save.isPending}>
          {words.save}
        </Action>
        <Note>{changed_at ? <>{words.changed} <Time at={changed_at} />{changed_by && `, ${changed_by.name}`}</> : words.never}</Note>
      </div>
      <Facts
        facts={[
          [words.writer, writer ? <AppLink key="writer" href={paths.directories({ item: writer })}>{words.writerOpen}</AppLink> : <span key="writer">{words.noWriter} <AppLink inline href={paths.connect({ kind: 'write', to: directory })}>{words.connect}</AppLink></span>],
          [words.opens, opens_at && <Time key="opens" at={opens_at} />],
        ]}
      />
    </form>
  );
}

function Toggle({ label, hint, checked, disabled, onChange }: { label: string; hint?: string; checked: boolean; disabled: boolean; onChange: (on: boolean) => void }) {
  const styles = useStyles();
  return (
    <div>
      <Switch label={label} checked={checked} disabled={disabled} onChange={(_, data) => onChange(data.checked)} />
      {hint && (
        <div className={styles.hint}>
          <Note>{hint}</Note>
        </div>
      )}
    </div>
  );
}

interface WindowProps {
  window: ChangeWindow;
  readOnly: boolean;
  problem: string | undefined;
  onChange: (window: ChangeWindow) => void;
}

function WindowFields({ window, readOnly, problem, onChange }: WindowProps) {
  const styles = useStyles();
  return (
    <div className={styles.window} role="group" aria-label={words.weekWindow}>
      <div role="group" aria-label={words.windowDays} className={styles.days}>
        {DAYS.map((day) => (
          <Checkbox
            key={day} label={f.window.days[day]} checked={window.days.includes(day)} disabled={readOnly}
            onChange={(_, data) => onChange({ ...window, days: DAYS.filter((each) => (each === day ? data.checked === true : window.days.includes(each))) })}
          />
        ))}
      </div>
      <div className={styles.times}>
        <Field label={words.from}>
          <Input type="time" value={window.from} readOnly={readOnly} onChange={(_, data) => onChange({ ...window, from: data.value })} />
        </Field>
        <Field label={words.until} hint={overnight(window) ? f.window.nextDay : undefined}>
          <Input type="time" value={window.until} readOnly={readOnly} onChange={(_, data) => onChange({ ...window, until: data.value })} />
        </Field>
      </div>
      {!readOnly && <ZoneField label={words.zone} bad={words.badZone} zone={window.time_zone} onChange={(time_zone) => onChange({ ...window, time_zone })} />}
      <div role="status">{problem ?? windowText(window)}</div>
    </div>
  );
}
