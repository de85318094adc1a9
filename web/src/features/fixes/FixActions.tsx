// What a person can do with one fix. Each act asks first, names what it does, and is bound to the fix as it was shown then.
import { Checkbox, Field, Input, makeStyles, Radio, RadioGroup, Textarea, tokens } from '@fluentui/react-components';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, unwrap } from '@/api/client';
import { useMe, useWhyNot } from '@/api/me';
import { changed } from '@/api/queries';
import type { Fix } from '@/api/schema';
import { f } from '@/messages/fixes';
import { paths } from '@/paths';
import { Action } from '@/shared/Action';
import { FormDialog } from '@/shared/Confirm';
import { Mono } from '@/shared/Facts';
import { exactTime } from '@/shared/format';
import { useGo } from '@/shared/location';
import { Note } from '@/shared/States';
import { useChange } from '@/shared/useChange';
import { type Act, actsOf, heldBack, NEEDS, nextAct } from './acts';
import { Difference } from './Difference';
import { membersOf, reversed } from './difference';
import { titleOf } from './groups';
import { usePlanning } from './usePlanning';

const words = f.act;

const useStyles = makeStyles({
  actions: { display: 'flex', flexWrap: 'wrap', gap: tokens.spacingHorizontalS },
  shown: { maxHeight: '42vh', overflowY: 'auto', padding: tokens.spacingHorizontalXS },
  small: { fontSize: tokens.fontSizeBase200, color: tokens.colorNeutralForeground3, overflowWrap: 'anywhere' },
});

const labelOf = (fix: Fix, act: Act): string =>
  ({ approve: words.approve, apply: fix.state === 'failed' ? words.applyAgain : words.apply, roll_back: words.rollBack, withdraw: fix.approvals.length > 0 ? words.withdraw : words.dismiss, replan: words.replan })[act];

export function FixActions({ fix }: { fix: Fix }) {
  const styles = useStyles();
  const { permissions } = useMe();
  // Frozen when it is opened: what a person reads in the dialog is what the digest stands for, whatever happens meanwhile.
  const [open, setOpen] = useState<{ act: Act; fix: Fix }>();
  const close = () => setOpen(undefined);
  const next = nextAct(fix, (act) => permissions.includes(NEEDS[act]));
  const acts = actsOf(fix.state);
  if (acts.length === 0) return null;
  return (
    <div className={styles.actions}>
      {acts.map((act) => (act === 'replan' ? <Replan key={act} fix={fix} primary={act === next} /> : <Act key={act} fix={fix} act={act} primary={act === next} onOpen={() => setOpen({ act, fix })} />))}
      {open?.act === 'approve' && <ApproveDialog fix={open.fix} onClose={close} />}
      {open?.act === 'apply' && <ApplyDialog fix={open.fix} onClose={close} />}
      {open?.act === 'withdraw' && <WithdrawDialog fix={open.fix} onClose={close} />}
      {open?.act === 'roll_back' && <RollBackDialog fix={open.fix} onClose={close} />}
    </div>
  );
}

function Act({ fix, act, primary, onOpen }: { fix: Fix; act: Act; primary: boolean; onOpen: () => void }) {
  const missing = useWhyNot(NEEDS[act]);
  return (
    <Action size="small" appearance={primary ? 'primary' : 'secondary'} whyNot={missing ?? heldBack(fix.may, act)} onClick={onOpen}>
      {labelOf(fix, act)}
    </Action>
  );
}

/** A newer plan of the same recipe, and to its fix for the same object. */
function Replan({ fix, primary }: { fix: Fix; primary: boolean }) {
  const go = useGo();
  const missing = useWhyNot(NEEDS.replan);
  const planning = usePlanning((plan) => go(paths.fixes('list', { plan: plan.id, item: (plan.fixes.find((each) => each.object?.id === fix.object?.id) ?? plan.fixes[0])?.id })));
  return (
    <Action size="small" appearance={primary ? 'primary' : 'secondary'} whyNot={missing} disabledFocusable={planning.isPending} onClick={() => planning.mutate({ directory: fix.directory.id, recipes: [fix.recipe.id] })}>
      {words.replan}
    </Action>
  );
}

/** A change to one fix. When it is refused because the fix moved on, the panel shows it as it is now. */
function useFixChange<In>(name: string, done: string, run: (input: In) => Promise<Fix>, onClose: () => void) {
  const client = useQueryClient();
  return useChange({
    run: (input: In) =>
      run(input).catch((error: unknown) => {
        changed(client, 'get_fix', 'list_fixes');
        throw error;
      }),
    name, done, touches: ['get_fix', 'list_fixes', 'get_fix_plan'],
    then: (fix) => {
      client.setQueryData(['get_fix', fix.id], fix);
      onClose();
    },
  });
}

interface DialogProps {
  fix: Fix;
  onClose: () => void;
}

function Shown({ fix, back }: { fix: Fix; back?: boolean }) {
  const styles = useStyles();
  const members = membersOf(fix);
  return (
    <>
      <strong>
        {titleOf(fix)}, {fix.directory.name}
      </strong>
      <div className={styles.shown} tabIndex={0} role="group" aria-label={f.panel.what}>
        <Difference members={back ? reversed(members) : members} names={{ from: f.panel.now, to: f.panel.becomes }} open={fix.recipe.kind === 'enforce'} />
      </div>
    </>
  );
}

function ApproveDialog({ fix, onClose }: DialogProps) {
  const styles = useStyles();
  const [note, setNote] = useState('');
  const approve = useFixChange(
    words.approveTitle, words.approved,
    (_: undefined) => unwrap(api.POST('/api/v1/fixes/{fix}/approve', { params: { path: { fix: fix.id } }, body: { digest: fix.digest, note: note.trim() || null } })), onClose,
  );
  return (
    <FormDialog title={words.approveTitle} verb={words.approve} busy={approve.isPending} onSubmit={() => approve.mutate(undefined)} onClose={onClose}>
      <span>{words.approveLead}</span>
      <Shown fix={fix} />
      <span>{fix.blast_radius}</span>
      <Field label={words.note} hint={words.noteHint}>
        <Textarea value={note} maxLength={1000} rows={2} resize="vertical" onChange={(_, data) => setNote(data.value)} />
      </Field>
      <span className={styles.small}>{words.digest(fix.digest)}</span>
    </FormDialog>
  );
}

function ApplyDialog({ fix, onClose }: DialogProps) {
  const [when, setWhen] = useState<'now' | 'later'>('now');
  const [at, setAt] = useState('');
  const [understood, setUnderstood] = useState(fix.risk !== 'high');
  const time = at === '' ? NaN : new Date(at).getTime();
  const good = when === 'now' || time > Date.now();
  const waits = when === 'later' || fix.opens_at !== undefined;
  const apply = useFixChange(
    words.applyTitle, waits ? words.scheduled : words.ordered,
    (_: undefined) => unwrap(api.POST('/api/v1/fixes/{fix}/apply', { params: { path: { fix: fix.id } }, body: { digest: fix.digest, at: when === 'later' ? new Date(time).toISOString() : null } })), onClose,
  );
  return (
    <FormDialog title={words.applyTitle} verb={waits ? words.schedule : words.applyNow} busy={apply.isPending || !good || !understood} onSubmit={() => apply.mutate(undefined)} onClose={onClose}>
      <span>{words.applyLead}</span>
      <Shown fix={fix} />
      <span>
        <Mono>
          {fix.request.method} {fix.request.url}
        </Mono>
      </span>
      <span>{fix.blast_radius}</span>
      {fix.report_only && <Note>{f.panel.reportOnly}</Note>}
      <Field label={words.when}>
        <RadioGroup layout="horizontal" value={when} onChange={(_, data) => setWhen(data.value === 'later' ? 'later' : 'now')}>
          <Radio value="now" label={words.now} />
          <Radio value="later" label={words.later} />
        </RadioGroup>
      </Field>
      {when === 'later' && (
        <Field label={words.at} hint={words.atHint} validationMessage={at !== '' && !good ? words.past : undefined}>
          <Input type="datetime-local" value={at} onChange={(_, data) => setAt(data.value)} />
        </Field>
      )}
      {fix.opens_at && <Note>{words.outside} {words.opens(exactTime(fix.opens_at))}</Note>}
      {fix.risk === 'high' && <Checkbox checked={understood} onChange={(_, data) => setUnderstood(data.checked === true)} label={words.understood} />}
    </FormDialog>
  );
}

function WithdrawDialog({ fix, onClose }: DialogProps) {
  const [note, setNote] = useState('');
  const own = fix.approvals.length > 0;
  const withdraw = useFixChange(
    own ? words.withdrawTitle : words.dismissTitle, own ? words.withdrawn : words.dismissed,
    (_: undefined) => unwrap(api.POST('/api/v1/fixes/{fix}/withdraw', { params: { path: { fix: fix.id } }, body: { note: note.trim() || null } })), onClose,
  );
  return (
    <FormDialog title={own ? words.withdrawTitle : words.dismissTitle} verb={own ? words.withdraw : words.dismiss} busy={withdraw.isPending} onSubmit={() => withdraw.mutate(undefined)} onClose={onClose}>
      <strong>{titleOf(fix)}</strong>
      <span>{own ? words.withdrawBody : words.dismissBody}</span>
      <Field label={words.note} hint={words.noteHint}>
        <Textarea value={note} maxLength={1000} rows={2} resize="vertical" onChange={(_, data) => setNote(data.value)} />
      </Field>
    </FormDialog>
  );
}

function RollBackDialog({ fix, onClose }: DialogProps) {
  const rollBack = useFixChange(
    words.rollBackTitle, words.rollingBack,
    (_: undefined) => unwrap(api.POST('/api/v1/fixes/{fix}/roll-back', { params: { path: { fix: fix.id } }, body: { digest: fix.digest } })), onClose,
  );
  return (
    <FormDialog title={words.rollBackTitle} verb={words.rollBack} busy={rollBack.isPending} onSubmit={() => rollBack.mutate(undefined)} onClose={onClose}>
      <span>{words.rollBackLead}</span>
      <Shown fix={fix} back />
      <span>{fix.rollback}</span>
      <Note>{words.rollBackNote}</Note>
    </FormDialog>
  );
}
