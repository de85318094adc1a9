// Every word of the section Notifications that does not come from the server, and of the page that takes people off it.
import type { ChannelKind, ChannelState, DeliveryKind, DeliveryState, EventKind, MailPreference, Timing, TryOutcome } from '@/api/schema';
import { en } from './en';

const { count } = en;
const num = (value: number) => value.toLocaleString('en');

const kinds: Record<ChannelKind, string> = { smtp: 'E-mail', mailbox: 'Your own mailbox', teams: 'Teams', webhook: 'Webhook' };
const kindNotes: Record<ChannelKind, string> = {
  smtp: 'Mail from this environment’s mail server to the people you name.',
  mailbox: 'Mail from a mailbox of your own directory, sent through Microsoft Graph without any secret.',
  teams: 'A card in a Teams channel, posted to a workflow you create there.',
  webhook: 'A signed JSON message to an address of yours, by the Standard Webhooks scheme.',
};
const states: Record<ChannelState, string> = { untried: 'Not tried yet', working: 'Working', failing: 'Failing', broken: 'Broken', paused: 'Paused' };
const stateNotes: Record<ChannelState, string> = {
  untried: 'Nothing was sent through it since it was made or changed. Send a test.',
  working: 'The last delivery arrived.',
  failing: 'The last delivery did not arrive and is tried again.',
  broken: 'It refused again and again. Nothing is sent until somebody changes it or a test arrives.',
  paused: 'Somebody paused it. What happens meanwhile is not told later.',
};
const deliveryStates: Record<DeliveryState, string> = { waiting: 'Waiting', retrying: 'Tried again later', delivered: 'Delivered', dead: 'Given up', dropped: 'Taken back' };
const deliveryNotes: Record<DeliveryState, string> = {
  waiting: 'It is sent next.', retrying: 'It did not get through and is tried again by itself.', delivered: 'The other side took it.', dead: 'It was refused for good, or nobody took it for three days.',
  dropped: 'It was taken back before it was sent: the person unsubscribed, or the channel was paused or removed.',
};
const deliveryKinds: Record<DeliveryKind, string> = { immediate: 'Message', digest: 'Digest', test: 'Test', notice: 'Notice about the channel' };
const outcomes: Record<TryOutcome, string> = { delivered: 'Arrived', later: 'Did not arrive', broken: 'Refused' };
const events: Record<EventKind, string> = {
  drift_regressed: 'A scan or report got worse', scan_failed: 'A scan failed', run_failed: 'A report could not be read', fix_waiting: 'A fix waits for approval', fix_done: 'A fix was applied, stopped or rolled back',
};
const eventNotes: Record<EventKind, string> = {
  drift_regressed: 'At least one check came out worse than in the run before. A run without a regression sends nothing.',
  scan_failed: 'Nothing was judged, so nobody knows whether something got worse.',
  run_failed: 'A file that was sent is no report Bailiwick can read.',
  fix_waiting: 'Somebody planned or approved a fix, and it needs another approval.',
  fix_done: 'A fix ended, in whatever way.',
};
const days: Record<Extract<Timing, { kind: 'weekly' }>['day'], string> = { monday: 'Monday', tuesday: 'Tuesday', wednesday: 'Wednesday', thursday: 'Thursday', friday: 'Friday', saturday: 'Saturday', sunday: 'Sunday' };
const mails: Record<MailPreference, string> = { all: 'Everything my channels send', digest: 'Digests only', none: 'No mail' };
const mailNotes: Record<MailPreference, string> = {
  all: 'Mail at once and digests, as the rules of the tenant say.',
  digest: 'Daily and weekly digests. What a rule would mail at once is left out.',
  none: 'No notification reaches you by mail. Teams and webhooks go on, and everything stays in the portal.',
};

export const notifications = {
  kinds, kindNotes, states, stateNotes, deliveryStates, deliveryNotes, deliveryKinds, outcomes, events, eventNotes, days, mails, mailNotes,

  title: 'Notifications', state: 'Who is told what changed, where they are, and when.',
  /** What of the channels needs somebody first. */
  standing: (broken: string[], failing: string[], all: number) =>
    broken.length === 1 ? `${broken[0]} is broken: nothing reaches it until somebody puts it right.`
      : broken.length > 1 ? `${count(broken.length, 'channel')} are broken: nothing reaches them until somebody puts them right.`
        : failing.length === 1 ? `${failing[0]} did not take the last message; it is tried again.`
          : failing.length > 1 ? `${count(failing.length, 'channel')} did not take the last message; it is tried again.`
            : `${count(all, 'channel')}, none with a problem.`, tabs: 'Notification sections',
  tab: { channels: 'Channels', rules: 'Rules', deliveries: 'Deliveries', preview: 'Preview', me: 'My preferences' },

  sentence: {
    events: {
      drift_regressed: 'a scan or report got worse', scan_failed: 'a scan failed', run_failed: 'a report could not be read', fix_waiting: 'a fix waits for approval', fix_done: 'a fix ended',
    } as Record<EventKind, string>,
    nothing: 'Choose at least one event.', noChannel: 'a channel', project: (name: string) => `project ${name}`, where: (places: string) => `in ${places}`,
    whole: (what: string, channel: string, when: string) => `When ${what}, tell ${channel} ${when}.`,
    atLeast: (least: number) => `${num(least)} or more regressions`, severe: (severity: string) => `${en.severities[severity as 'high'].toLowerCase()} or worse`,
    atOnce: 'at once', daily: (at: string, zone: string) => `every day at ${at} (${zone})`, weekly: (day: string, at: string, zone: string) => `every ${day} at ${at} (${zone})`,
  },

  channels: {
    table: 'Channels', lead: 'A channel is a place Bailiwick tells things to. Rules say what each one is told.', name: 'Name', kind: 'Kind', target: 'Goes to', state: 'State', last: 'Last delivery', rules: 'Rules', none: 'None yet', add: 'Add a channel',
    emptyTitle: 'Nobody is told yet',
    empty: 'A channel is a mailbox, a Teams channel or a webhook. Add one, send it a test, then write a rule that says when to use it. A run without a regression never sends anything.',
    noRule: 'No rule uses it', ruleCount: (k: number) => count(k, 'rule'),
  },

  channel: {
    actions: 'Actions', test: 'Send a test', testing: 'Sending a test', testOf: 'Outcome of the test', pause: 'Pause', resume: 'Resume', change: 'Change', remove: 'Remove', rotate: 'Rotate the secret', paused: 'Channel paused.', resumed: 'Channel works again.',
    changed: 'Channel changed.', added: 'Channel added.', removed: 'Channel removed.', removeTitle: (name: string) => `Remove ${name}`,
    removeBody: 'Nothing more is sent to it, what waits is dropped, and its address and secrets are destroyed. Past deliveries stay in the list.', inUse: (rules: number) => `${count(rules, 'rule')} ${rules === 1 ? 'uses' : 'use'} it. Remove or change ${rules === 1 ? 'it' : 'them'} first.`,
    rotateTitle: (name: string) => `Rotate the secret of ${name}`, rotateBody: 'A new signing secret is shown once. For a day every message is signed with the old one as well, so that your receiver can be changed in peace.',
    secretTitle: 'Your signing secret', secret: 'Put it into your receiver now: it is not shown again. Every message is signed with it.', secretField: 'Signing secret', copySecret: 'Copy secret', stored: 'I have stored it', notWebhook: 'Only webhooks have a signing secret.',
    oldUntil: (when: string) => `The old secret signs beside the new one until ${when}.`,
    facts: 'About this channel', created: 'Added', by: 'By', failure: 'Why it fails', at: 'When', where: 'Goes to', recipients: 'Recipients', mailbox: 'Mailbox', directory: 'Directory', address: 'Address', client: 'Application (client) id', waiting: 'Waiting', noAddressOf: 'no address: nothing is sent', wants: { all: '', digest: 'digests only', none: 'wants no mail' } as Record<MailPreference, string>,
    deliveries: 'Its deliveries', ruleList: 'Rules that use it', addRule: 'Add a rule for it', delivered: 'The test arrived.', later: 'The test did not arrive. Deliveries like it are tried again by themselves.', broken: 'The test was refused. Nothing more is sent until this is put right.',
  },

  form: {
    add: 'Add a channel', change: (name: string) => `Change ${name}`, save: 'Save', create: 'Add', kind: 'Where to', name: 'Name', nameHint: 'As rules and lists name it, such as Security team.',
    members: 'Members', membersNone: 'Nobody', membersHint: 'Each gets a mail of their own, and can say how much of it they want.', addresses: 'Other addresses', addressesHint: 'One a line, such as a distribution list or the mailbox of a ticket system. At most 50 recipients together.', noMemberAddress: 'no address', badAddress: (text: string) => `Not an e-mail address: ${text}`, noRecipient: 'At least one member or address.', tooMany: (most: number) => `At most ${num(most)} recipients.`,
    directory: 'Directory of the mailbox', noDirectory: 'Connect a directory first.', noIdentity: 'This environment has no federated identity, so it cannot send from your mailbox without a secret. Its operator can set one.', mailbox: 'Mailbox to send from', mailboxHint: 'Such as security-notices@contoso.com. A shared mailbox will do and needs no licence.',
    teamsUrl: 'Address of the workflow', teamsHint: 'As Teams shows it when the workflow is saved. Whoever has it can post, so it is kept sealed and shown masked.', teamsHosts: (hosts: string) => `Taken from these hosts: ${hosts}.`, badUrl: 'An address that begins with https://.', keepUrl: 'Leave it empty to keep the address as it is.',
    webhookUrl: 'Address', webhookHint: 'https, reachable from the internet. Redirects are not followed.', noMail: 'This environment has no mail server yet. Its operator sets one under [mail] in the configuration.',
    how: 'On Microsoft’s side', howOther: 'On your side', from: 'Sent from',
    steps: {
      smtp: ['Nothing to set up at Microsoft. If mail does not arrive, allow the sender in Defender (Policies, Tenant Allow/Block Lists), and look into quarantine.'],
      mailbox: [
        'In Entra, register an application, add the federated credential below to it, and grant it the application permission Mail.Send: there is no secret to keep.',
        'In Exchange Online, limit it to this one mailbox with the command below. Without that it could send from every mailbox.',
      ],
      teams: ['In Teams, open the channel’s menu, Workflows, and choose “Post to a channel when a webhook request is received”.', 'Copy the address it shows at the end, and keep a second owner on the workflow: it stops when its only owner leaves.'],
      webhook: ['Have your receiver answer 2xx within 10 seconds and check the signature headers webhook-id, webhook-timestamp and webhook-signature.', 'The signing secret is shown once, right after you add the channel. Libraries for it exist under the name Standard Webhooks.'],
    } as Record<ChannelKind, string[]>,
    clientId: 'Application (client) id', badClient: 'A GUID, as Entra shows it on the application’s overview.', issuer: 'Issuer', subject: 'Subject identifier', audience: 'Audience', policyCommand: 'Limit to the mailbox (Exchange Online PowerShell)', federated: 'Federated credential to add',
  },

  rules: {
    table: 'Rules', lead: 'A rule says when which channel is told. Without a rule, a channel stays silent.', add: 'Add a rule', change: 'Change', changeNamed: (name: string) => `Change ${name}`, remove: 'Remove', removeNamed: (name: string) => `Remove ${name}`, removeTitle: (name: string) => `Remove ${name}`,
    removeBody: 'What it would have sent is sent no more, and what it gathered for a digest is dropped. What it sent stays in the list.', removed: 'Rule removed.', added: 'Rule added.', changed: 'Rule changed.', name: 'Name', says: 'What it does', state: 'State', on: 'On', off: 'Off', next: 'Next digest', gathered: (k: number) => `${count(k, 'event')} gathered`, actions: 'Actions', ofChannel: (name: string) => `Rules that tell ${name}.`,
    emptyTitle: 'No rules', empty: 'Add one, such as: when a scan or report got worse, tell Security team at once.', noChannel: 'Add a channel first.', turnOn: 'Turn on', turnOff: 'Turn off', turnOnNamed: (name: string) => `Turn on ${name}`, turnOffNamed: (name: string) => `Turn off ${name}`,
    turnedOn: 'Rule turned on.', turnedOff: 'Rule turned off.',
  },

  rule: {
    add: 'Add a rule', save: 'Save', name: 'Name', channel: 'Tell', events: 'When', least: 'At least how many regressions', leastHint: 'Of one run', badLeast: 'Between 1 and 100,000.', severity: 'How severe', onlyDrift: 'Count and severity concern scans and reports that got worse.', anySeverity: 'Any severity',
    orWorse: (severity: string) => `${severity} or worse`, directories: 'Directories', projects: 'Projects', all: 'All', chosen: (k: number) => `${num(k)} chosen`, timing: 'How soon', immediate: 'At once', daily: 'In a daily digest', weekly: 'In a weekly digest', day: 'On', at: 'At', zone: 'Time zone', badZone: 'Choose a zone of the list.',
    enabled: 'Sends', sentence: 'In words', next: 'Next digests',
  },

  deliveries: {
    table: 'Deliveries', lead: 'Everything that was sent or waits to be, newest first.', subject: 'What', channel: 'Channel', state: 'State', attempts: 'Tries', at: 'Made', next: 'Next try', delivered: 'Arrived', retry: 'Try again now', retried: 'It is tried again now.', notNow: 'Only what was given up can be tried again; the rest is tried by itself.', notTest: 'This was a test. Send another one from the channel.',
    emptyTitle: 'Nothing was sent yet', empty: 'Deliveries appear when a rule applies, or when a test is sent. No regression, no message.', filterState: 'State', filterChannel: 'Channel', rule: 'Rule', event: 'Event', about: 'What it tells', run: 'The run', scan: 'The scan', fix: 'The fix', changes: 'What changed', history: 'History', tries: 'Tries', none: 'Not tried yet.',
    id: 'Id', messageId: 'Message id', idNote: 'The same on every try, so that a receiver can tell a repeated message.', took: (ms: number) => (ms < 1000 ? `${num(ms)} ms` : `${(ms / 1000).toLocaleString('en', { maximumFractionDigits: 1 })} s`), tryNumber: (k: number) => `Try ${num(k)}`, kind: 'Kind',
    recipient: 'To', facts: 'About this delivery', digestOf: (k: number) => `Digest of ${count(k, 'event')}`, failure: 'Why it has not arrived', 
  },

  preview: {
    lead: 'What would be sent, made from your newest event of this kind.', sample: 'Nothing of this kind has happened yet, so what is shown is made up.', event: 'Event', kind: 'Channel', subject: 'Subject', html: 'Mail', text: 'Text part', card: 'Card', json: 'JSON', payload: 'Payload', headers: 'Headers', frame: (subject: string) => `Mail: ${subject}`,
    show: { light: 'Show in light', dark: 'Show in dark' }, linksOff: 'Links lead nowhere here. The frame runs no script and loads nothing.', views: 'Parts of the message', unread: (k: number) => `${count(k, 'part')} of the card can only be seen as JSON.`, noCard: 'This card can only be seen as JSON.', asTeams: 'As Teams shows it, roughly', bytes: 'Size',
    verifyNote: 'The signature covers webhook-id, webhook-timestamp and the body as it came, joined by dots. Refuse what is older than five minutes, and what came before under the same id.', opens: (url: string) => `Opens ${url}`,
  },

  me: {
    title: 'My preferences', lead: 'How much of the tenant’s mail reaches you. It changes nothing for others.', mail: 'Mail to me', save: 'Save', saved: 'Preference saved.', noChange: 'Nothing has changed.', address: 'Your address', noAddress: 'You have no mail address here, so no mail reaches you. An owner can add one under Settings, Members.', byLink: 'Chosen by the link in a mail', byHand: 'Chosen here',
  },

  unsubscribe: {
    title: 'Stop mail from Bailiwick', lead: 'The address this link was sent to gets no more notification mail of this tenant. Other people still get theirs.', verb: 'Unsubscribe', sending: 'Unsubscribing', doneTitle: 'You are unsubscribed',
    done: (address: string, tenant: string) => `No more notification mail of ${tenant} goes to ${address}.`, undo: 'Take it back', undoneTitle: 'You get mail again', undone: (address: string, tenant: string) => `Notification mail of ${tenant} goes to ${address} again.`, back: 'Choose in the portal how much mail you get', spentTitle: 'This link no longer works', spent: 'It was made for another address, or the address is no longer told anything. Sign in and choose under Notifications, My preferences.',
    failedTitle: 'That did not work', noTokenTitle: 'This link is not whole', noToken: 'Open the link of the mail again, or copy all of it.',
  },
};
