// Values and words of Microsoft's as people read them. Pure.
import { m } from '@/messages/microsoft365';

/** A setting's value on one line; `either` where a list means that one of them will do. */
export function wordOf(value: unknown, either = false): string {
  if (value === null || value === undefined) return m.policies.noValue;
  if (value === true) return m.policies.on;
  if (value === false) return m.policies.off;
  if (Array.isArray(value)) return value.length === 0 ? m.policies.noEntry : value.map((each) => wordOf(each)).join(either ? m.policies.oneOf : ', ');
  // Microsoft names what guests may see by the id of a role.
  if (typeof value === 'string' && Object.hasOwn(m.policies.guestRoles, value.toLowerCase())) return m.policies.guestRoles[value.toLowerCase()]!;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** `unfamiliarFeatures` as `Unfamiliar features`: Microsoft's own word, spaced. */
export function spaced(word: string): string {
  const text = word.replace(/([a-z0-9])([A-Z])/g, '$1 $2').replace(/_/g, ' ').toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
