import { describe, expect, it } from 'vitest';
import { readIds, readJson, readLists, readParameters, writeLists, writeParameters } from './lines';

const A = 'c0470500-0000-4000-8000-000000000001';
const B = 'c0470500-0000-4000-8000-000000000002';

describe('settings as lines', () => {
  it('come back as they were written', () => {
    const lists = { '*': [A], 'entra.ca.mfa': [A, B] };
    expect(readLists(writeLists(lists))).toEqual({ value: lists });
    const parameters = { 'entra.passwords.length': { minimum: 14, words: ['a', 'b'] }, 'm365.x': { mode: 'strict' } };
    expect(readParameters(writeParameters(parameters))).toEqual({ value: parameters });
  });

  it('name the line that cannot be read', () => {
    expect(readIds(`${A}\n\n not-an-id `).bad).toBe('not-an-id');
    expect(readIds(`${A}\n${A.toUpperCase()}\n`)).toEqual({ value: [A], bad: undefined });
    expect(readLists(`entra.ca.mfa: ${A}\nentra.ca.other`).bad).toBe('entra.ca.other');
    expect(readLists('entra.ca.mfa: ,').bad).toBe('entra.ca.mfa: ,');
    expect(readParameters('entra.passwords.length 14').bad).toBe('entra.passwords.length 14');
    expect(readJson('{"a":').bad).toBeDefined();
  });

  it('take words that are no JSON as words, and nothing as null', () => {
    expect(readParameters('m365.x mode = strict').value).toEqual({ 'm365.x': { mode: 'strict' } });
    expect(readJson(' ')).toEqual({ value: null });
  });
});
