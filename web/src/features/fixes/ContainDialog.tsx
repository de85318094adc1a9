// Containing a person at risk: two measures, each by itself, and a reason. Nothing is chosen beforehand.
import { Checkbox, Field, makeStyles, Textarea } from '@fluentui/react-components';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, unwrap } from '@/api/client';
import { useMay, useWhyNot } from '@/api/me';
import type { Containment, DirectoryId, RiskyUser } from '@/api/schema';
import { usePages } from '@/api/usePages';
import { f } from '@/messages/fixes';
import { paths } from '@/paths';
import { Action } from '@/shared/Action';
import { FormDialog } from '@/shared/Confirm';
import { AppLink, useGo } from '@/shared/location';
import { Note } from '@/shared/States';
import { useChange } from '@/shared/useChange';
import { ContainmentBadge } from './badges';
import { Bar } from './PlanFixes';
import { containmentsQuery, fixSettingsQuery } from './queries';

const words = f.contain;
const useStyles = makeStyles({ measure: { display: 'grid', gridTemplateColumns: 'minmax(0, 1fr)' }, hint: { marginLeft: '40px' }, person: { overflowWrap: 'anywhere' } });

type Person = Pick<RiskyUser, 'id' | 'name' | 'principal_name'>;

/** What is in force for people of a directory, by their id: the newest containment of each that was not released. */
export function useContained(directory: DirectoryId | undefined): Map<string, Containment> {
  const { rows } = usePages({ ...containmentsQuery({ directory }), enabled: useMay('fixes.read') && directory !== undefined });
  const newest = new Map<string, Containment>();
  for (const each of rows ?? []) if (!newest.has(each.user.id)) newest.set(each.user.id, each);
  return new Map([...newest].filter(([, { state }]) => state !== 'released' && state !== 'failed'));
}

/** In a row of a person at risk: contain, or how the containment stands. */
export function ContainCell({ contained, person, onContain }: { contained: Containment | undefined; person: Person; onContain: () => void }) {
  const whyNot = useWhyNot('containment.act');
  if (contained) {
    return (
      <AppLink href={paths.fixes('contained', { item: contained.id })}>
        <ContainmentBadge state={contained.state} />
      </AppLink>
    );
  }
  return (
    <Action size="small" whyNot={whyNot} aria-label={words.named(person.name)} onClick={onContain}>
      {words.button}
    </Action>
  );
}

export function ContainDialog({ directory, person, onClose }: { directory: DirectoryId; person: Person; onClose: () => void }) {
  const styles = useStyles();
  const go = useGo();
  const [revoke, setRevoke] = useState(false);
  const [disable, setDisable] = useState(false);
  const [reason, setReason] = useState('');
  const settings = useQuery({ ...fixSettingsQuery(directory), enabled: useMay('fixes.read') }).data;
  const contain = useChange({
    run: () => unwrap(api.POST('/api/v1/containments', { body: { directory, user: person.id, revoke_sessions: revoke, disable, reason: reason.trim() } })),
    name: words.title(person.name), done: words.done(person.name), touches: ['list_containments'],
    then: (containment) => {
      onClose();
      go(paths.fixes('contained', { item: containment.id }));
    },
  });
  const off = settings && (!settings.entitled.containment ? f.plan.notEntitled : !settings.settings.containment ? words.off : undefined);
  const good = (revoke || disable) && reason.trim() !== '' && off === undefined;
  return (
    <FormDialog title={words.title(person.name)} verb={words.verb} busy={contain.isPending || !good} onSubmit={() => contain.mutate(undefined)} onClose={onClose}>
      <span className={styles.person}>
        {person.principal_name} <Note>{words.lead}</Note>
      </span>
      {off && <Bar text={off} href={settings?.entitled.containment ? paths.fixes('settings', { of: directory }) : undefined} link={f.plan.settings} />}
      <div role="group" aria-label={words.measures}>
        <Measure label={words.revoke} hint={words.revokeHint} checked={revoke} onChange={setRevoke} />
        <Measure label={words.disable} hint={words.disableHint} checked={disable} onChange={setDisable} />
      </div>
      <Field label={words.reason} hint={words.reasonHint} required>
        <Textarea value={reason} maxLength={1000} rows={2} resize="vertical" onChange={(_, data) => setReason(data.value)} />
      </Field>
      <Note>{!revoke && !disable ? words.choose : reason.trim() === '' ? words.reasonNeeded : ''}</Note>
    </FormDialog>
  );
}

function Measure({ label, hint, checked, onChange }: { label: string; hint: string; checked: boolean; onChange: (on: boolean) => void }) {
  const styles = useStyles();
  return (
    <div className={styles.measure}>
      <Checkbox label={label} checked={checked} onChange={(_, data) => onChange(data.checked === true)} />
      <div className={styles.hint}>
        <Note>{hint}</Note>
      </div>
    </div>
  );
}
