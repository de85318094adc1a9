import { describe, expect, it } from 'vitest';
import { wantedText } from './wanted';

const said = (operator: string, value: unknown) => wantedText({ operator, value });

describe('what is wanted', () => {
  it('is said in words', () => {
    expect(said('eq', 'Standard')).toBe('Standard');
    expect(said('eq', true)).toBe('true');
    expect(said('in', ['Disabled', 'FtpsOnly'])).toBe('one of Disabled, FtpsOnly');
    expect(said('gte', 60)).toBe('at least 60');
    expect(said('count_between', [2, 4])).toBe('2 to 4 entries');
    expect(said('not_empty', true)).toBe('not empty');
  });

  it('tells conditions a line each, with their depth', () => {
    const value = { all: [{ path: 'isEnabled', op: 'eq', value: true }, { any: [{ path: 'mode', op: 'ne', value: 'off' }, { path: 'users', op: 'any_match', value: { path: 'id', op: 'eq', value: 'x' } }] }] };
    expect(said('any_match', value)).toBe('at least one entry where\n  isEnabled: true\n  any of\n    mode: anything but off\n    users: at least one entry where\n      id: x');
  });

  it('that it does not know is left as it is written, whole', () => {
    expect(said('ratio_lte', { numerator: 1 })).toBeUndefined();
    expect(said('all_match', { all: [{ path: 'a', op: 'eq', value: 1 }, { path: 'b', op: 'brand_new', value: 1 }] })).toBeUndefined();
    expect(wantedText(['a'])).toBeUndefined();
  });
});
