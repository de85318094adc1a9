// Every word a person reads that does not come from the server. Plain, active, the glossary's words; no exclamation marks.
import type {
  ArtifactKind, DirectoryOrigin, Family, FindingEventKind, FindingLife, FindingStatus, KeyState, Movement, Outcome, Permission,
  PrincipalKind, Product, Role, RunState, Severity, SeveritySource, TrailOutcome,
} from '@/api/schema';

const count = (n: number, one: string, many = `${one}s`) => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;

const families: Record<Family, string> = { maester: 'Maester', zero_trust: 'Zero Trust Assessment', scubagear: 'ScubaGear', sarif: 'SARIF', scan: 'Bailiwick scan' };
const outcomes: Record<Outcome, string> = {
  passed: 'Passed', failed: 'Failed', error: 'Error', investigate: 'Investigate', skipped: 'Skipped', not_run: 'Not run', unknown: 'Unknown',
};
const severities: Record<Severity, string> = { critical: 'Critical', high: 'High', medium: 'Medium', low: 'Low', info: 'Info', none: 'None' };
const products: Record<Product, string> = {
  entra: 'Entra', intune: 'Intune', exchange: 'Exchange', teams: 'Teams', sharepoint: 'SharePoint', defender: 'Defender',
  power_platform: 'Power Platform', power_bi: 'Power BI', purview: 'Purview', azure: 'Azure', active_directory: 'Active Directory',
  azure_devops: 'Azure DevOps', github: 'GitHub', network: 'Network', sec_ops: 'Security operations', ai: 'AI', code: 'Code', other: 'Other',
};
const runStates: Record<RunState, string> = {
  receiving: 'Receiving', queued: 'Queued', processing: 'Processing', succeeded: 'Succeeded', failed: 'Failed', duplicate: 'Duplicate',
};
const movements: Record<Movement, string> = { regression: 'Regressions', fixed: 'Fixed', added: 'Added', removed: 'Removed', other: 'Other changes' };
const moved: Record<Movement, string> = { regression: 'Regression', fixed: 'Fixed', added: 'Added', removed: 'Removed', other: 'Other change' };
const statuses: Record<FindingStatus, string> = { open: 'Open', fixed: 'Fixed' };
const lives: Record<FindingLife, string> = { new: 'New', existing: 'Existing', fixed: 'Fixed', reopened: 'Reopened' };
const events: Record<FindingEventKind, string> = { opened: 'Opened', changed: 'Changed', fixed: 'Fixed', reopened: 'Reopened' };
const severitySources: Record<SeveritySource, string> = {
  result: 'the result itself', rule: 'the rule', level: 'the level the tool gave', default: 'the default, as the tool gave none',
};
const roles: Record<Role, string> = { owner: 'Owner', admin: 'Admin', member: 'Member', auditor: 'Auditor' };
const principals: Record<PrincipalKind, string> = { user: 'Person', api_key: 'API key', workload: 'Workload', system: 'Bailiwick', unknown: 'Unknown caller' };
const keyStates: Record<KeyState, string> = { active: 'Active', expired: 'Expired', revoked: 'Revoked' };
const kinds: Record<ArtifactKind, string> = { json: 'JSON', html: 'HTML', other: 'Other' };
const trailOutcomes: Record<TrailOutcome, string> = { done: 'Done', refused: 'Refused' };
const origins: Record<DirectoryOrigin, string> = { reported: 'First seen in a report', listed: 'Listed by a person' };
const permissions: Record<Permission, string> = {
  'runs.submit': 'submit runs', 'runs.read': 'see runs', 'artifacts.read': 'open raw reports', 'runs.retry': 'retry failed runs',
  'findings.read': 'see findings', 'baselines.write': 'pin baselines', 'projects.read': 'see projects', 'projects.write': 'create projects',
  'directories.read': 'see directories', 'directories.write': 'list and remove directories', 'keys.read': 'see API keys',
  'keys.write': 'create and revoke API keys', 'members.read': 'see members', 'members.write': 'manage members',
  'settings.read': 'see settings', 'settings.write': 'change settings', 'trail.read': 'see the trail',
  'connections.read': 'see connected directories', 'connections.manage': 'connect and disconnect directories', 'scans.read': 'see scans',
  'scans.run': 'start and cancel scans', 'scans.manage': 'change schedules, scan settings and packs', 'live.read': 'look into a directory as it is now',
  'fixes.read': 'see fixes', 'fixes.plan': 'plan fixes', 'fixes.approve': 'approve fixes', 'fixes.apply': 'apply and roll back fixes', 'fixes.manage': 'change fix settings', 'containment.act': 'contain and release people',
  'notifications.read': 'see notifications', 'notifications.manage': 'decide who is told what',
};

export const en = {
  count,
  families, outcomes, severities, products, runStates, movements, moved, statuses, lives, events, severitySources, roles, principals, keyStates,
  kinds, trailOutcomes, origins, permissions,

  app: {
    skip: 'Skip to content',
    navigation: 'Sections',
    openNavigation: 'Open navigation',
    closeNavigation: 'Close navigation',
    topBar: 'Top bar',
    search: 'Search or jump to',
    searchShort: 'Search',
    loading: 'Loading',
    close: 'Close',
    cancel: 'Cancel',
    copy: 'Copy',
    copied: 'Copied',
    download: 'Download',
    retry: 'Try again',
    loadMore: 'Load more',
    loadingMore: 'Loading more',
    showTable: 'Show as table',
    showChart: 'Show as chart',
    none: 'None',
    all: 'All',
    any: 'Any',
    unnamed: 'Unnamed',
  },

  nav: {
    overview: 'Overview', findings: 'Findings', changes: 'Changes', evidence: 'Evidence', runs: 'Runs', reports: 'Reports',
    controls: 'Controls', trail: 'Trail', notifications: 'Notifications', settings: 'Settings',
    microsoft365: 'Microsoft 365', directories: 'Directories', scans: 'Scans', policies: 'Policies', threats: 'Threats', fixes: 'Fixes', checks: 'Checks',
  },

  signIn: {
    title: (product: string) => `Sign in to ${product}`,
    lead: 'Security evidence of your organisation: what got worse, what is due, what waits for you.',
    microsoft: 'Sign in with Microsoft',
    as: (label: string) => `Sign in to ${label} with Microsoft`,
    another: 'Use another account',
    ended: 'Your session has ended. Sign in again to go on where you were.',
    refused: 'Microsoft did not complete the sign-in.',
    none: 'This environment has no way to sign in yet. The operator adds one to the configuration (sign_in) and restarts the server.',
    leaving: 'Going to Microsoft',
    unreachable: 'The server does not answer',
    unreachableNext: 'Check that bailiwickd is running and reachable from this browser, then try again.',
    notMember: 'You are signed in, but not a member here',
    notMemberNext: 'Ask an owner of the tenant to add you under Settings, Members. They need your object id in the directory.',
    signOut: 'Sign out',
  },

  scope: {
    directory: 'Directory', allDirectories: 'All directories', project: 'Project', allProjects: 'All projects',
    notByProject: 'This list is narrowed by directory only. It shows all projects.',
  },

  person: {
    menu: (name: string) => `Account of ${name}`,
    theme: 'Theme', system: 'As the system', light: 'Light', dark: 'Dark', contrast: 'High contrast',
    density: 'Rows', compact: 'Compact', comfortable: 'Comfortable',
    role: (role: string, tenant: string) => `${role} of ${tenant}`,
    version: (product: string, version: string) => `${product} ${version}`,
  },

  palette: {
    title: 'Search and commands', placeholder: 'Type a page, a check, a run', pages: 'Pages', findings: 'Findings', runs: 'Runs', actions: 'Actions',
    nothing: 'Nothing matches. Try a check id such as MT.1005, a page, or a source label.',
    results: (n: number) => count(n, 'result'), searching: 'Searching',
  },

  states: {
    errorTitle: 'This could not be loaded',
    unreachable: 'The server does not answer. Check your connection, then try again.',
    requestId: (id: string) => `Request id ${id}`,
    notFoundTitle: 'Nothing here that you may see',
    notFoundNext: 'It may have been removed, or belong to another tenant. Check the address or start from the overview.',
    noPermissionTitle: (what: string) => `Your role does not let you ${what}`,
    noPermission: (permission: string, holders: string) => `This needs the permission ${permission}. ${holders} hold it.`,
    noPermissionNext: 'An owner can change your role under Settings, Members.',
    notAllowed: (permission: string, holders: string) => `Needs the permission ${permission}, held by ${holders}.`,
    toOverview: 'Go to Overview',
    noMatchTitle: 'Nothing matches these filters',
    noMatch: 'Take a filter away, or clear them all.',
    clear: 'Clear filters',
    crashed: 'This page broke',
    crashedNext: 'Reload it. If it breaks again, tell the operator what you did and what it says below.',
    reload: 'Reload',
  },

  list: {
    selected: (n: number, of: number, more: boolean) => `${n} of ${of.toLocaleString('en')}${more ? ' or more' : ''}`,
    previous: 'Previous item', next: 'Next item', shown: (n: number, more: boolean) => (more ? `${count(n, 'row')} shown, more follow` : count(n, 'row')),
    hint: 'Keys: j and k move, Enter opens, Escape closes.',
  },

  filter: {
    label: 'Filters', status: 'Status', severity: 'Severity', family: 'Source', product: 'Product', sort: 'Sort', state: 'State', kind: 'Kind',
    outcome: 'Outcome', action: 'Action', search: 'Search checks by id or title', clear: 'Clear all', sortSeverity: 'Worst first', sortFirstSeen: 'Newest first',
    is: (name: string, value: string) => `${name}: ${value}`,
  },

  overview: {
    title: 'Overview',
    state: (posture: string | undefined, open: number) =>
      posture === undefined ? `${count(open, 'open finding')}.` : `${posture} of what was judged passes; ${count(open, 'open finding')}.`,
    posture: 'Posture', postureNote: (passed: number, failing: number) => `${passed.toLocaleString('en')} passed, ${failing.toLocaleString('en')} failing`,
    postureNone: 'No posture report yet', failing: 'Failing controls', openFindings: 'Open findings', noneOpen: 'None open',
    productsCovered: 'Products covered', coverageNote: (n: number) => `${count(n, 'series', 'series')} of runs`,
    trend: 'Posture, last 90 days', trendEmpty: 'A line appears after the second run.',
    coverage: 'Coverage by product', passed: 'Passed', failingWord: 'Failing', skipped: 'Skipped', unknown: 'Unknown',
    changed: 'What changed', changedEmpty: 'Nothing to compare yet: changes appear after the second run of a series.', allChanges: 'All changes',
    noChange: 'No check moved between the last two runs.',
    recent: 'Recent runs', allRuns: 'All runs', attention: 'Needs attention', attentionNone: 'No run has failed.',
    sources: 'Sources', freshness: 'Newest run', runsWord: 'Runs', source: 'Source', at: 'When', value: 'Posture', product: 'Product', series: 'Series',
    emptyTitle: 'No evidence yet',
    emptyLead: 'Bailiwick shows what your security tools say once a report arrives. Three ways to send the first one:',
    emptyUpload: 'From this machine', emptyPipeline: 'From a pipeline', emptyPowerShell: 'After Maester', emptyMore: 'All ways to submit',
    fixedSince: (fixed: number, baseline: boolean) => `${fixed.toLocaleString('en')} fixed, since ${baseline ? 'the baseline' : 'the run before'}`,
  },

  findings: {
    title: 'Findings',
    state: (open: number | undefined, status: string) => (open === undefined ? 'What fails, over time, from every source.' : `${count(open, `${status} finding`)} under these filters.`),
    table: 'Findings', check: 'Check', titleColumn: 'Finding', severity: 'Severity', product: 'Product', source: 'Source', where: 'Where', life: 'Life',
    firstSeen: 'First seen', lastSeen: 'Last seen', outcome: 'Outcome',
    emptyTitle: 'No findings', empty: 'A finding is a check that fails in a run. They appear here as soon as a run was processed.',
    suppressed: 'Suppressed in the source',
    detail: {
      what: 'What was found', truncated: 'Shortened here; the raw report has all of it.', why: 'Why it matters and how to fix it', where: 'Where', facts: 'Facts',
      history: 'History', help: 'Documentation of this check', references: 'References', tags: 'Tags', directory: 'Directory', project: 'Project',
      tool: 'Tool', group: 'Group', severityFrom: (source: string) => `Decided by ${source}`, evidence: 'Latest evidence', run: (source: string) => `Run from ${source}`,
      suppression: 'Suppressed in the source', more: (n: number) => `and ${count(n, 'more place')}`, status: 'Status',
      noMessage: 'The tool gave no message.', check: 'Check',
    },
  },

  changes: {
    title: 'Changes',
    state: (series: string, from: number, to: number) => `${series}: run ${from} compared with run ${to}.`,
    stateEmpty: 'What moved between two runs of the same series.',
    series: 'Series', from: 'From (older)', to: 'To (newer)', defaultPair: 'Default pair', swap: 'Swap', baseline: 'baseline',
    run: (position: number, source: string) => `Run ${position}, ${source}`,
    pin: 'Pin older run as baseline', unpin: 'Unpin baseline', pinned: 'Baseline pinned. Comparisons of this series start from it.',
    unpinned: 'Baseline unpinned. Comparisons use the run before again.', alreadyPinned: 'The older run is the baseline already.', notPinned: 'This series has no pinned baseline.',
    againstBaseline: 'Compared with the pinned baseline.',
    counts: 'Movement counts', unchanged: 'Unchanged', check: 'Check', titleColumn: 'Control', severity: 'Severity', product: 'Product', movement: 'Movement', fromTo: 'From, to',
    byProduct: 'By product', raw: 'Raw reports', rawOlder: 'Older run', rawNewer: 'Newer run', truncated: (n: number) => `Only the first ${n.toLocaleString('en')} are listed; the counts hold all.`,
    incomplete: 'One of these runs did not finish: what it did not look at is not counted as fixed.',
    emptyTitle: 'Nothing to compare yet', empty: 'Changes need two runs of the same source about the same directory or tool. Send a second report, or pick another series.',
    nothingMoved: 'No check moved between these two runs.', absent: 'absent', posture: 'Posture', openFinding: 'Open finding',
    help: (check: string) => `Documentation of ${check}`,
  },

  runs: {
    title: 'Runs', state: 'Every submission, newest first.', table: 'Runs', stateColumn: 'State', source: 'Source', family: 'Report', posture: 'Posture', results: 'Results',
    findings: 'Findings', submitted: 'Submitted', by: 'By', emptyTitle: 'No runs yet', empty: 'A run is one submission of reports by a pipeline, a person or a key.',
    howTo: 'How to submit', failing: (n: number) => `${n.toLocaleString('en')} failing`, total: (n: number) => `${n.toLocaleString('en')} results`,
    delta: (fresh: number, fixed: number, reopened: number) =>
      [fresh ? `${fresh} new` : '', reopened ? `${reopened} reopened` : '', fixed ? `${fixed} fixed` : ''].filter(Boolean).join(', ') || 'no change',
  },

  run: {
    title: (source: string) => `Run from ${source}`,
    provenance: {
      by: { user: 'Submitted by', api_key: 'Submitted with API key', workload: 'Submitted by workload', system: 'Submitted by', unknown: 'Submitted by' } as Record<PrincipalKind, string>,
      from: (source: string) => `labelled ${source}`, pipeline: (id: string) => `pipeline run ${id}`, address: (address: string) => `from ${address}`,
      tool: (tool: string) => `made by ${tool}`, assessed: 'looked at', subject: (subject: string) => `Token subject ${subject}`,
    },
    steps: 'States', stepNames: { received: 'Received', queued: 'Queued', processed: 'Processed', done: 'Recorded' }, stepFailed: 'Failed', stepWaiting: 'Waiting',
    stepDuplicate: 'Duplicate: the same files were taken before', duplicateOf: 'Open the run that holds these files', attempts: (n: number) => count(n, 'attempt'),
    counts: 'Counts', countsNote: 'Counted from the results themselves.', findings: 'What it did to findings', newWord: 'New', existing: 'Existing', fixed: 'Fixed', reopened: 'Reopened',
    total: 'Total', refusal: 'Why it was refused', place: 'Place', artifact: 'Artifact', code: 'Code', series: 'Series in this run', seriesName: 'Series', position: 'Position', complete: 'Complete',
    yes: 'Yes', no: 'No', compare: 'Compare with the run before', artifacts: 'Artifacts', name: 'Name', size: 'Size', hash: 'SHA-256', stored: 'Stored', open: 'Open', download: 'Download', actions: 'Actions',
    results: 'Results', attention: 'Needs attention', remarks: 'Remarks', retry: 'Retry', retried: 'The run is queued again.', retryNotFailed: 'Only a failed run can be retried.',
    noResults: 'This run has no results.', noArtifacts: 'No artifacts arrived.', emptyGroup: 'No result in this group.', posture: 'Posture', directory: 'Directory', copyHash: 'Copy SHA-256', waiting: 'Results appear when the run has been processed. This page follows along.',
  },

  controls: {
    title: 'Controls', state: 'The latest word of each check, over the newest run of each series.', table: 'Controls', failing: 'Failing', passed: 'Passing', rest: 'Rest',
    restNote: 'Skipped, not run and unknown', check: 'Check', titleColumn: 'Control', outcome: 'Outcome', severity: 'Severity', product: 'Product', group: 'Group',
    docsColumn: 'Documentation', emptyTitle: 'No controls yet', empty: 'Controls appear with the first processed run.', docs: (check: string) => `Documentation of ${check}`, finding: 'Finding',
    tabs: 'Controls by outcome', message: 'What the tool said', noMessage: 'The tool gave no message.', openFinding: 'Open the finding',
  },

  reports: {
    title: 'Reports', state: 'Every raw report as it was sent, streamed through Bailiwick with its hash checked again.', table: 'Reports', name: 'Report', kind: 'Kind', source: 'Source',
    family: 'Report family', directories: 'Directories', size: 'Size', stored: 'Stored', actions: 'Actions', open: 'Open', download: 'Download', run: 'Run',
    emptyTitle: 'No reports yet', empty: 'The original files of each run are kept here. Send a report to begin.',
    viewer: (name: string) => `Report ${name}`, viewerState: 'Shown in a sealed frame: it cannot act as you, reach the network, or read anything of Bailiwick.',
    frame: (name: string) => `Sealed frame with ${name}`, opening: 'Opening the report', back: 'Back to the run', openNamed: (name: string) => `Open ${name}`, downloadNamed: (name: string) => `Download ${name}`,
    notHtml: 'This artifact is not HTML, so it cannot be shown here. Download it instead.', checked: 'The bytes match the SHA-256 recorded when they arrived.', mismatch: 'The bytes received do not match the recorded SHA-256. The report is not shown.',
    downloaded: (name: string) => `${name} downloaded`, saved: 'Downloaded', failed: (name: string) => `${name} could not be downloaded`,
  },

  trail: {
    title: 'Trail', state: 'Every change, disclosure and refusal, newest first. Each entry covers the hash of the one before.', table: 'Trail entries', seq: 'No.', at: 'When', actor: 'Who', action: 'Action',
    target: 'What', outcome: 'Outcome', detail: 'Particulars', request: 'Request id', address: 'Address', hash: 'SHA-256', emptyTitle: 'The trail is empty', empty: 'Entries appear with the first change.',
    entry: (seq: number) => `Entry ${seq}`, subject: 'Token subject',
    kinds: { '': 'All actions', 'run.': 'Runs', 'artifact.': 'Artifacts', 'api_key.': 'API keys', 'member.': 'Members', 'project.': 'Projects', 'directory.': 'Directories', 'settings.': 'Settings', 'baseline.': 'Baselines', 'consent.': 'Consents', 'connection.': 'Connections', 'scan.': 'Scans', 'scan_schedule.': 'Scan schedules', 'scan_settings.': 'Scan settings', 'scan_pack.': 'Packs', 'fix.': 'Fixes', 'fix_settings.': 'Fix settings', 'containment.': 'Containments', 'channel.': 'Channels', 'notification_rule.': 'Notification rules', 'delivery.': 'Deliveries', 'notification_preference.': 'Mail preferences' } as Record<string, string>,
  },

  settings: {
    title: 'Settings', state: (tenant: string) => `Of the tenant ${tenant}.`, tabs: 'Settings sections',
    tab: { general: 'General', members: 'Members', projects: 'Projects', keys: 'API keys', submit: 'How to submit' },
    general: {
      tenant: 'Tenant', name: 'Name', id: 'Tenant id', signIn: 'Sign-in directory', save: 'Save', saved: 'Settings saved.', unknown: 'When a report names a directory that is not listed',
      refuse: 'Refuse the report', add: 'Add the directory', directories: 'Directories', directoriesLead: 'The Microsoft Entra tenants that reports may be about.', addDirectory: 'List a directory',
      directoryName: 'Name', directoryId: 'Directory (tenant) id', origin: 'How it came', added: 'Added', lastRun: 'Newest run', remove: 'Remove', removeNamed: (name: string) => `Remove ${name}`,
      removeTitle: (name: string) => `Remove ${name}`, removeBody: 'Reports about this directory are refused from now on. What is stored stays.', removed: 'Directory removed.', listed: 'Directory listed.',
      emptyTitle: 'No directories yet', empty: 'List the directory your reports are about, or let the first report add it.', noChange: 'Nothing has changed.', badId: 'A directory id is a GUID, such as 7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01.', actions: 'Actions',
    },
    members: {
      lead: 'People of the sign-in directory who may use this tenant.', table: 'Members', name: 'Name', email: 'E-mail', role: 'Role', added: 'Added', add: 'Add a member', objectId: 'Object id in the directory',
      objectIdHint: 'In the Entra admin centre: Users, the person, Object ID.', remove: 'Remove', removeNamed: (name: string) => `Remove ${name}`, removeTitle: (name: string) => `Remove ${name}`, removeBody: 'Their next request is refused.', removed: 'Member removed.',
      addedNote: 'Member added.', changed: 'Role changed.', roleOf: (name: string) => `Role of ${name}`, actions: 'Actions', emptyTitle: 'No members', empty: 'Add the first person.',
      roleNotes: { owner: 'Everything', admin: 'Everything but members and settings', member: 'Sees evidence, submits runs', auditor: 'Sees everything, changes nothing' } as Record<Role, string>,
    },
    projects: { lead: 'A project is a repository or system. A key can be bound to one.', table: 'Projects', name: 'Name', created: 'Created', add: 'Create a project', createdNote: 'Project created.', emptyTitle: 'No projects yet', empty: 'Create one to keep the findings of a repository or system together.', create: 'Create' },
    keys: {
      lead: 'For pipelines that have no Microsoft identity. A key is shown once and kept only as a hash.', table: 'API keys', name: 'Name', hint: 'Ends in', scope: 'Scope', wholeTenant: 'Whole tenant', state: 'State', created: 'Created', expires: 'Expires', lastUsed: 'Last used',
      never: 'Never', create: 'Create a key', createTitle: 'Create an API key', days: 'Days until it expires', daysHint: '1 to 366', project: 'Bound to', createButton: 'Create', revoke: 'Revoke', revokeNamed: (name: string) => `Revoke ${name}`,
      revokeTitle: (name: string) => `Revoke ${name}`, revokeBody: 'The next request with this key is refused. This cannot be undone.', revoked: 'Key revoked.', shownTitle: 'Your new key', shown: 'Copy it now: it is not shown again. Put it into the secret store of your pipeline.', value: 'API key',
      done: 'I have stored it', copyKey: 'Copy key', emptyTitle: 'No API keys', empty: 'A pipeline with a Microsoft identity needs none. Create one for anything else.', actions: 'Actions', notActive: 'This key no longer works.', daysBad: 'Between 1 and 366 days.', inDays: (n: number) => (n < 0 ? `${count(-n, 'day')} ago` : n === 0 ? 'today' : `in ${count(n, 'day')}`),
    },
    submit: {
      lead: 'Reports come in through the command-line tool bailiwick. It takes the pipeline\'s own identity where there is one, else an API key from a secret.', github: 'GitHub Actions', azure: 'Azure DevOps', powershell: 'PowerShell', shell: 'Shell',
      oidc: 'With the identity of the pipeline', key: 'With an API key from a secret', note: 'Secrets go through the environment or a file, never on a command line, where process lists and logs would show them.', platform: 'Where the report is made', how: 'How it proves who it is',
      copySnippet: (name: string) => `Copy ${name} snippet`,
    },
  },
};
