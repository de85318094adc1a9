// What a rule wants, in words: an operator and its value, and conditions over the members of things. Pure. What is not known here is
// shown as it is written, so that nothing of a rule is hidden.
import { m } from '@/messages/microsoft365';

const words = m.wanted;

const show = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** One operator with its value on one line; undefined when it is not known here. */
function comparison(operator: string, value: unknown): string | undefined {
  const word = words.operators[operator];
  if (word) return `${word} ${show(value)}`.trim();
  if (operator === 'eq' || operator === 'eq_ci') return show(value);
  if ((operator === 'in' || operator === 'not_in') && Array.isArray(value)) return `${operator === 'in' ? words.oneOf : words.noneOf} ${value.map(show).join(', ')}`;
  if ((operator === 'not_empty' || operator === 'empty') && value === true) return words[operator];
  if (operator === 'count_between' && Array.isArray(value)) return words.between(show(value[0]), show(value[1]));
  return undefined;
}

/** A condition over members, a line each, indented by its depth; undefined when any part of it is not known here. */
function condition(of: unknown, depth: number): string[] | undefined {
  if (!isObject(of)) return undefined;
  const indent = '  '.repeat(depth);
  const keys = Object.keys(of).sort().join();
  for (const key of ['all', 'any'] as const) {
    if (keys !== key || !Array.isArray(of[key])) continue;
    const parts = of[key].map((part) => condition(part, key === 'any' ? depth + 1 : depth));
    if (parts.some((part) => part === undefined)) return undefined;
    const lines = (parts as string[][]).flat();
    return key === 'any' ? [`${indent}${words.any}`, ...lines] : lines;
  }
  if (keys !== 'op,path,value') return undefined;
  const over = words.over[String(of.op)];
  if (over) {
    const inner = condition(of.value, depth + 1);
    return inner && [`${indent}${show(of.path)}: ${over}`, ...inner];
  }
  const said = comparison(String(of.op), of.value);
  return said === undefined ? undefined : [`${indent}${show(of.path)}: ${said}`];
}

export function wantedText(expected: unknown): string | undefined {
  if (!isObject(expected) || typeof expected.operator !== 'string' || !('value' in expected)) return undefined;
  const { operator, value } = expected;
  const over = words.over[operator];
  if (over || operator === 'match') {
    const lines = condition(value, over ? 1 : 0);
    return lines && [...(over ? [over] : []), ...lines].join('\n');
  }
  return comparison(operator, value);
}
