// The pages against answers made up here: every state of a body, and what must never stay on the screen.
import { FluentProvider } from '@fluentui/react-components';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createMemoryHistory, createRootRoute, createRouter, RouterProvider } from '@tanstack/react-router';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Channel, Delivery, Me, NotificationOptions, NotificationPreview, NotificationRule, Permission } from '@/api/schema';
import { parseSearch, stringifySearch } from '@/paths';
import { followTheme } from '@/shell/preferences';
import { theme } from '@/shell/themes/light';
import { NotificationsPage } from './NotificationsPage';
import UnsubscribePage from './UnsubscribePage';

// The client takes these up when it is made, and asks for addresses without a host, which only a browser understands.
const wire = vi.hoisted(() => {
  const wire = { answer: (_: Request): Promise<Response> | Response => Response.error() };
  const Plain = globalThis.Request;
  class Relative extends Plain {
    constructor(input: RequestInfo | URL, init?: RequestInit) {
      super(typeof input === 'string' ? new URL(input, 'http://portal.example') : input, init);
    }
  }
  Object.assign(globalThis, { Request: Relative, fetch: async (input: Request | string, init?: RequestInit) => wire.answer(input instanceof Plain ? input : new Relative(input, init)) });
  return wire;
});

vi.mock('@/auth/session', () => ({ freshToken: async () => 'token', sessionEnded: () => undefined, currentSession: () => ({ kind: 'starting' }), onSessionChange: () => () => undefined }));

const me = (...permissions: Permission[]): Me =>
  ({ principal: { kind: 'user', id: 'u1', name: 'Avery' }, tenant: 't1', tenant_name: 'Contoso', role: 'owner', permissions }) as unknown as Me;
const OWNER: Permission[] = ['notifications.read', 'notifications.manage', 'members.read', 'directories.read', 'projects.read'];

const options: NotificationOptions = { smtp_from: 'bailiwick@example.com', teams_hosts: ['*.logic.azure.com'] };
const at = '2026-11-22T08:00:00Z';
const hook: Channel = {
  id: 'c1', kind: 'webhook', name: 'Incident desk', target: 'https://desk.contoso.com/…', state: 'broken', config: { kind: 'webhook', url: 'https://desk.contoso.com/…' }, rules: 1, waiting: 2,
  failure: { code: 'gone', detail: 'The address answered 410 five times.', at }, created_at: at, created_by: { kind: 'user', id: 'u1', name: 'Avery' },
};
const rule: NotificationRule = {
  id: 'r1', name: 'What got worse', channel: { id: 'c1', name: 'Incident desk' }, events: ['drift_regressed'], min_severity: 'high', min_regressions: 2, directories: [], projects: [],
  timing: { kind: 'daily', at: '07:30', time_zone: 'Europe/Berlin' }, enabled: true, gathered: 0, created_at: at,
};
const delivery: Delivery = {
  id: 'd1', kind: 'immediate', state: 'dead', channel: { id: 'c1', name: 'Incident desk', kind: 'webhook' }, event: 'drift_regressed', events: 1, subject: 'Contoso: 1 check got worse', attempts: 12, created_at: at,
};

/** `METHOD /path` -> what is answered. A number is a refusal with that status. What was asked for is kept. */
type Answers = Record<string, unknown>;
let asked: { call: string; body: unknown }[] = [];
let root: Root;

vi.setConfig({ testTimeout: 60_000 });

beforeEach(() => {
  asked = [];
  vi.stubGlobal('scrollTo', () => undefined);
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined, removeEventListener: () => undefined }));
  vi.stubGlobal('CSS', { escape: (text: string) => text });
  vi.stubGlobal('ResizeObserver', class { observe() {} unobserve() {} disconnect() {} });
  document.body.innerHTML = '<div id="root"></div>';
  root = createRoot(document.getElementById('root')!);
});
afterEach(() => {
  root.unmount();
  vi.unstubAllGlobals();
});

function answering(answers: Answers): void {
  wire.answer = async (request) => {
    const { pathname, search } = new URL(request.url);
    const call = `${request.method} ${pathname}`;
    asked.push({ call: call + search, body: request.method === 'GET' || !request.body ? undefined : await request.json() });
    const answer = answers[call];
    if (answer === undefined) return Response.json({ code: 'not_found', detail: `${call} is not answered here` }, { status: 404 });
    if (typeof answer === 'number') return Response.json({ code: 'refused', detail: 'It is refused.', request_id: 'req-7' }, { status: answer, headers: { 'x-request-id': 'req-7' } });
    return Response.json(answer);
  };
}

async function open(path: string, answers: Answers, permissions = OWNER): Promise<void> {
  answering({ 'GET /api/v1/me': me(...permissions), 'GET /api/v1/directories': { items: [] }, 'GET /api/v1/projects': { items: [] }, 'GET /api/v1/members': { items: [] }, 'GET /api/v1/notification-options': options, ...answers });
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  client.setQueryData(['me'], me(...permissions));
  const router = createRouter({ routeTree: createRootRoute({ component: NotificationsPage, validateSearch: (search: Record<string, unknown>) => search }), parseSearch, stringifySearch, history: createMemoryHistory({ initialEntries: [path] }) });
  await followTheme();
  root.render(
    <FluentProvider theme={theme}>
      <QueryClientProvider client={client}>
        <RouterProvider router={router as never} />
      </QueryClientProvider>
    </FluentProvider>,
  );
}

/** Waits for what is meant to come, however slow the machine. */
const comes = <T,>(look: () => T) => vi.waitFor(look, { timeout: 20_000 });
const words = () => document.body.textContent ?? '';
const sees = (text: string | RegExp) => comes(() => expect(words()).toMatch(text));
const button = (name: string) => [...document.querySelectorAll<HTMLButtonElement>('button')].find((each) => (each.getAttribute('aria-label') ?? each.textContent) === name);
async function press(name: string): Promise<void> {
  await comes(() => expect(button(name), `the button ${name}`).toBeTruthy());
  button(name)!.click();
}
async function write(label: string, text: string): Promise<void> {
  const name = await comes(() => [...document.querySelectorAll('label')].find((each) => each.textContent?.replace('*', '').trim() === label) ?? expect.fail(`no field ${label}`));
  const field = document.getElementById(name.htmlFor) as HTMLInputElement;
  // React listens for what the browser itself would set.
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value')!.set!.call(field, text);
  field.dispatchEvent(new Event('input', { bubbles: true }));
}

describe('channels', () => {
  it('that do not exist yet are explained, with the way to the first', async () => {
    await open('/notifications', { 'GET /api/v1/channels': { items: [] } });
    await sees('Nobody is told yet');
    expect(button('Add a channel')).toBeTruthy();
  });

  it('that cannot be loaded say why, with the request id', async () => {
    await open('/notifications', { 'GET /api/v1/channels': 500 });
    await sees('It is refused.');
    expect(words()).toContain('Request id req-7');
  });

  it('are refused to those without the permission, who read which one', async () => {
    await open('/notifications', {}, []);
    await sees('This needs the permission notifications.read');
  });

  it('show state, failure and what waits; a channel that rules use cannot be removed', async () => {
    await open('/notifications?item=c1', { 'GET /api/v1/channels': { items: [hook] }, 'GET /api/v1/channels/c1': hook });
    await sees('The address answered 410 five times.');
    expect(words()).toContain('It refused again and again.');
    expect(button('Remove')!.getAttribute('aria-disabled')).toBe('true');
    expect(button('Rotate the secret')!.getAttribute('aria-disabled')).toBeNull();
  });

  it('are looked at, not changed, without the right to', async () => {
    await open('/notifications?item=c1', { 'GET /api/v1/channels': { items: [hook] }, 'GET /api/v1/channels/c1': hook }, ['notifications.read']);
    await sees('The address answered 410 five times.');
    for (const name of ['Send a test', 'Pause', 'Change', 'Rotate the secret', 'Remove']) expect(button(name)!.getAttribute('aria-disabled'), name).toBe('true');
  });

  it('say what a test came to', async () => {
    await open('/notifications?item=c1', {
      'GET /api/v1/channels': { items: [hook] }, 'GET /api/v1/channels/c1': hook, 'POST /api/v1/channels/c1/test': { outcome: 'later', detail: 'The address did not answer within 10 s.', deliveries: [] },
    });
    await sees('About this channel');
    await press('Send a test');
    await sees('The test did not arrive.');
    expect(words()).toContain('The address did not answer within 10 s.');
  });

  it('of a webhook are made with an address, whose secret is shown once', async () => {
    const secret = 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=';
    await open('/notifications', { 'GET /api/v1/channels': { items: [] }, 'POST /api/v1/channels': { channel: hook, signing_secret: secret }, 'GET /api/v1/channels/c1': hook });
    await press('Add a channel');
    await sees('Mail from this environment');
    document.querySelector<HTMLInputElement>('input[type=radio][value=webhook]')!.click();
    await write('Name', 'Incident desk');
    await write('Address', 'https://desk.contoso.com/hooks/7');
    await press('Add');
    await sees('Your signing secret');
    expect(asked.find((each) => each.call === 'POST /api/v1/channels')?.body).toEqual({ name: 'Incident desk', config: { kind: 'webhook', url: 'https://desk.contoso.com/hooks/7' } });
    expect(document.querySelector<HTMLInputElement>('input[aria-label="Signing secret"]')!.value).toBe(secret);
    await press('I have stored it');
    await comes(() => expect(document.body.innerHTML).not.toContain(secret));
    expect(document.body.innerHTML).not.toContain('hooks/7');
  });

  it('by mail cannot be made where there is no mail server, and the form says so', async () => {
    await open('/notifications', { 'GET /api/v1/channels': { items: [] }, 'GET /api/v1/notification-options': { teams_hosts: [] } });
    await press('Add a channel');
    await sees('This environment has no mail server yet.');
    expect(button('Add')!.getAttribute('aria-disabled')).toBe('true');
  });
});

describe('rules', () => {
  it('are read as sentences', async () => {
    await open('/notifications/rules', { 'GET /api/v1/channels': { items: [hook] }, 'GET /api/v1/notification-rules': { items: [rule] } });
    await sees('When a scan or report got worse (2 or more regressions, high or worse), tell Incident desk every day at 07:30 (Europe/Berlin).');
  });

  it('are turned off by sending them whole', async () => {
    await open('/notifications/rules', { 'GET /api/v1/channels': { items: [hook] }, 'GET /api/v1/notification-rules': { items: [rule] }, 'PUT /api/v1/notification-rules/r1': { ...rule, enabled: false } });
    await press('Turn off What got worse');
    await comes(() => expect(asked.find((each) => each.call.startsWith('PUT'))?.body).toEqual({
      name: 'What got worse', channel: 'c1', events: ['drift_regressed'], min_severity: 'high', min_regressions: 2, directories: [], projects: [], timing: rule.timing, enabled: false,
    }));
  });
});

describe('deliveries', () => {
  it('that were given up can be tried again', async () => {
    const detail = { ...delivery, message_id: 'm1', tries: [{ number: 12, at, took_ms: 10_000, outcome: 'later', code: 'timeout', detail: 'No answer within 10 s.' }], about: [] };
    await open('/notifications/deliveries?item=d1', {
      'GET /api/v1/channels': { items: [hook] }, 'GET /api/v1/deliveries': { items: [delivery] }, 'GET /api/v1/deliveries/d1': detail, 'POST /api/v1/deliveries/d1/retry': { ...delivery, state: 'waiting' },
    });
    await sees('No answer within 10 s.');
    await press('Try again now');
    await comes(() => expect(asked.some((each) => each.call === 'POST /api/v1/deliveries/d1/retry')).toBe(true));
  });

  it('are none at first', async () => {
    await open('/notifications/deliveries', { 'GET /api/v1/channels': { items: [] }, 'GET /api/v1/deliveries': { items: [] } });
    await sees('Nothing was sent yet');
  });
});

describe('the preview of a mail', () => {
  it('is drawn in a frame that may do nothing', async () => {
    const preview: NotificationPreview = { event: 'drift_regressed', channel: 'smtp', sample: true, subject: 'Contoso: 1 check got worse', html: '<p>worse</p><script>alert(1)</script>', text: 'worse', size: 900 };
    await open('/notifications/preview', { 'GET /api/v1/notification-preview': preview });
    await sees('what is shown is made up');
    const frame = document.querySelector('iframe')!;
    expect(frame.getAttribute('sandbox')).toBe('');
    expect(frame.srcdoc).toContain('<p>worse</p>');
    expect(frame.srcdoc).not.toContain('script');
    expect(asked.find((each) => each.call.includes('preview'))?.call).toBe('GET /api/v1/notification-preview?event=drift_regressed&channel=smtp');
  });
});

describe('unsubscribing', () => {
  const show = () => root.render(<FluentProvider theme={theme}><UnsubscribePage /></FluentProvider>);

  it('waits for the button, takes the token out of the address, and can be taken back', async () => {
    history.replaceState(null, '', '/unsubscribe#tok%2Ben');
    answering({ 'POST /api/v1/unsubscribe': { address: 'a…y@contoso.com', tenant_name: 'Contoso', mail: 'none' } });
    show();
    await comes(() => expect(location.hash).toBe(''));
    expect(asked).toEqual([]);
    await press('Unsubscribe');
    await sees('No more notification mail of Contoso goes to a…y@contoso.com.');
    expect(asked.map((each) => each.call)).toEqual(['POST /api/v1/unsubscribe?token=tok%2Ben']);
    await press('Take it back');
    await comes(() => expect(asked.at(-1)?.call).toBe('POST /api/v1/unsubscribe?token=tok%2Ben&undo=true'));
  });

  it('says that a link is spent, or not whole', async () => {
    history.replaceState(null, '', '/unsubscribe#old');
    answering({ 'POST /api/v1/unsubscribe': 404 });
    show();
    await press('Unsubscribe');
    await sees('This link no longer works');
    root.unmount();
    root = createRoot(document.getElementById('root')!);
    show();
    await sees('This link is not whole');
  });
});
