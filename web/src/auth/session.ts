// Who is signed in. Microsoft's library is loaded only here and only when needed.
//
// Tokens are kept in sessionStorage: memory does not survive the redirect back from Microsoft nor a page reload, and renewing silently
// without stored tokens needs third-party cookies that browsers now refuse. sessionStorage ends with the tab and is not shared between
// tabs; the strict Content-Security-Policy keeps foreign scripts away from it. Cookie sessions, where no script can read a token (I8),
// replace this when the server offers them; nothing outside this file knows how the token is kept.
import type { AccountInfo, CacheLookupPolicy, IPublicClientApplication } from '@azure/msal-browser';
import type { PublicConfig, SignIn } from '@/api/schema';
import { safeReturnPath } from '@/paths';

export type Session =
  | { kind: 'starting' }
  | { kind: 'signed_out'; options: SignIn[]; product: string; reason?: 'ended' | 'refused'; detail?: string }
  | { kind: 'signed_in'; name: string; username: string; product: string; version: string }
  | { kind: 'unreachable'; detail: string };

const TAB_CHOICE = 'bailiwick.sign-in';
const LAST_CHOICE = 'bailiwick.last-sign-in';
const TRIED = 'bailiwick.sign-in-tried';

let session: Session = { kind: 'starting' };
let config: PublicConfig | undefined;
let library: { client: IPublicClientApplication; account?: AccountInfo; scope: string; refreshOnly: CacheLookupPolicy } | undefined;
const listeners = new Set<() => void>();

export const currentSession = () => session;
export function onSessionChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Asks the server how to sign in, takes up an answer from Microsoft or an earlier sign-in of this tab. */
export async function startSession(): Promise<void> {
  become({ kind: 'starting' });
  try {
    const response = await fetch('/api/v1/config');
    if (!response.ok) throw new Error(`/api/v1/config: ${response.status} ${response.statusText}`);
    config = (await response.json()) as PublicConfig;
  } catch (error) {
    return become({ kind: 'unreachable', detail: messageOf(error) });
  }
  const choice = chosen(sessionStorage.getItem(TAB_CHOICE));
  // Microsoft's sign-out page comes back to the start page with a state nobody needs. A consent comes back with one that is.
  if (!choice && location.pathname === '/' && location.search.startsWith('?state=')) history.replaceState(null, '', location.pathname);
  if (!choice) return resumeLast();
  try {
    const { client } = await open(choice);
    const answer = await client.handleRedirectPromise({ navigateToLoginRequestUrl: false });
    if (answer) history.replaceState(null, '', safeReturnPath(answer.state));
    enter(answer?.account ?? client.getAllAccounts()[0]);
  } catch (error) {
    // The answer in the address is spent; a reload must not try it again.
    history.replaceState(null, '', location.pathname + location.search);
    become(signedOut('refused', messageOf(error)));
  }
}

/** Leaves for Microsoft's sign-in page; comes back to the present address. */
export async function signIn(option: SignIn, another = false): Promise<void> {
  sessionStorage.setItem(TAB_CHOICE, keyOf(option));
  localStorage.setItem(LAST_CHOICE, keyOf(option));
  const { client } = await open(option);
  await client.loginRedirect({
    scopes: [option.scope],
    state: location.pathname + location.search,
    ...(another ? { prompt: 'select_account' } : {}),
  });
}

export async function signOut(): Promise<void> {
  localStorage.removeItem(LAST_CHOICE);
  sessionStorage.removeItem(TAB_CHOICE);
  const open = library;
  library = undefined;
  try {
    await open?.client.logoutRedirect({ account: open.account, postLogoutRedirectUri: `${location.origin}/` });
  } catch {
    // The authority offers no sign-out page: forgetting the tokens is what is left to do.
    await open?.client.clearCache();
    become(signedOut());
  }
}

/** An access token for the API, renewed when it is about to end. Ends the session when Microsoft will not renew it. */
export async function freshToken(): Promise<string> {
  if (!library?.account) throw endOfSession();
  try {
    const answer = await library.client.acquireTokenSilent({
      scopes: [library.scope],
      account: library.account,
      cacheLookupPolicy: library.refreshOnly,
    });
    return answer.accessToken;
  } catch (error) {
    const { InteractionRequiredAuthError } = await import('@azure/msal-browser');
    if (error instanceof InteractionRequiredAuthError) throw endOfSession();
    throw error;
  }
}

/** The server refused the token. */
export function sessionEnded(): void {
  if (session.kind === 'signed_in') become(signedOut('ended'));
}

function endOfSession(): Error {
  sessionEnded();
  return new Error('The session has ended.');
}

/** A new tab goes straight to Microsoft when this browser signed in before; once, so that a refusal does not loop. */
async function resumeLast(): Promise<void> {
  const last = chosen(localStorage.getItem(LAST_CHOICE));
  if (!last || sessionStorage.getItem(TRIED)) return become(signedOut());
  sessionStorage.setItem(TRIED, 'yes');
  try {
    await signIn(last);
  } catch (error) {
    become(signedOut('refused', messageOf(error)));
  }
}

async function open(option: SignIn) {
  const { CacheLookupPolicy, createStandardPublicClientApplication } = await import('@azure/msal-browser');
  const client = await createStandardPublicClientApplication({
    auth: {
      clientId: option.client_id,
      authority: option.authority,
      knownAuthorities: option.known_authority ? [option.known_authority] : [],
      redirectUri: `${location.origin}/`,
    },
    cache: { cacheLocation: 'sessionStorage' },
  });
  // Hidden frames are never used to renew: the policy of the page forbids them and browsers starve them of cookies.
  library = { client, scope: option.scope, refreshOnly: CacheLookupPolicy.AccessTokenAndRefreshToken };
  return library;
}

function enter(account: AccountInfo | undefined): void {
  if (!account || !library || !config) return become(signedOut());
  library.account = account;
  library.client.setActiveAccount(account);
  sessionStorage.removeItem(TRIED);
  become({ kind: 'signed_in', name: account.name ?? account.username, username: account.username, product: config.product, version: config.version });
}

function signedOut(reason?: 'ended' | 'refused', detail?: string): Session {
  return { kind: 'signed_out', options: config?.sign_in ?? [], product: config?.product ?? 'Bailiwick', reason, detail };
}

function become(next: Session): void {
  session = next;
  listeners.forEach((listener) => listener());
}

const keyOf = (option: SignIn) => `${option.authority} ${option.client_id}`;
const chosen = (key: string | null) => config?.sign_in.find((option) => keyOf(option) === key);
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
