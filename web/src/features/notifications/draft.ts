// A channel as it stands in the fields of its form: text until it is saved. Pure.
import type { Channel, ChannelChange, ChannelConfig, ChannelKind, Recipient, ShownRecipient } from '@/api/schema';
import { isWebUrl } from '@/shared/location';
import { GUID } from '@/features/scans/lines';

export interface Draft {
  kind: ChannelKind;
  name: string;
  /** Ids of members. */
  members: string[];
  /** One address a line. */
  addresses: string;
  directory: string;
  client: string;
  mailbox: string;
  /** Of a channel that is changed, empty means as it is: the address is never shown again. */
  url: string;
}

export const MOST_RECIPIENTS = 50;

const empty: Draft = { kind: 'smtp', name: '', members: [], addresses: '', directory: '', client: '', mailbox: '', url: '' };

export function draftOf(channel: Channel | undefined): Draft {
  if (!channel) return empty;
  const { config, kind, name } = channel;
  switch (config.kind) {
    case 'smtp':
      return { ...empty, kind, name, ...recipientsIn(config.recipients) };
    case 'mailbox':
      return { ...empty, kind, name, ...recipientsIn(config.recipients), directory: config.directory.id, client: config.client_id, mailbox: config.mailbox };
    case 'teams':
    case 'webhook':
      return { ...empty, kind, name };
  }
}

function recipientsIn(shown: ShownRecipient[]): Pick<Draft, 'members' | 'addresses'> {
  return {
    members: shown.flatMap((each) => (each.member ? [each.member] : [])),
    addresses: shown.filter((each) => !each.member).map((each) => each.address ?? each.name).join('\n'),
  };
}

/** The addresses of a text: one a line, or with commas or semicolons between; each once. */
export function addressesIn(text: string): { good: string[]; bad: string | undefined } {
  const all = [...new Map(text.split(/[\n,;]/).map((each) => each.trim()).filter(Boolean).map((each) => [each.toLowerCase(), each])).values()];
  return { good: all, bad: all.find((each) => !isAddress(each)) };
}

export const isAddress = (text: string) => /^[^\s@<>"]+@[^\s@<>"]+\.[^\s@<>"]+$/.test(text) && text.length <= 320;

export type Field = 'name' | 'recipients' | 'addresses' | 'directory' | 'client' | 'mailbox' | 'url';

/** The fields that stand in the way of saving. Which hosts are taken is the server's to say. */
export function problemsOf(draft: Draft, isNew: boolean): Set<Field> {
  const problems = new Set<Field>();
  if (!draft.name.trim()) problems.add('name');
  if (draft.kind === 'smtp' || draft.kind === 'mailbox') {
    const { good, bad } = addressesIn(draft.addresses);
    if (bad !== undefined) problems.add('addresses');
    const count = good.length + draft.members.length;
    if (count === 0 || count > MOST_RECIPIENTS) problems.add('recipients');
  }
  if (draft.kind === 'mailbox') {
    if (!draft.directory) problems.add('directory');
    if (!GUID.test(draft.client.trim())) problems.add('client');
    if (!isAddress(draft.mailbox.trim())) problems.add('mailbox');
  }
  if ((draft.kind === 'teams' || draft.kind === 'webhook') && (isNew || draft.url.trim() !== '') && !isWebUrl(draft.url.trim())) problems.add('url');
  return problems;
}

export function configOf(draft: Draft): ChannelConfig {
  const recipients: Recipient[] = [...draft.members.map((member) => ({ member })), ...addressesIn(draft.addresses).good.map((address) => ({ address }))];
  switch (draft.kind) {
    case 'smtp':
      return { kind: 'smtp', recipients };
    case 'mailbox':
      return { kind: 'mailbox', directory: draft.directory, client_id: draft.client.trim().toLowerCase(), mailbox: draft.mailbox.trim(), recipients };
    case 'teams':
    case 'webhook':
      return { kind: draft.kind, url: draft.url.trim() };
  }
}

/** What differs from the channel as it is; undefined when nothing does. */
export function changeOf(draft: Draft, channel: Channel): ChannelChange | undefined {
  const before = draftOf(channel);
  const name = draft.name.trim() === channel.name ? null : draft.name.trim();
  const secret = draft.kind === 'teams' || draft.kind === 'webhook';
  const moved = secret ? draft.url.trim() !== '' : JSON.stringify(configOf(draft)) !== JSON.stringify(configOf(before));
  return name === null && !moved ? undefined : { name, paused: null, config: moved ? configOf(draft) : null };
}
