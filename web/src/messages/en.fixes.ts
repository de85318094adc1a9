// Every word of Fixes and of contained people that does not come from the server.
import type { ActState, ChangeWindow, ContainmentAct, ContainmentState, FixFailureCode, FixKind, FixRisk, FixState, StepPurpose } from '@/api/schema';
import type { Group } from '@/features/fixes/groups';
import type { Stage, Turn as StageTurn } from '@/features/fixes/stages';
import { en } from './en';

const { count } = en;

const states: Record<FixState, string> = {
  proposed: 'Proposed', awaiting_second: 'Awaiting second', approved: 'Approved', scheduled: 'Scheduled', applying: 'Applying', applied: 'Applied', stopped: 'Stopped', failed: 'Failed', rolling_back: 'Rolling back',
  rolled_back: 'Rolled back', rollback_failed: 'Roll back failed', dismissed: 'Dismissed', superseded: 'Superseded',
};
const groups: Record<Group, string> = {
  underway: 'Under way', attention: 'Needs attention', ready: 'Approved', waiting: 'Waits for approval', done: 'Done', aside: 'Set aside',
};
const risks: Record<FixRisk, string> = { low: 'Low risk', medium: 'Medium risk', high: 'High risk' };
const kinds: Record<FixKind, string> = { patch: 'Changes a setting', create: 'Adds a policy', enforce: 'Enforces a policy' };
const stages: Record<Stage, string> = { read: 'Read again', write: 'Write', reread: 'Read back' };
const stageTurns: Record<StageTurn, string> = { waiting: 'Waiting', busy: 'Under way', done: 'Done', bad: 'Stopped here', none: 'Not reached' };
const containmentStates: Record<ContainmentState, string> = {
  acting: 'Under way', contained: 'Contained', partly: 'Partly contained', failed: 'Failed', releasing: 'Releasing', released: 'Released', release_failed: 'Release failed',
};
const acts: Record<ContainmentAct, string> = { revoke_sessions: 'Sign out everywhere', disable: 'Disable the account', release: 'Enable the account again' };
const actStates: Record<ActState, string> = { waiting: 'Under way', done: 'Done', failed: 'Failed' };
const purposes: Record<StepPurpose, string> = { apply: 'Apply', roll_back: 'Roll back', contain: 'Contain', release: 'Release' };
const failures: Record<FixFailureCode, string> = {
  changed: 'The setting is not as it was reviewed', not_kept: 'Microsoft said yes, and the setting did not change', not_sent: 'No answer came, and nothing changed there', not_read: 'It could not be read back', connection_refused: 'Microsoft refused the connection',
  permission_missing: 'A permission is missing', refused: 'Microsoft refused the change', throttled: 'Microsoft asks to slow down', unreachable: 'Microsoft does not answer', not_connected: 'No connection writes to the directory', off: 'It was turned off meanwhile',
  not_entitled: 'It is not part of what this tenant has', not_approved: 'The approvals do not fit', internal: 'Something broke inside Bailiwick',
};
const days: Record<ChangeWindow['days'][number], string> = { mon: 'Monday', tue: 'Tuesday', wed: 'Wednesday', thu: 'Thursday', fri: 'Friday', sat: 'Saturday', sun: 'Sunday' };

export const fixes = {
  states, groups, risks, kinds, containmentStates, acts, actStates, purposes, failures,

  title: 'Fixes', state: 'Each change is proposed, approved by people, sent once, and read back.', tabs: 'Fix sections', tab: { list: 'Fixes', contained: 'Contained people', recipes: 'What may be written', settings: 'Settings' },
  waits: (approval: number, ready: number, attention: number) =>
    [approval ? `${count(approval, 'fix', 'fixes')} ${approval === 1 ? 'waits' : 'wait'} for approval` : '', ready ? `${count(ready, 'is', 'are')} ready to apply` : '', attention ? `${attention === 1 ? '1 needs' : `${attention.toLocaleString('en')} need`} attention` : '']
      .filter(Boolean).join(', ') || 'No fix waits for anybody',

  waitsOn: (k: number, more: boolean) => `${more ? 'More than ' : ''}${count(k, 'fix', 'fixes')} ${k === 1 ? 'waits' : 'wait'} for approval`,

  list: {
    table: 'Fixes', fix: 'Fix', state: 'State', severity: 'Severity', risk: 'Risk', directory: 'Directory', object: 'Object', checks: 'Checks', approvals: 'Approvals', changed: 'Planned', group: 'Group by', aside: 'Set aside', asideOut: 'Left out', asideIn: 'Shown', byState: 'State', byPlan: 'Plan',
    emptyTitle: 'No fixes yet', empty: 'Plan fixes from a completed scan: Bailiwick reads each failing setting again and proposes one change for each. Planning writes nothing.', of: (a: number, b: number) => `${a} of ${b}`,
    planOf: (directory: string, at: Date) => `${directory}, planned ${at.toLocaleString('en-GB', { day: 'numeric', month: 'long', hour: '2-digit', minute: '2-digit' })}`, allPlans: 'Show all fixes', reportOnly: 'Report-only',
  },

  plan: {
    button: 'Plan fixes', forCheck: 'Plan a fix', title: 'Plan fixes', verb: 'Plan', directory: 'Directory', busy: 'Reading the directory', done: (k: number) => (k === 0 ? 'Nothing to propose.' : `${count(k, 'fix', 'fixes')} proposed.`), none: 'Connect a directory to plan fixes for it.',
    what: 'Bailiwick takes the failing checks of the newest completed scan, reads each setting as it is now, and proposes one change for each.', writes: 'Planning writes nothing to the directory. Each fix is approved by itself before it is sent.',
    off: 'Fixes are off for this directory.', notEntitled: 'Fixes are not part of what this tenant has. The operator of this environment can add them.', settings: 'Fix settings', noWriter: 'No connection writes to this directory. You can plan and approve; to apply, connect it for writing.', connect: 'Connect for writing',
    byWhom: (name: string) => `by ${name}`, openFix: 'Open the fix in hand', when: 'Planned', scan: 'Scan', proposed: 'Proposed', leftOut: 'Left out', leftOutNote: (k: number) => `${k.toLocaleString('en')} left out, each with its reason`, why: 'Why', check: 'Check or recipe', openScan: 'The scan it came from', summary: 'Plan',
    newest: 'A newer plan replaces what was proposed before and not yet approved.',
  },

  panel: {
    what: 'What changes', member: 'Setting', now: 'Now', becomes: 'Becomes', before: 'Before', after: 'After', planned: 'When planned', would: 'Was to become', adds: 'Adds', removes: 'Removes', found: 'Found', expected: 'Expected', absent: 'not set', emptyList: 'empty list', unchanged: (k: number) => `${count(k, 'setting')} beside it ${k === 1 ? 'stays as it is' : 'stay as they are'}`, entryOnly: 'only here', 
    showAll: (k: number) => (k === 1 ? 'Show all of it' : `Show all ${k.toLocaleString('en')} lines`), showLess: 'Show less', who: 'Who notices', checks: 'Checks this is for', request: 'The exact request', permission: 'Permission used', noBody: 'without a body', approvals: 'Approvals', approved: 'Approved', needs: (k: number) => (k === 1 ? 'One approval is needed.' : 'Two approvals are needed, by two people.'),
    nobody: 'Nobody has approved it yet.', given: (a: number, b: number) => `${a} of ${b} given`, digest: 'Approval binds to', digestNote: 'An approval counts for exactly this recipe, request, before and after. When any of them changes, the digest changes and the approval no longer counts.', copyDigest: 'Copy digest',
    progress: 'Progress', sent: 'What was sent and what came back', sentNone: 'Nothing was sent.', answer: 'Answer', body: 'Request', noAnswer: 'no answer', history: 'History', facts: 'Facts', recipe: 'Recipe', version: (id: string, version: number) => `${id}, version ${version}`, plan: 'Plan', openPlan: 'All fixes of this plan', directory: 'Directory',
    object: 'Object', appliedBy: 'Applied by', notBefore: 'Not before', verified: 'Verified by a scan', verifiedBy: 'The scan that saw it', notVerified: 'No scan has looked since', rollback: 'Way back', afterNote: 'Afterwards', explain: 'Explain in words', explaining: 'Asking the assistant', explanation: 'In other words', explainedBy: 'By the assistant. It cannot approve or send anything.',
    trail: 'Entries in the trail', microsoft: (code: string) => `Microsoft’s code: ${code}`, reportOnly: 'Starts in report-only: sign-ins are judged and logged, and nobody is blocked.',
  },

  bars: {
    proposed: { title: 'Proposed', body: 'Nothing was sent. Read what changes and who notices, then approve it.' }, awaiting_second: { title: 'A second person has to approve', body: 'Nothing was sent. Somebody other than the first approver decides.' },
    approved: { title: 'Approved', body: 'Nothing was sent yet. Before it is sent, the setting is read again.' }, scheduled: { title: 'Scheduled', body: 'It is sent by itself when the change window opens, if the setting is still as it was reviewed.' },
    applied: { title: 'Applied', body: 'It was sent once and read back as it should be.' }, rolled_back: { title: 'Rolled back', body: 'The setting is as it was before the fix.' }, stopped: { title: 'Stopped: the setting is not as it was reviewed', body: 'Nothing was sent. Plan again to review it as it is now.' },
    failed: { title: 'Failed', body: '' }, rollback_failed: { title: 'Roll back failed', body: '' }, dismissed: { title: 'Dismissed', body: 'It is not sent. Plan again to propose it anew.' }, superseded: { title: 'Superseded', body: 'A newer plan proposes this change anew.' },
    applying: { title: 'Applying', body: 'The setting is read again, changed, and read back.' }, rolling_back: { title: 'Rolling back', body: 'The setting is read again, put back, and read back.' },
    changedTo: 'What it is now', sentAt: (at: string) => `It is sent by itself on ${at}, if the setting is still as it was reviewed.`,
  },

  stages, stageTurns,
  spoken: (stage: string, turn: string) => `${stage}: ${turn}`,

  act: {
    approve: 'Approve', apply: 'Apply', applyAgain: 'Apply again', withdraw: 'Take approval back', dismiss: 'Dismiss', rollBack: 'Roll back', replan: 'Plan again', approved: 'Approved.', ordered: 'The fix is being applied.', scheduled: 'The fix is scheduled.', withdrawn: 'Approval taken back.', dismissed: 'Dismissed.',
    rollingBack: 'The fix is being rolled back.', note: 'Note', noteHint: 'Kept on the trail with your name.', approveTitle: 'Approve this fix', approveLead: 'You approve exactly this change, and no other:', applyTitle: 'Apply this fix', applyLead: 'This is sent to Microsoft once, and takes effect there:',
    when: 'When', now: 'Now', later: 'At a time', at: 'Date and time', atHint: 'In your time zone.', past: 'Choose a time to come.', applyNow: 'Apply now', schedule: 'Schedule', outside: 'Outside the change window it waits until the window opens.', opens: (at: string) => `It opens ${at}.`, understood: 'I know who notices this.',
    withdrawTitle: 'Take your approval back', withdrawBody: 'It is not sent until it is approved again.', dismissTitle: 'Dismiss this fix', dismissBody: 'It is not sent. The finding stays open.', rollBackTitle: 'Roll this fix back', rollBackLead: 'This is sent to Microsoft once, and undoes the fix:',
    rollBackNote: 'The setting is read first. When somebody changed it after the fix, nothing is sent.', digest: (digest: string) => `Bound to ${digest}`, replanned: 'Planned again.', onlyThis: 'Approve or refuse each fix by itself.',
  },

  history: {
    planned: 'Planned', approved: 'Approved', applied: 'Applied', rolled_back: 'Rolled back', verified: 'Seen by a scan', read: 'Read', write: 'Sent', reread: 'Read back',
  },

  window: {
    days, everyDay: 'Every day', dayToDay: (from: string, to: string) => `${from} to ${to}`, text: (on: string, from: string, until: string, next: boolean, zone: string) => `${on}, ${from} to ${until}${next ? ' of the next day' : ''} (${zone})`, nextDay: 'On the next day', noDay: 'Choose at least one day.', noTime: 'Give both times as hours and minutes.',
  },

  settings: {
    title: 'Fix settings', lead: 'Whether fixes are sent to a directory at all, who has to approve, and when.', directory: 'Directory', none: 'Connect a directory first.', enabled: 'Fixes may be planned and sent', enabledHint: 'Off until an owner turns it on. Turning it off stops scheduled fixes too.', second: 'A second person has to approve', secondHint: 'Two different people approve each fix.',
    useWindow: 'Send only in a change window', windowDays: 'Days', from: 'From', until: 'Until', zone: 'Time zone', badZone: 'Choose a zone of the list.', opens: 'The window opens', writerOpen: 'See the write connection', containment: 'People at risk may be contained', containmentHint: 'Signs a person out everywhere or disables the account, from the Threats page.', save: 'Save', saved: 'Fix settings saved.', noChange: 'Nothing has changed.', always: 'At any time', writer: 'Write connection',
    noWriter: 'None. Fixes can be planned and approved, and not sent.', connect: 'Connect for writing', changed: 'Changed', never: 'Never changed', weekWindow: 'Change window',
  },

  recipes: {
    table: 'What may be written', lead: 'The whole list of changes that Bailiwick can send, and the permission each needs. Nothing else is ever written. A request cannot name another.', recipe: 'Recipe', risk: 'Risk', kind: 'Kind', checks: 'Checks', permission: 'Permission', held: 'Granted', search: 'Search recipes', yes: 'Granted', no: 'Not granted', unknown: 'No write connection', azure: 'An Azure role decides',
    method: 'Request', who: 'Who notices', back: 'Way back', emptyTitle: 'No recipes', empty: 'This version ships no recipe.', after: 'Afterwards', licence: 'Licence',
  },

  contain: {
    table: 'Contained people', button: 'Contain', named: (name: string) => `Contain ${name}`, title: (name: string) => `Contain ${name}`, lead: 'Two measures, each by itself. Choose what the risk asks for.', revoke: 'Sign out everywhere', revokeHint: 'Revokes every session. The person signs in again, with every factor. It cannot be undone, and does no lasting harm.',
    disable: 'Disable the account', disableHint: 'Nobody signs in with it until it is released here or in Entra.', reason: 'Reason', reasonHint: 'Kept on the trail with your name.', choose: 'Choose at least one measure.', reasonNeeded: 'Say why.', verb: 'Contain', done: (name: string) => `Containing ${name}.`, person: 'Person', directory: 'Directory', measures: 'Measures', state: 'State', by: 'By', at: 'When',
    revoked: 'Signed out everywhere', disabled: 'Account disabled', emptyTitle: 'Nobody was contained', empty: 'On the Threats page a person at risk can be signed out everywhere or have the account disabled.', toThreats: 'Go to Threats', release: 'Release', releaseTitle: (name: string) => `Release ${name}`,
    releaseBody: 'The account is enabled again, if it is still as this left it. Sessions that were revoked stay revoked.', released: 'The account is being enabled again.', releasedAt: 'Released', releasedBy: 'Released by', steps: 'What was sent and what came back', already: 'Contained', principal: 'Sign-in name', userId: 'Object id', off: 'Containment is off for this directory.', all: 'All contained people',
  },
};
