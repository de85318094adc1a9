// A change as people read it: member by member, each leaf once, lists entry by entry, long texts folded. Pure.

/** What became of a leaf. A create only adds, so `added` covers it; `removed` is a member that will be gone. */
export type Turn = 'changed' | 'added' | 'removed' | 'same';

export interface Line {
  /** `defaultUserRolePermissions.allowedToCreateApps` */
  path: string;
  turn: Turn;
  before: unknown;
  after: unknown;
}

export interface Member {
  path: string;
  before?: unknown;
  after?: unknown;
}

type Tree = Record<string, unknown>;

const absent = (value: unknown) => value === undefined || value === null;
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Equal as JSON, whatever the order of members. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (absent(a) || absent(b)) return absent(a) && absent(b);
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((each, index) => same(each, b[index]));
  if (!isTree(a) || !isTree(b)) return false;
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => same(a[key], b[key]));
}

/** Every leaf of the members a change touches. Those that stay are among them, so that nobody has to guess what is sent along. */
export function lines(members: Member[]): Line[] {
  return members.flatMap(({ path, before, after }) => leaves(path, before, after));
}

function leaves(path: string, before: unknown, after: unknown): Line[] {
  const tree = [before, after].every((value) => absent(value) || isTree(value)) && [before, after].some((value) => isTree(value) && Object.keys(value).length > 0);
  if (!tree) return [{ path, turn: turnOf(before, after), before, after }];
  const [from, to] = [isTree(before) ? before : {}, isTree(after) ? after : {}];
  return [...new Set([...Object.keys(from), ...Object.keys(to)])].flatMap((key) => leaves(path === '' ? key : `${path}.${key}`, from[key], to[key]));
}

function turnOf(before: unknown, after: unknown): Turn {
  if (same(before, after)) return 'same';
  return absent(before) ? 'added' : absent(after) ? 'removed' : 'changed';
}

/** One entry of a value: text, and whether the other side has it too. */
export interface Entry {
  text: string;
  /** Only on this side. */
  own: boolean;
}

/** A value as entries: a list one by one, everything else as one. Nothing at all is no entry. */
export function entries(value: unknown, other: unknown): Entry[] {
  if (absent(value)) return [];
  if (!Array.isArray(value)) return [{ text: textOf(value), own: true }];
  const there = Array.isArray(other) ? other : [];
  return value.map((each) => ({ text: textOf(each), own: !there.some((one) => same(one, each)) }));
}

/** A scalar as it is, without quotes; anything else as JSON. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value === '' ? '""' : value;
  return JSON.stringify(value, null, typeof value === 'object' ? 2 : undefined);
}

export interface Folded {
  head: string;
  /** What is folded away; undefined when all is shown. */
  rest: { lines: number } | undefined;
}

const LINES = 8;
const LETTERS = 480;

/** The head of a long text: whole lines as far as they go, and never half a letter. */
export function fold(text: string): Folded {
  const all = text.split('\n');
  if (all.length <= LINES && text.length <= LETTERS) return { head: text, rest: undefined };
  let head = all.slice(0, LINES - 2).join('\n');
  if (head.length > LETTERS) head = [...head.slice(0, LETTERS)].slice(0, -1).join('');
  return { head, rest: { lines: all.length } };
}

/**
 * What a fix is about, whole: what changes, and what was read beside it and stays. Should the whole not show everything that the server
 * says changes, the server's list stands.
 */
export function membersOf(fix: { changed: Member[]; before?: unknown; after?: unknown }): Member[] {
  const whole = [{ path: '', before: fix.before, after: fix.after }];
  const moved = lines(whole).filter((line) => line.turn !== 'same').map((line) => line.path);
  const told = fix.changed.every(({ path }) => moved.some((each) => each === path || each.startsWith(`${path}.`) || path.startsWith(`${each}.`)));
  return told && moved.length > 0 ? whole : fix.changed;
}

/** A change the other way round, for going back. */
export const reversed = (members: Member[]): Member[] => members.map(({ path, before, after }) => ({ path, before: after, after: before }));
