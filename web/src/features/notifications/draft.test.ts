import { describe, expect, it } from 'vitest';
import type { Channel } from '@/api/schema';
import { addressesIn, changeOf, configOf, draftOf, MOST_RECIPIENTS, problemsOf } from './draft';

const channel = (config: Channel['config']): Channel => ({
  id: 'c1', kind: config.kind, name: 'Security team', target: '…', state: 'working', config, rules: 0, waiting: 0, created_at: '2026-11-22T08:00:00Z', created_by: { kind: 'user', id: 'u1', name: 'Avery' },
});

const mail = channel({
  kind: 'smtp',
  recipients: [
    { member: 'm1', name: 'Avery', address: 'avery@contoso.com', mail: 'all' },
    { name: 'soc@contoso.com', address: 'soc@contoso.com', mail: 'none' },
  ],
});

describe('addresses', () => {
  it('stand one a line or with commas between, each once', () => {
    expect(addressesIn(' a@b.example\nc@d.example, A@B.example ;\n')).toEqual({ good: ['A@B.example', 'c@d.example'], bad: undefined });
  });

  it.each(['nobody', 'a@b', 'a b@c.example', 'Avery <a@b.example>', `${'a'.repeat(320)}@b.example`])('are not: %s', (text) => {
    expect(addressesIn(`good@b.example\n${text}`).bad).toBe(text);
  });
});

describe('a channel in its form', () => {
  it('is sent as members and addresses', () => {
    expect(configOf(draftOf(mail))).toEqual({ kind: 'smtp', recipients: [{ member: 'm1' }, { address: 'soc@contoso.com' }] });
  });

  it('is not sent at all while nothing differs', () => {
    expect(changeOf(draftOf(mail), mail)).toBeUndefined();
    expect(changeOf({ ...draftOf(mail), name: ' Security team ' }, mail)).toBeUndefined();
  });

  it('is sent with what differs', () => {
    expect(changeOf({ ...draftOf(mail), name: 'SOC' }, mail)).toEqual({ name: 'SOC', paused: null, config: null });
    expect(changeOf({ ...draftOf(mail), members: [] }, mail)?.config).toEqual({ kind: 'smtp', recipients: [{ address: 'soc@contoso.com' }] });
  });

  it('keeps an address that is a key unless another is written', () => {
    const hook = channel({ kind: 'webhook', url: 'https://desk.contoso.com/…' });
    expect(draftOf(hook).url).toBe('');
    expect(changeOf(draftOf(hook), hook)).toBeUndefined();
    expect(changeOf({ ...draftOf(hook), url: 'https://new.example/hook' }, hook)?.config).toEqual({ kind: 'webhook', url: 'https://new.example/hook' });
  });

  it('says which fields stand in the way', () => {
    const draft = draftOf(undefined);
    expect([...problemsOf(draft, true)]).toEqual(['name', 'recipients']);
    expect([...problemsOf({ ...draft, name: 'a', addresses: Array.from({ length: MOST_RECIPIENTS + 1 }, (_, i) => `a${i}@b.example`).join('\n') }, true)]).toEqual(['recipients']);
    expect([...problemsOf({ ...draft, name: 'a', kind: 'mailbox', addresses: 'a@b.example', client: 'x', mailbox: 'y' }, true)]).toEqual(['directory', 'client', 'mailbox']);
    expect([...problemsOf({ ...draft, name: 'a', kind: 'teams', url: 'javascript:alert(1)' }, true)]).toEqual(['url']);
    expect(problemsOf({ ...draft, name: 'a', kind: 'teams' }, true).has('url')).toBe(true);
    expect(problemsOf({ ...draft, name: 'a', kind: 'teams' }, false).size).toBe(0);
  });
});
