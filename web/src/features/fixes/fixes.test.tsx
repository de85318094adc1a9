// @vitest-environment jsdom
import createClient from 'openapi-fetch';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Fix } from '@/api/schema';
import { PoliciesPage } from '@/features/scans/PoliciesPage';
import { ThreatsPage } from '@/features/scans/ThreatsPage';
import { FixesPage } from './FixesPage';
import { aFix, type Drawn, draw, reasonOf, Server } from './testing';

// Whole pages are drawn; how long that takes is the machine's affair.
vi.setConfig({ testTimeout: 120_000 });

const server = vi.hoisted(() => ({ now: undefined as unknown as Server }));
vi.mock('@/auth/session', () => ({ freshToken: async () => 'token', sessionEnded: () => undefined }));
vi.mock('@/api/client', async (original) => ({
  ...(await original<typeof import('@/api/client')>()),
  api: createClient({ baseUrl: 'http://portal.test', fetch: (request) => server.now.fetch(request) }),
}));

const reader = { id: 'c1', kind: 'read', state: 'working', label: 'Tailspin Toys', directory: { id: 'd1', name: 'Tailspin Toys' }, primary: true };
const settings = { directory: 'd1', settings: { enabled: true, second_approver: true, containment: true }, entitled: { fixes: true, containment: true }, writer: 'w1' };

function answers(fix: Fix, more: Record<string, unknown> = {}): Server {
  return new Server({
    'GET /api/v1/fixes': { items: [fix] }, [`GET /api/v1/fixes/${fix.id}`]: fix, 'GET /api/v1/connections': { items: [reader] }, 'GET /api/v1/fix-settings/d1': settings, 'GET /api/v1/containments': { items: [] }, ...more,
  });
}

let page: Drawn | undefined;
afterEach(() => page?.close());

async function opened(fix: Fix, role: 'owner' | 'member' = 'owner', more: Record<string, unknown> = {}): Promise<Drawn> {
  server.now = answers(fix, more);
  page = await draw(<FixesPage />, { path: `/fixes?item=${fix.id}`, role });
  await page.until(() => !page!.missing('heading', fix.recipe.title));
  return page;
}

describe('one fix', () => {
  it('shows both sides, who notices, the exact request, and who approved', async () => {
    const { text, find } = await opened(aFix({ state: 'awaiting_second', approvals: [{ by: { kind: 'user', id: 'a', name: 'Adam' }, at: '2026-11-22T08:05:00Z', note: 'Agreed', digest: 'd'.repeat(64) }] }));
    expect(find('group', 'allowInvitesFrom: Now').textContent).toContain('everyone');
    expect(find('group', 'allowInvitesFrom: Becomes').textContent).toContain('adminsAndGuestInviters');
    for (const word of ['can no longer invite guests', 'PATCH https://graph.example/v1.0/policies/authorizationPolicy', 'Adam', 'Agreed', '1 of 2 given']) expect(text()).toContain(word);
  });

  it('is approved with the digest that was shown, though it changed meanwhile', async () => {
    const shown = aFix();
    const { press, type, find, until } = await opened(shown, 'owner', { 'POST /api/v1/fixes/fix-1/approve': aFix({ state: 'awaiting_second' }) });
    await press('button', 'Approve');
    server.now.answers['GET /api/v1/fixes/fix-1'] = aFix({ digest: 'e'.repeat(64), blast_radius: 'Another thing.' });
    await type('Note', 'Read and agreed');
    find('heading', 'Approve this fix');
    const verbs = [...document.querySelectorAll<HTMLElement>('[role=dialog] button[type=submit]')];
    expect(verbs.map((verb) => verb.textContent)).toEqual(['Approve']);
    verbs[0]!.click();
    await until(() => server.now.sent('POST /api/v1/fixes/fix-1/approve').length > 0);
    expect(server.now.sent('POST /api/v1/fixes/fix-1/approve')).toEqual([{ digest: 'd'.repeat(64), note: 'Read and agreed' }]);
  });

  it('says why it cannot be applied, in the words of the server', async () => {
    const { find, missing } = await opened(aFix());
    expect(find('button', 'Apply').getAttribute('aria-disabled')).toBe('true');
    expect(reasonOf(find('button', 'Apply'))).toBe('Two approvals are missing.');
    expect(missing('button', 'Roll back')).toBe(true);
    expect(missing('button', 'Explain in words')).toBe(true);
  });

  it('names the permission that a member lacks', async () => {
    const { find } = await opened(aFix(), 'member');
    expect(reasonOf(find('button', 'Approve'))).toContain('fixes.approve');
  });

  it('of high risk is applied only by somebody who says they know who notices', async () => {
    const { press, find, until } = await opened(aFix({ state: 'approved', risk: 'high', may: { ...aFix().may, apply: null } }), 'owner', { 'POST /api/v1/fixes/fix-1/apply': aFix({ state: 'applying' }) });
    await press('button', 'Apply');
    const verb = () => document.querySelector<HTMLElement>('[role=dialog] button[type=submit]')!;
    expect(verb().getAttribute('aria-disabled')).toBe('true');
    await press('checkbox', 'I know who notices this.');
    expect(verb().getAttribute('aria-disabled')).not.toBe('true');
    verb().click();
    await until(() => server.now.sent('POST /api/v1/fixes/fix-1/apply').length > 0);
    expect(server.now.sent('POST /api/v1/fixes/fix-1/apply')).toEqual([{ digest: 'd'.repeat(64), at: null }]);
    find('heading', 'Limit guest invitations');
  });

  it('that was stopped shows what is there now', async () => {
    const failure = { code: 'changed', detail: 'allowInvitesFrom is not what was approved.', found: [{ path: 'allowInvitesFrom', before: 'everyone', after: 'none' }] } as const;
    const { find, text } = await opened(aFix({ state: 'stopped', failure: { ...failure, found: [...failure.found] }, steps: [{ at: '2026-11-22T08:06:00Z', purpose: 'apply', kind: 'read', method: 'GET', url: 'https://graph.example/v1.0/policies/authorizationPolicy', status: 200 }] }));
    expect(find('group', 'allowInvitesFrom: Expected').textContent).toContain('everyone');
    expect(find('group', 'allowInvitesFrom: Found').textContent).toContain('none');
    expect(text()).toContain('Stopped: the setting is not as it was reviewed');
    find('button', 'Plan again');
  });

  it('is followed while it is applied, until it is done', async () => {
    const step = (kind: 'read' | 'write' | 'reread', status?: number) => ({ at: '2026-11-22T08:06:00Z', purpose: 'apply' as const, kind, method: kind === 'write' ? 'PATCH' : 'GET', url: 'https://graph.example/x', status });
    const { until, text } = await opened(aFix({ state: 'applying', steps: [step('read', 200)] }));
    expect(document.querySelector('[role=progressbar]')).not.toBeNull();
    server.now.answers['GET /api/v1/fixes/fix-1'] = aFix({ state: 'applied', steps: [step('read', 200), step('write', 204), step('reread', 200)], applied_at: '2026-11-22T08:06:02Z' });
    await until(() => document.querySelector('[role=progressbar]') === null);
    expect(text()).toContain('It was sent once and read back as it should be.');
  });
});

describe('planning', () => {
  it('says that it writes nothing, and leads to the plan', async () => {
    server.now = answers(aFix(), { 'POST /api/v1/fix-plans': { id: 'plan-1', directory: reader.directory, created_at: '2026-11-22T08:00:00Z', by: aFix().planned_by, fixes: [aFix()], left_out: [] } });
    page = await draw(<FixesPage />, { path: '/fixes', role: 'member' });
    await page.until(() => page!.find('button', 'Plan fixes').getAttribute('aria-disabled') !== 'true');
    await page.press('button', 'Plan fixes');
    expect(page.text()).toContain('Planning writes nothing to the directory.');
    document.querySelector<HTMLElement>('[role=dialog] button[type=submit]')!.click();
    await page.until(() => page!.href().includes('plan=plan-1'));
    expect(server.now.sent('POST /api/v1/fix-plans')).toEqual([{ directory: 'd1', scan: null, recipes: [], policies: [] }]);
  });

  it('is held back where fixes are off, with the way to the settings', async () => {
    server.now = answers(aFix(), { 'GET /api/v1/fix-settings/d1': { ...settings, settings: { ...settings.settings, enabled: false } } });
    page = await draw(<FixesPage />, { path: '/fixes?start=yes', role: 'owner' });
    await page.until(() => page!.text().includes('Fixes are off for this directory.'));
    expect(document.querySelector('[role=dialog] button[type=submit]')!.getAttribute('aria-disabled')).toBe('true');
    expect(page.find('link', 'Fix settings').getAttribute('href')).toBe('/fixes/settings?of=d1');
  });

  it('from a policy goes the same way, by its key, and only where there is a recipe', async () => {
    const source = { state: 'ok' };
    const policy = (key: string, more: object) => ({ key, name: key, description: '', source, current: true, secure: false, compliant: false, ...more });
    const live = {
      directory: reader.directory, connection: 'c1', read_at: '2026-11-22T08:00:00Z', conditional_access: { source, total: 0, enabled: 0, report_only: 0, disabled: 0 },
      policies: [policy('guest_invites', {}), policy('secure_one', { compliant: true }), policy('by_hand', {})],
    };
    const recipe = { id: 'r', policies: ['guest_invites', 'secure_one'] };
    server.now = answers(aFix(), { 'GET /api/v1/policies': live, 'GET /api/v1/fix-recipes': { items: [recipe] }, 'POST /api/v1/fix-plans': { id: 'plan-2', directory: reader.directory, created_at: '2026-11-22T08:00:00Z', by: aFix().planned_by, fixes: [aFix({ id: 'fix-2' })], left_out: [] } });
    page = await draw(<PoliciesPage />, { path: '/policies', role: 'member' });
    await page.until(() => !page!.missing('button', 'Fix this: guest_invites'));
    expect(page.missing('button', 'Fix this: secure_one')).toBe(true);
    expect(page.missing('button', 'Fix this: by_hand')).toBe(true);
    await page.press('button', 'Fix this: guest_invites');
    await page.until(() => page!.href() === '/fixes?item=fix-2&plan=plan-2');
    expect(server.now.sent('POST /api/v1/fix-plans')).toEqual([{ directory: 'd1', scan: null, recipes: [], policies: ['guest_invites'] }]);
  });
});

describe('a person at risk', () => {
  const source = { source: { state: 'ok' }, items: [], more: false };
  const robin = { id: 'u1', name: 'Robin Pike', principal_name: 'robin@tailspin.example', level: 'high', state: 'atRisk', detail: 'none' };
  const live = { directory: reader.directory, connection: 'c1', read_at: '2026-11-22T08:00:00Z', risky_users: { ...source, items: [robin] }, detections: source, alerts: source };
  const done = { id: 'k1', directory: reader.directory, user: { id: 'u1', name: 'Robin Pike' }, revoke_sessions: false, disable: true, reason: 'Leaked', state: 'acting', by: aFix().planned_by, at: '2026-11-22T08:00:00Z', acts: [], steps: [], may: {} };

  it('is contained by two measures that do not depend on each other, with a reason', async () => {
    server.now = answers(aFix(), { 'GET /api/v1/threats': live, 'POST /api/v1/containments': done });
    page = await draw(<ThreatsPage />, { path: '/threats', role: 'admin' });
    await page.until(() => !page!.missing('button', 'Contain Robin Pike'));
    await page.press('button', 'Contain Robin Pike');
    const verb = () => document.querySelector<HTMLElement>('[role=dialog] button[type=submit]')!;
    expect(verb().getAttribute('aria-disabled')).toBe('true');
    await page.press('checkbox', 'Disable the account');
    expect(verb().getAttribute('aria-disabled')).toBe('true');
    await page.type('Reason', 'Leaked');
    expect(verb().getAttribute('aria-disabled')).not.toBe('true');
    verb().click();
    await page.until(() => page!.href() === '/fixes/contained?item=k1');
    expect(server.now.sent('POST /api/v1/containments')).toEqual([{ directory: 'd1', user: 'u1', revoke_sessions: false, disable: true, reason: 'Leaked' }]);
  });

  it('who is contained already shows it in place of the button', async () => {
    server.now = answers(aFix(), { 'GET /api/v1/threats': live, 'GET /api/v1/containments': { items: [{ ...done, state: 'contained' }] } });
    page = await draw(<ThreatsPage />, { path: '/threats', role: 'admin' });
    await page.until(() => !page!.missing('link', 'Contained'));
    expect(page.missing('button', 'Contain Robin Pike')).toBe(true);
  });
});
