// For tests only: draws a page as the portal does, for a person with a role, with the API's answers given by the test.
import { FluentProvider, webLightTheme } from '@fluentui/react-components';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createMemoryHistory, createRootRoute, createRouter, RouterProvider } from '@tanstack/react-router';
import { act, type ReactElement } from 'react';
import { createRoot } from 'react-dom/client';
import table from '@/api/permissions.json';
import type { Fix, Me, Permission, Role } from '@/api/schema';
import { parseSearch, stringifySearch } from '@/paths';

/** What was asked: method and path, with the body where one was sent. */
export interface Asked {
  what: string;
  body: unknown;
}

type Answers = Record<string, unknown>;

const held = (role: Role) => Object.entries(table).filter(([, who]) => (who as string[]).includes(role)).map(([permission]) => permission as Permission);

export const me = (role: Role): Me => ({ name: 'Olivia', role, tenant_name: 'Contoso', permissions: held(role) }) as unknown as Me;

/** Answers by `GET /api/v1/fixes`, without the query; a function is asked each time. What is not there is a 404. */
export class Server {
  readonly asked: Asked[] = [];
  constructor(public answers: Answers) {}

  fetch = async (request: Request): Promise<Response> => {
    const what = `${request.method} ${new URL(request.url).pathname}`;
    const text = await request.text();
    this.asked.push({ what, body: text === '' ? undefined : JSON.parse(text) });
    const answer = this.answers[what];
    const body = typeof answer === 'function' ? (answer as () => unknown)() : answer;
    const problem = { title: 'Not found', code: 'not_found', detail: `${what} has no answer here.` };
    return new Response(JSON.stringify(body ?? problem), { status: body === undefined ? 404 : 200, headers: { 'content-type': 'application/json' } });
  };

  /** The bodies that were sent to an address. */
  sent(what: string): unknown[] {
    return this.asked.filter((each) => each.what === what).map((each) => each.body);
  }
}

export interface Drawn {
  /** The address as it is now. */
  href: () => string;
  text: () => string;
  /** The first thing of a role whose accessible name is this, or begins with it. */
  find: (role: string, name: string) => HTMLElement;
  missing: (role: string, name: string) => boolean;
  press: (role: string, name: string) => Promise<void>;
  type: (name: string, text: string) => Promise<void>;
  /** Waits until something is true of the page. */
  until: (what: () => unknown) => Promise<void>;
  close: () => Promise<void>;
}

export async function draw(page: ReactElement, { path, role, client = new QueryClient({ defaultOptions: { queries: { retry: false } } }) }: { path: string; role: Role; client?: QueryClient }): Promise<Drawn> {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  globalThis.ResizeObserver ??= class { observe() {} unobserve() {} disconnect() {} };
  // What jsdom lacks and the pages use.
  (globalThis as { CSS?: unknown }).CSS ??= { escape: (text: string) => text.replace(/[^\w-]/g, '\\$&') };
  window.scrollTo = () => undefined;
  client.setQueryData(['me'], me(role));
  const history = createMemoryHistory({ initialEntries: [path] });
  const root = createRootRoute({ component: () => page, notFoundComponent: () => page, validateSearch: (search: Record<string, unknown>) => search });
  const router = createRouter({ routeTree: root, history, parseSearch, stringifySearch });
  const box = document.createElement('div');
  document.body.append(box);
  const drawn = createRoot(box);
  await act(async () => {
    await router.load();
    drawn.render(
      <QueryClientProvider client={client}>
        <FluentProvider theme={webLightTheme}>
          <RouterProvider router={router as never} />
        </FluentProvider>
      </QueryClientProvider>,
    );
  });
  const found = (role: string, name: string) =>
    [...document.querySelectorAll<HTMLElement>(SELECTORS[role] ?? `[role=${role}]`)].find((each) => nameOf(each).startsWith(name));
  const self: Drawn = {
    href: () => history.location.href,
    text: () => document.body.textContent ?? '',
    missing: (role, name) => found(role, name) === undefined,
    find: (role, name) => {
      const element = found(role, name);
      if (!element) throw new Error(`No ${role} named ${name} in: ${document.body.textContent}`);
      return element;
    },
    press: async (role, name) => {
      const element = self.find(role, name);
      await act(async () => element.click());
    },
    type: async (name, text) => {
      const field = self.find('textbox', name) as HTMLTextAreaElement;
      const set = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value')!.set!;
      await act(async () => {
        set.call(field, text);
        field.dispatchEvent(new Event('input', { bubbles: true }));
      });
    },
    until: async (what) => {
      for (let tries = 0; tries < 4000; tries += 1) {
        if (what()) return;
        await act(async () => new Promise((done) => setTimeout(done, 5)));
      }
      throw new Error(`It did not come about: ${what} in: ${document.body.textContent}`);
    },
    close: async () => {
      await act(async () => drawn.unmount());
      box.remove();
    },
  };
  return self;
}

const SELECTORS: Record<string, string> = { button: 'button', link: 'a', heading: 'h1, h2, h3', textbox: 'textarea, input:not([type=checkbox]):not([type=radio])', checkbox: 'input[type=checkbox]', radio: 'input[type=radio]', group: '[role=group]' };

/** The accessible name, as far as these pages make one: a label, its field's label, or the text. */
function nameOf(element: HTMLElement): string {
  const by = element.getAttribute('aria-labelledby')?.split(' ').map((id) => document.getElementById(id)?.textContent ?? '').join(' ');
  const label = element.id && document.querySelector(`label[for="${CSS.escape(element.id)}"]`)?.textContent;
  return (element.getAttribute('aria-label') ?? by ?? (label || element.textContent) ?? '').trim();
}

/** Why a disabled button is disabled: what is read out with it. */
export function reasonOf(button: HTMLElement): string {
  const id = button.getAttribute('aria-describedby');
  return id ? (document.getElementById(id)?.textContent ?? '') : '';
}

const olivia = { kind: 'user', id: 'olivia', name: 'Olivia' } as const;

/** A proposed fix of guest invitations, with changes. */
export function aFix(change: Partial<Fix> = {}): Fix {
  return {
    id: 'fix-1', plan: 'plan-1', planned_at: '2026-11-22T08:00:00Z', planned_by: olivia, directory: { id: 'd1', name: 'Tailspin Toys' }, recipe: { id: 'entra.guest-invites', version: 1, title: 'Limit guest invitations', kind: 'patch' },
    checks: [{ check: 'entra.guest-invites', title: 'Guest invitations are limited', severity: 'medium' }], severity: 'medium', risk: 'low', blast_radius: 'People without a role can no longer invite guests.', rollback: 'Sets who may invite back.',
    permission: 'Policy.ReadWrite.Authorization', request: { method: 'PATCH', url: 'https://graph.example/v1.0/policies/authorizationPolicy', body: { allowInvitesFrom: 'adminsAndGuestInviters' } }, before: { allowInvitesFrom: 'everyone' },
    after: { allowInvitesFrom: 'adminsAndGuestInviters' }, changed: [{ path: 'allowInvitesFrom', before: 'everyone', after: 'adminsAndGuestInviters' }], digest: 'd'.repeat(64), state: 'proposed', report_only: false, approvals: [], approvals_needed: 2, steps: [],
    may: { approve: null, apply: 'Two approvals are missing.', roll_back: 'It was not applied.', withdraw: null, explain: 'No assistant is configured.' }, ...change,
  };
}
