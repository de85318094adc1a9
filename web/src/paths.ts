// Every address of the portal is built here, and only here. What a page shows (scope, filters, sort, the selected item, the compared
// pair) is in the address, so that it can be shared; nothing in it is a secret.

/** Search parameters of an address: plain words, never nested. */
export type Search = Record<string, string | undefined>;

/** The parameters every page keeps: what the whole portal is narrowed to. */
export const SCOPE_KEYS = ['directory', 'project'] as const;

export function withSearch(path: string, search: Search = {}): string {
  const text = stringifySearch(search);
  return path + text;
}

/** Empty values vanish and keys are sorted, so that the same view always has the same address. */
export function stringifySearch(search: Record<string, unknown>): string {
  const pairs = Object.entries(search)
    .filter((pair): pair is [string, string] => typeof pair[1] === 'string' && pair[1] !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const text = new URLSearchParams(pairs).toString();
  return text ? `?${text}` : '';
}

export function parseSearch(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text.startsWith('?') ? text.slice(1) : text));
}

/** A path of this portal to go back to after sign-in; anything that could leave the origin becomes the start page. */
export function safeReturnPath(path: string | undefined | null): string {
  if (!path || !/^\/(?![/\\])/.test(path) || /[\u0000-\u001f\\]/.test(path)) return paths.overview();
  return path;
}

const part = encodeURIComponent;

export const paths = {
  overview: (search?: Search) => withSearch('/', search),
  findings: (search?: Search) => withSearch('/findings', search),
  changes: (search?: Search) => withSearch('/changes', search),
  runs: (search?: Search) => withSearch('/runs', search),
  run: (run: string, search?: Search) => withSearch(`/runs/${part(run)}`, search),
  // The name is a parameter because the server takes a path that ends like a file for a file.
  report: (run: string, name: string, search?: Search) => withSearch(`/runs/${part(run)}/report`, { ...search, name }),
  reports: (search?: Search) => withSearch('/reports', search),
  controls: (search?: Search) => withSearch('/controls', search),
  trail: (search?: Search) => withSearch('/trail', search),
  settings: (tab: SettingsTab = 'general', search?: Search) => withSearch(tab === 'general' ? '/settings' : `/settings/${tab}`, search),
  directories: (search?: Search) => withSearch('/directories', search),
  connect: (search?: Search) => withSearch('/connect', search),
  /** Where Microsoft sends people back to after a consent; the server and the application registration know it by this address. */
  consent: (search?: Search) => withSearch('/connect/consent', search),
  scans: (tab: ScansTab = 'history', search?: Search) => withSearch(tab === 'history' ? '/scans' : `/scans/${tab}`, search),
  scan: (scan: string, search?: Search) => withSearch(`/scans/${part(scan)}`, search),
  policies: (search?: Search) => withSearch('/policies', search),
  threats: (search?: Search) => withSearch('/threats', search),
  fixes: (tab: FixesTab = 'list', search?: Search) => withSearch(tab === 'list' ? '/fixes' : `/fixes/${tab}`, search),
  // A check's id has dots, so it is a parameter: the server takes a path that ends like a file for a file.
  checks: (search?: Search) => withSearch('/checks', search),
  notifications: (tab: NotificationsTab = 'channels', search?: Search) => withSearch(tab === 'channels' ? '/notifications' : `/notifications/${tab}`, search),
  /** Where mails lead to, with a token behind the hash; the only page that works without a sign-in. */
  unsubscribe: () => '/unsubscribe',
  /** Of the API. Works only with a token in the request's header. */
  artifact: (run: string, name: string) => `/api/v1/runs/${part(run)}/artifacts/${part(name)}`,
};

export const SETTINGS_TABS = ['general', 'members', 'projects', 'keys', 'submit'] as const;
export type SettingsTab = (typeof SETTINGS_TABS)[number];

export const SCANS_TABS = ['history', 'schedules', 'settings', 'packs'] as const;
export type ScansTab = (typeof SCANS_TABS)[number];

export const NOTIFICATIONS_TABS = ['channels', 'rules', 'deliveries', 'preview', 'me'] as const;
export type NotificationsTab = (typeof NOTIFICATIONS_TABS)[number];

export const FIXES_TABS = ['list', 'contained', 'recipes', 'settings'] as const;
export type FixesTab = (typeof FIXES_TABS)[number];
