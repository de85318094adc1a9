import { describe, expect, it } from 'vitest';
import { newestOfEach, newestVersions } from './newest';
import { shareDone } from './progress';
import { spaced, wordOf } from './words';

describe('values', () => {
  it('read as words', () => {
    expect(wordOf(true)).toBe('On');
    expect(wordOf(['adminsAndGuestInviters', 'none'], true)).toBe('adminsAndGuestInviters or none');
    expect(wordOf(['a', 'b'])).toBe('a, b');
    expect(wordOf(null)).toBe('not set');
    expect(wordOf([])).toBe('none');
    expect(wordOf('2AF84B1E-32c8-42b7-82bc-daa82404023b')).toBe('Restricted to their own profile');
    expect(wordOf({ a: 1 })).toBe('{"a":1}');
    expect(wordOf(0)).toBe('0');
  });

  it('of Microsoft’s own words are spaced, also those we do not know', () => {
    expect(spaced('unfamiliarFeatures')).toBe('Unfamiliar features');
    expect(spaced('atRisk')).toBe('At risk');
    expect(spaced('somethingQuiteNew_v2')).toBe('Something quite new v2');
  });
});

describe('the newest of each', () => {
  it('is one scan a directory and kind, in the order given', () => {
    const scan = (id: string, directory: string, kind: 'compliance' | 'exposure') => ({ id, kind, directory: { id: directory, name: directory } });
    const scans = [scan('5', 'a', 'compliance'), scan('4', 'b', 'compliance'), scan('3', 'a', 'exposure'), scan('2', 'a', 'compliance'), scan('1', 'b', 'compliance')];
    expect(newestOfEach(scans).map((each) => each.id)).toEqual(['5', '4', '3']);
  });

  it('of a framework is its last version, by number and not by letter', () => {
    const scores = ['cis_azure 2.0', 'cis_azure 10.0', 'cis_azure 9.1', 'eidsca'].map((name) => ({ name }));
    expect(newestVersions(scores).map((each) => each.name)).toEqual(['cis_azure 10.0', 'eidsca']);
  });
});

describe('progress', () => {
  const at = (requests_done: number, checks_judged: number, phase: 'collecting' | 'judging' | 'storing' = 'collecting') => shareDone({ requests_planned: 80, requests_done, checks_planned: 200, checks_judged, phase });

  it('begins at nothing, never passes all, and only ends when storing', () => {
    expect(shareDone({ requests_planned: 0, requests_done: 0, checks_planned: 0, checks_judged: 0, phase: 'starting' })).toBeUndefined();
    expect(at(0, 0)).toBe(0);
    expect(at(40, 0)).toBeCloseTo(0.4);
    expect(at(90, 0)).toBeCloseTo(0.8);
    expect(at(80, 100, 'judging')).toBeCloseTo(0.9);
    expect(at(80, 200, 'storing')).toBe(1);
  });
});
