// Every word of the section Microsoft 365 that does not come from the server: directories, scans, live views and the catalogue.
import type {
  Band, CloudFailureCode, ConnectionKind, ConnectionState, CredentialKind, Feature, ScanEndCode, ScanKind, ScanPhase, ScanState, SourceState, Verdict,
} from '@/api/schema';
import { en } from './en';

const { count } = en;
const n = (value: number) => value.toLocaleString('en');

const connectionKinds: Record<ConnectionKind, string> = { read: 'Read', write: 'Write' };
const connectionStates: Record<ConnectionState, string> = { unchecked: 'Not checked yet', working: 'Working', failing: 'Refused', disconnected: 'Disconnected' };
const credentials: Record<CredentialKind, string> = { federated: 'Federated identity', certificate: 'Certificate', secret: 'Static secret' };
const features: Record<Feature, string> = {
  compliance_scan: 'Compliance scans', exposure_scan: 'Exposure scans', policies: 'Policies', threats: 'Threats', fixes: 'Fixes',
};
const featureReasons: Record<Feature, string> = {
  compliance_scan: 'Reads the settings that frameworks such as CIS and SCuBA judge. Mail, files and calendars are never read.',
  exposure_scan: 'Reads who holds which rights, and how they sign in, to show what the present configuration risks.',
  policies: 'Shows the settings with the greatest effect as they are at this moment.',
  threats: 'Shows people at risk, risk detections and alerts, as Microsoft sees them now.',
  fixes: 'Changes a setting after a person has approved the change. Asked for by an application of its own, so that nothing that reads can write.',
};
const failures: Record<CloudFailureCode, string> = {
  consent_missing: 'Consent is missing', consent_declined: 'The administrator did not consent', other_directory: 'Consent was given in another directory',
  other_person: 'Somebody else began this consent', earlier_consent: 'The application had consent before', credential_ended: 'The credential has ended', credential_refused: 'The credential is wrong',
  directory_unknown: 'The directory does not exist', application_unknown: 'The application is not in the directory', permission_missing: 'A permission is missing', throttled: 'Microsoft asks to slow down',
  unreachable: 'Microsoft does not answer', refused: 'Microsoft refused',
};
const scanKinds: Record<ScanKind, string> = { compliance: 'Compliance', exposure: 'Exposure' };
const scanStates: Record<ScanState, string> = { queued: 'Queued', running: 'Running', completed: 'Completed', failed: 'Failed', cancelled: 'Cancelled' };
const phases: Record<ScanPhase, string> = {
  waiting: 'Waiting for its turn', starting: 'Asking Microsoft for access and starting the scanner', collecting: 'Reading the directory', judging: 'Judging what was read', storing: 'Storing the evidence',
};
const verdicts: Record<Verdict, string> = {
  passed: 'Passed', passed_with_exclusions: 'Passed with exclusions', failed: 'Failed', skipped: 'Skipped', unknown: 'Unknown', error: 'Error',
};
const bands: Record<Band, string> = { excellent: 'Excellent', good: 'Good', needs_attention: 'Needs attention', critical_risk: 'Critical risk' };
const sourceStates: Record<SourceState, string> = {
  ok: 'Read', needs_consent: 'Needs consent', not_licensed: 'Not licensed', not_there: 'Not in this directory', error: 'Could not be read', not_connected: 'Not connected',
};
const ends: Record<ScanEndCode, string> = {
  cancelled: 'The scan was cancelled', disconnected: 'The directory was disconnected', connection_refused: 'Microsoft refused the connection', time_limit: 'The scan took too long',
  memory_limit: 'The scan needed too much memory', sandbox_unavailable: 'The sandbox is not available', scanner_ended: 'The scanner ended by itself', scanner_refused: 'The scanner asked for what it may not read',
  unreachable: 'Microsoft does not answer', internal: 'Something broke inside Bailiwick',
};
const frameworks: Record<string, string> = {
  cis_m365: 'CIS Microsoft 365', cis_azure: 'CIS Azure', cisa_scuba: 'CISA SCuBA', eidsca: 'EIDSCA', mitre: 'MITRE ATT&CK', nis2: 'NIS2', nist_800_53_r5: 'NIST SP 800-53 r5', iso_27001_2022: 'ISO 27001:2022',
};
const products: Record<string, string> = { ...en.products, apps: 'Applications', keyvault: 'Key Vault', m365: 'Microsoft 365' };
const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

export const m365 = {
  connectionKinds, connectionStates, credentials, features, featureReasons, failures, scanKinds, scanStates, phases, verdicts, bands, sourceStates, ends, weekdays,
  /** `cis_m365 7.0`: a framework's key, and its version where it has one. */
  framework: (key: string) => {
    const [name = '', ...version] = key.split(' ');
    return [frameworks[name] ?? name, ...version].join(' ');
  },
  product: (key: string) => products[key] ?? key,

  directories: {
    title: 'Directories', table: 'Connected directories',
    state: (connected: number, failing: number) =>
      connected === 0 ? 'No directory is connected.' : `${count(connected, 'connection')}${failing ? `, ${n(failing)} refused by Microsoft` : ''}.`,
    connect: 'Connect a directory', directory: 'Directory', kind: 'Access', credential: 'Credential', health: 'Permissions', lastScan: 'Last scan', score: 'Score', primary: 'Primary', never: 'Never',
    granted: 'All granted', missing: (k: number) => `${count(k, 'permission')} missing`, warnings: (k: number) => count(k, 'warning'),
    daysLeft: (days: number) => (days < 0 ? `ended ${count(-days, 'day')} ago` : days === 0 ? 'ends today' : `${count(days, 'day')} left`),
    noEnd: 'end unknown', showAll: 'Disconnected ones', onlyLive: 'Left out', withGone: 'Shown',
    emptyTitle: 'No directory is connected', empty: 'Bailiwick scans a Microsoft 365 directory once an administrator of it has consented to read it. You see every permission before anybody consents.',
    accessTo: (kind: ConnectionKind) => (kind === 'read' ? 'Reads, for scans and live views' : 'Writes, for approved fixes'),
    panel: {
      failure: 'What Microsoft said', warnings: 'See to', permissions: 'Permissions', facts: 'Facts', ready: 'Has what it needs', lacks: (k: number) => `${count(k, 'permission')} missing`, uncheckedTitle: 'Not checked yet',
      unchecked: 'Microsoft has not been asked yet. Check the connection to see what was granted.', howTo: 'How to grant what is missing', missingList: 'Missing permissions',
      grantOurs: 'An administrator of the directory consents again: Microsoft then grants what has been added since.', grantAgain: 'Ask for consent again',
      grantOwn: (client: string) => `In the Entra admin centre open App registrations, the application ${client}, API permissions. Add these as application permissions of Microsoft Graph, then choose Grant admin consent, and check the connection again.`,
      allGranted: (k: number) => (k === 1 ? 'Granted' : `All ${n(k)} granted`), needs: (k: number) => count(k, 'permission'), directoryId: 'Directory (tenant) id', client: 'Application (client) id', app: 'Application',
      ours: 'Bailiwick’s', own: 'Your own registration', ends: 'Credential ends', checked: 'Checked', connected: 'Connected', by: 'By', disconnected: 'Disconnected', microsoft: (code: string) => `Microsoft’s code: ${code}`,
      check: 'Check again', checked2: 'Checked with Microsoft.', relabel: 'Relabel', relabelled: 'Label changed.', label: 'Label', makePrimary: 'Make primary', isPrimary: 'It is the primary one already.', made: 'It is the primary one now.',
      disconnect: 'Disconnect', disconnectTitle: (label: string) => `Disconnect ${label}`, disconnected2: 'Disconnected.', save: 'Save', settings: 'Scan settings', scans: 'Scans of this directory', fixes: 'Fixes of this directory', fixSettings: 'Fix settings', isGone: 'It was disconnected.',
      disconnectBody: (kind: ConnectionKind) =>
        `Nothing more is asked of the directory through this connection from now on. Scans that run are cancelled, ${kind === 'read' ? 'schedules begin no more' : 'no fix is sent'}, and a stored secret is destroyed. What was collected stays. To take the consent back as well, an administrator removes the application under Enterprise applications in Entra.`,
      granted: (k: number) => `Everything granted (${n(k)})`,
    },
  },

  connect: {
    title: 'Connect a directory', state: 'An administrator of the directory decides. You see every permission first.',
    what: 'What for', kinds: { read: 'Read: scans, policies and threats', write: 'Write: fixes that a person approved' } as Record<ConnectionKind, string>,
    kindNotes: { read: 'Bailiwick reads settings. It cannot change anything through this connection.', write: 'A second consent to a second application. Connect to read first; add this when you want to send fixes.' } as Record<ConnectionKind, string>,
    app: 'Which application', ours: 'Bailiwick’s application', oursNote: 'An administrator consents on Microsoft’s page. There is no secret for you to keep.', own: 'Your own app registration',
    ownNote: 'You register the application in your directory and choose its permissions and its credential yourself.', noOurs: 'The operator has configured no application for this. Use your own registration.',
    where: 'Which directory', directory: 'Directory', another: 'Another directory', id: 'Directory (tenant) id', idHint: 'In the Entra admin centre: Overview, Tenant ID.', badId: 'A directory id is a GUID, such as 7e0c4c26-0f0e-4f4e-9d0f-1f5f4f8f5a01.',
    label: 'Label', labelHint: 'What people call it here; the directory’s name unless told.',
    asked: 'What is asked', askedNote: (k: number) => `${count(k, 'application permission')}, each for a reason`, all: 'Each is an application permission of Microsoft Graph. Some serve more than one feature.', none: 'This asks for no permission.',
    go: 'Go to Microsoft’s consent page', going: 'Going to Microsoft', goNote: 'You come back here. Consent can be taken back in Entra at any time.', begin: 'Begin consent', idFirst: 'Say which directory first.',
    register: 'Prepare the registration', steps: {
      make: 'In the Entra admin centre open App registrations and register an application for this directory only.',
      permit: 'Under API permissions add the application permissions below, then choose Grant admin consent.',
      prove: 'Give it a credential: a federated identity or a certificate. A static secret works, and is warned about.',
    },
    client: 'Application (client) id', badClient: 'An application id is a GUID.', credential: 'How it proves itself', credentialNotes: {
      federated: 'Nothing to keep and nothing that ends. Add this federated credential to the registration:', certificate: 'Upload the certificate to the registration, and paste certificate and private key here.',
      secret: 'A static secret can leak and ends. Prefer the others where you can.',
    } as Record<CredentialKind, string>, noFederated: 'The operator has configured no federated identity.', issuer: 'Issuer', subject: 'Subject', audience: 'Audience',
    secret: 'Client secret', secretHint: 'The value, not its id. It is sealed at once and never shown again.', secretEnds: 'Ends on', pem: 'Certificate and private key (PEM, PKCS #8)', pemHint: 'Sealed at once and never shown again.',
    add: 'Connect', added: 'Connected.', permissionNames: 'Permissions to add',
  },

  consent: {
    title: 'Consent', taking: 'Taking up Microsoft’s answer', state: 'What Microsoft answered.', nothingTitle: 'Nothing to take up', nothing: 'This page takes up Microsoft’s answer after a consent, once. Begin a consent to get one.', again: 'Begin again', toDirectories: 'See directories',
    goodTitle: (name: string) => `${name} is connected`, good: 'The administrator has consented. Bailiwick can read what was granted.', goodWrite: 'The administrator has consented. Approved fixes can be sent.',
    missingTitle: (name: string) => `${name} is connected, and something is missing`, missing: (k: number) => `${count(k, 'permission')} not granted yet. Features that need them skip what they cannot read, and say so.`,
    checking: 'Microsoft may need a minute until the consent counts everywhere. Check again if something is missing.', scan: 'Start a scan', open: 'Open the directory', notConnected: 'The directory is not connected',
    next: {
      consent_declined: 'Nothing was connected. Talk to the administrator who said no: the list of permissions is on the page you began from.',
      other_directory: 'Nothing was connected. Sign in at Microsoft with an administrator of the directory you named, or name the other one.',
      other_person: 'Nothing was connected. The person who began the consent has to come back with it. Begin your own.',
      consent_missing: 'Nothing was connected. Only a Global Administrator or Privileged Role Administrator of the directory can consent to these permissions.',
      permission_missing: 'Nothing was connected. Only a Global Administrator or Privileged Role Administrator of the directory can consent to these permissions.',
      earlier_consent: 'Nothing was connected, because the earlier consent says nothing about who gave it. Have an administrator remove the application in Entra, then begin again.',
    } as Partial<Record<CloudFailureCode, string>>, nextElse: 'Nothing was connected. Begin again when this is put right.',
    expiredTitle: 'This consent is no longer open', expired: 'It was taken up already, has expired, or was not begun here. Nothing was connected by it now. Begin again.', features: 'What works now',
  },

  scans: {
    title: 'Scans', state: 'Each scan reads a directory once and judges it by every check.', tabs: 'Scan sections', tab: { history: 'History', schedules: 'Schedules', settings: 'Settings', packs: 'Packs' },
    table: 'Scans', start: 'Start a scan', begin: 'Start', kindField: 'Kind', connection: 'Directory', noneConnected: 'Connect a directory to scan it.', kindNotes: {
      compliance: 'Holds every setting against CIS, SCuBA, EIDSCA and other frameworks.', exposure: 'Asks what the present configuration risks: the checks that attackers would read first.',
    } as Record<ScanKind, string>,
    started: 'Started', directory: 'Directory', kind: 'Kind', stateColumn: 'State', score: 'Score', findings: 'Findings', took: 'Took', by: 'By', emptyTitle: 'No scans yet', empty: 'A scan reads the settings of a connected directory and says for each check whether it holds.',
    change: (points: number) => (points === 0 ? 'no change' : `${points > 0 ? '+' : '−'}${Math.abs(points).toLocaleString('en', { maximumFractionDigits: 1 })}`), bySchedule: 'Schedule',
    seconds: (s: number) => (s < 60 ? `${s} s` : `${Math.floor(s / 60)} min ${s % 60} s`),
  },

  scan: {
    title: (kind: string, directory: string) => `${kind} scan of ${directory}`,
    done: (when: string, percent: string, band: string) => `Completed ${when}: ${percent}, ${band}.`,
    cancel: 'Cancel the scan', cancelled: 'The scan is cancelled.', settled: 'It has ended.', again: 'Scan again', started: 'The scan has started.',
    progress: 'Progress', requests: 'Endpoints read', checks: 'Checks judged', of: (a: number, b: number) => `${n(a)} of ${n(b)}`, reading: 'Being read now', resumed: (k: number) => `${count(k, 'answer')} kept from an earlier try`,
    spoken: (phase: string, done: number, planned: number, judged: number, all: number) => `${phase}. ${n(done)} of ${n(planned)} endpoints read, ${n(judged)} of ${n(all)} checks judged.`,
    lost: 'The live connection was lost. Connecting again.', attempts: (k: number) => `Begun ${k} times`, degraded: 'Sources that could not be read', ended: 'How it ended', noResults: 'A scan that did not complete has no results. Nothing of it is kept as evidence.',
    overall: 'Overall', scores: 'Scores', byProduct: 'By product', byFramework: 'By framework', ring: (name: string, percent: string, band: string) => `${name}: ${percent}, ${band}`, nothingJudged: 'Nothing judged', noneJudged: (name: string) => `${name}: nothing judged`,
    passed: 'Passed', failed: 'Not passed', unclear: 'Unclear', skipped: 'Skipped', name: 'Name', percent: 'Score', band: 'Band', judged: (a: number, b: number) => `${n(a)} of ${n(b)} passed`,
    results: 'Checks', check: 'Check', verdict: 'Verdict', severity: 'Severity', product: 'Product', frameworks: 'Frameworks', framework: 'Framework', search: 'Search checks by id or title', emptyTitle: 'No check was judged', empty: 'The scan judged nothing.',
    wouldPass: 'Would pass if enforced', wouldPassNote: 'The policies that cover this are report-only today. Enforced, the check would pass.',
    change: 'Since the scan before', changes: 'What changed', run: 'Evidence run', raw: 'Raw files', catalogue: (version: string) => `catalogue ${version}`, incomplete: 'Not every source could be read whole. What was not read is never counted as a pass.',
    newFindings: (fresh: number, fixed: number, reopened: number) => [fresh ? `${n(fresh)} new` : '', reopened ? `${n(reopened)} reopened` : '', fixed ? `${n(fixed)} fixed` : ''].filter(Boolean).join(', ') || 'no change',
    about: 'About this scan', directory: 'Directory', requested: 'Requested', took: 'Took', points: (points: string) => `${points} points since the scan before`, findings: 'Findings', firstScan: 'First completed scan of this kind',
    sources: 'Sources', sourcesNote: (bad: number, all: number) => (bad === 0 ? `all ${count(all, 'source')} read` : `${n(bad)} of ${count(all, 'source')} not read`), source: 'Source', service: 'Service', sourceState: 'State', cost: 'What it cost', detail: 'Why',
    costs: (k: number) => (k === 0 ? 'No check' : `${count(k, 'check')} not judged`), allSources: 'Show all sources', badSources: 'Show only what failed', allRead: 'Every source was read.', packs: 'Packs', pack: 'Pack', version: 'Version', packChecks: 'Checks', problem: 'Problem', packFine: 'Loaded',
    panel: {
      why: 'Why it matters', values: 'Found and wanted', actual: 'Found', expected: 'Wanted', path: 'Looked at', request: 'Request', reason: 'Why this verdict', objects: 'What fails it', objectsOf: (shown: number, all: number) => (all > shown ? `${n(shown)} of ${n(all)} shown` : count(all, 'object')),
      exclusions: 'Undeclared exclusions', exclusionsNote: 'Left out although nobody declared it. Declare what is meant under scan settings; else take it out of the policy.', todo: 'What to do', references: 'References', frameworks: 'Frameworks', evidence: 'Evidence', finding: 'The finding and its history', noFinding: 'No finding stands for this check.',
      loosened: 'Set looser than this framework asks', fromPack: (pack: string) => `From the pack ${pack}`, version: (v: number) => `version ${v}`, nothing: 'nothing', absent: 'absent', settings: 'Scan settings',
    },
  },

  schedules: {
    table: 'Schedules', lead: 'Scans that begin by themselves. The time is read in the zone you choose, also when clocks change.', add: 'Add a schedule', change: 'Change', changeNamed: (name: string) => `Change ${name}`, remove: 'Remove', removeNamed: (name: string) => `Remove ${name}`,
    removeTitle: (name: string) => `Remove ${name}`, removeBody: 'No further scan begins by it. Scans it began stay.', removed: 'Schedule removed.', added: 'Schedule added.', changed: 'Schedule changed.', save: 'Save', name: 'Name', every: 'How often', daily: 'Every day', weekly: 'Every week', monthly: 'Every month', custom: 'As cron',
    at: 'At', on: 'On', day: 'Day of the month', dayHint: '1 to 28, so that every month has it', zone: 'Time zone', badZone: 'Choose a zone of the list.', cron: 'Cron', cronHint: 'Minute, hour, day of month, month, day of week', badCron: 'Five fields, such as 30 2 * * 1-5.', next: 'Next times', nextNone: 'This never comes.',
    when: 'When', nextAt: 'Next', last: 'Last', state: 'State', enabled: 'On', disabled: 'Off', enabledField: 'Begins scans', emptyTitle: 'No schedules', empty: 'Add one to scan every night and see what changed in the morning.', directory: 'Directory', actions: 'Actions',
    onDay: (day: string, time: string) => `${day} ${time}`, everyDay: (time: string) => `Every day ${time}`, everyMonth: (day: number, time: string) => `Day ${day} of every month ${time}`, lastProblem: (text: string) => `Last time no scan began: ${text}`,
  },

  settings: {
    title: 'Scan settings', lead: 'What scans of a directory are told about it.', directory: 'Directory', none: 'Connect a directory first.', accounts: 'Emergency accounts', accountsHint: 'Object ids, one a line. Policies should leave these accounts out; leaving them out is then no exclusion.',
    groups: 'Emergency groups', groupsHint: 'Object ids of groups that hold emergency accounts and nobody else, one a line.', exclusions: 'Accepted exclusions', exclusionsHint: 'One check a line: its id (or * for every check), a colon, then ids with commas between. Policies of the check may leave these out.',
    entities: 'Accepted failures', entitiesHint: 'One check a line: its id, a colon, then the ids of objects that may fail it.', parameters: 'Thresholds', parametersHint: 'One a line: check id, name, equals sign, value. In place of the catalogue’s own; a framework that asks for more still fails.',
    packs: 'Packs to judge with', noPacks: 'No packs were added yet.', notUsed: 'Not used', scuba: 'Configuration of ScubaGear’s packs (JSON)', save: 'Save', saved: 'Scan settings saved.', noChange: 'Nothing has changed.', fix: 'Put right what is marked.', changedAt: 'Changed', never: 'Never changed',
    badId: (line: string) => `Not an object id: ${line}`, badLine: (line: string) => `Cannot be read: ${line}`, badJson: 'Not JSON.', badPlaceholder: 'entra.policy: 00000000-0000-0000-0000-000000000000',
  },

  packs: {
    table: 'Packs', lead: 'Your own checks in Rego. Each pack is evaluated by an engine of its own, without network and under limits of time and memory: a bad pack harms only itself. Settings of a directory say which version its scans use.', add: 'Add a pack', addTitle: 'Add a version of a pack', added: 'Pack added.', name: 'Name', version: 'Version',
    files: 'Files', filesHint: 'pack.yaml with the same name and version, Rego modules, YAML cases and JSON data: at most 200 files and 768 KiB together.', choose: 'Choose files', chosen: (k: number, size: string) => `${count(k, 'file')}, ${size}`, tooMany: 'More than 200 files.', tooLarge: 'More than 768 KiB together.', badFile: (name: string) => `${name} is no .rego, .yaml or .json file.`, hash: 'SHA-256', at: 'Added', by: 'By',
    remove: 'Remove', removeNamed: (name: string) => `Remove ${name}`, removeBody: 'No further scan judges with this version. Results of past scans stay.', removed: 'Pack removed.', emptyTitle: 'No packs', empty: 'Try a pack in your pipeline first: bailiwick checks test. Then add it here.', actions: 'Actions', badName: 'Letters, digits, dot, dash and underscore.',
  },

  wanted: {
    operators: {
      ne: 'anything but', gte: 'at least', lte: 'at most', gt: 'more than', lt: 'less than', contains: 'contains', not_contains: 'does not contain', starts_with: 'begins with', ends_with: 'ends with', matches: 'matches', count_gte: 'entries, at least',
      count_lte: 'entries, at most', count_eq: 'entries, exactly',
    } as Record<string, string>,
    over: { all_match: 'every entry is', any_match: 'at least one entry where', none_match: 'no entry where' } as Record<string, string>,
    oneOf: 'one of', noneOf: 'none of', any: 'any of', not_empty: 'not empty', empty: 'empty', between: (a: string, b: string) => `${a} to ${b} entries`,
  },

  live: { refresh: 'Refresh', read: 'Read' },

  policies: {
    title: 'Policies', state: (directory: string | undefined) => (directory ? `The settings with the greatest effect in ${directory}, as they are now.` : 'The settings with the greatest effect, as they are now.'), table: 'Policies', policy: 'Policy', current: 'Now', secure: 'Secure', compliant: 'Compliant',
    yes: 'Secure', no: 'Not secure', unclear: 'Cannot be told', emptyTitle: 'Nothing to look at', fix: 'Fix', fixThis: 'Fix this', fixNamed: (name: string) => `Fix this: ${name}`, ca: 'Conditional Access', total: 'Policies', enabled: 'Enabled', reportOnly: 'Report-only', disabled: 'Off', notConnectedTitle: 'No connection reads this directory', notConnected: 'Live views need a read connection.', connect: 'Connect a directory', on: 'On', off: 'Off', oneOf: ' or ', noValue: 'not set', noEntry: 'none', guestRoles: {
      'a0b1b346-4d3e-4e8b-98f8-753987be4970': 'As members', '10dae51f-b6af-4016-8d66-8c2a99b929b3': 'Limited', '2af84b1e-32c8-42b7-82bc-daa82404023b': 'Restricted to their own profile',
    } as Record<string, string>,
    count: (good: number, bad: number) => `${n(good)} secure, ${n(bad)} not secure`,
  },

  threats: {
    title: 'Threats', state: (directory: string | undefined) => (directory ? `Identity risk in ${directory}, as Microsoft sees it now.` : 'Identity risk, as Microsoft sees it now.'), users: 'Risky users', detections: 'Risk detections', alerts: 'Alerts', person: 'Person', level: 'Risk', riskState: 'State', detail: 'Why', changed: 'Changed', kind: 'Detection', from: 'From', when: 'When', alert: 'Alert', severity: 'Severity',
    status: 'Status', category: 'Category', source: 'Source', more: 'There are more. Open Microsoft’s portal for all of them.', none: { users: 'Nobody is at risk.', detections: 'No risk was detected.', alerts: 'No alert is open.' }, openAlert: 'Open at Microsoft', needs: (permission: string) => `Needs the permission ${permission}.`, grant: 'See what is missing', shown: (k: number, more: boolean) => (more ? `the newest ${n(k)}` : count(k, 'entry', 'entries')),
  },

  checks: {
    title: 'Checks', state: (total: number | undefined) => (total === undefined ? 'Every check that scans judge by.' : `${count(total, 'check')} that scans judge by.`), table: 'Checks', check: 'Check', severity: 'Severity', product: 'Product', scan: 'Scan', frameworks: 'Frameworks', search: 'Search checks by id or title', emptyTitle: 'The catalogue is empty', empty: 'No check was shipped with this version.', framework: 'Framework',
    panel: { why: 'Why it matters', todo: 'What to do', facts: 'Facts', theme: 'Theme', scans: 'Scans', permissions: 'Permissions', licence: 'Licence', request: 'Request', fix: 'Fix recipe', yes: 'Yes', no: 'No', default: 'Microsoft’s default', rule: 'Rule', parameters: 'Thresholds', references: 'References', also: 'In other tools', frameworks: 'Frameworks', version: 'Version', id: 'Id' },
  },

  overview: { title: 'Microsoft 365', all: 'All scans', none: 'No scan has completed yet.', running: 'A scan is running', scanned: 'Scanned', open: (name: string) => `Newest scan of ${name}` },
};
