// Scan settings as lines of text that a person edits, and back. Pure. What cannot be read is named, never dropped.

export interface Read<T> {
  value: T;
  /** The first line that cannot be read. */
  bad?: string;
}

export const GUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const lines = (text: string) => text.split('\n').map((line) => line.trim()).filter(Boolean);

/** One object id a line. */
export function readIds(text: string): Read<string[]> {
  const value = lines(text).map((line) => line.toLowerCase());
  return { value: [...new Set(value)], bad: value.find((line) => !GUID.test(line)) };
}

/** `check: id, id` a line. */
export function readLists(text: string): Read<Record<string, string[]>> {
  const value: Record<string, string[]> = {};
  for (const line of lines(text)) {
    const [, check, rest] = /^([^\s:]+)\s*:\s*(.+)$/.exec(line) ?? [];
    const ids = rest?.split(',').map((id) => id.trim()).filter(Boolean);
    if (!check || !ids?.length) return { value, bad: line };
    value[check] = [...new Set([...(value[check] ?? []), ...ids])];
  }
  return { value };
}

export const writeLists = (lists: Record<string, string[]>) => Object.entries(lists).map(([check, ids]) => `${check}: ${ids.join(', ')}`).join('\n');

type Parameters = Record<string, Record<string, unknown>>;

/** `check name = value` a line; the value is JSON, or else a word. */
export function readParameters(text: string): Read<Parameters> {
  const value: Parameters = {};
  for (const line of lines(text)) {
    const [, check, name, written] = /^(\S+)\s+(\S+)\s*=\s*(.+)$/.exec(line) ?? [];
    if (!check || !name || written === undefined) return { value, bad: line };
    (value[check] ??= {})[name] = readJson(written).value ?? written;
  }
  return { value };
}

export const writeParameters = (parameters: Parameters) =>
  Object.entries(parameters).flatMap(([check, names]) => Object.entries(names).map(([name, value]) => `${check} ${name} = ${JSON.stringify(value)}`)).join('\n');

/** Empty is null. */
export function readJson(text: string): Read<unknown> {
  if (text.trim() === '') return { value: null };
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { value: undefined, bad: text };
  }
}
