import { describe, expect, it } from 'vitest';
import { entries, fold, lines, membersOf, reversed, same } from './difference';

describe('a change, member by member', () => {
  it('names each leaf once, also those that stay', () => {
    const found = lines([
      { path: 'allowInvitesFrom', before: 'everyone', after: 'adminsAndGuestInviters' },
      { path: 'defaultUserRolePermissions', before: { allowedToCreateApps: true, allowedToReadOtherUsers: true }, after: { allowedToReadOtherUsers: true, allowedToCreateApps: false } },
    ]);
    expect(found.map(({ path, turn }) => `${path} ${turn}`)).toEqual([
      'allowInvitesFrom changed', 'defaultUserRolePermissions.allowedToCreateApps changed', 'defaultUserRolePermissions.allowedToReadOtherUsers same',
    ]);
  });

  it('of something that is not there yet only adds, and the other way only removes', () => {
    const create = membersOf({ changed: [], before: null, after: { state: 'enabledForReportingButNotEnforced', conditions: { users: { includeUsers: ['All'] } } } });
    expect(lines(create).map(({ path, turn }) => `${path} ${turn}`)).toEqual(['state added', 'conditions.users.includeUsers added']);
    expect(lines(reversed(create)).every(({ turn }) => turn === 'removed')).toBe(true);
  });

  it('keeps an empty object and an empty list as leaves', () => {
    expect(lines([{ path: 'a', before: {}, after: {} }, { path: 'b', before: [], after: ['x'] }]).map(({ path, turn }) => `${path} ${turn}`)).toEqual(['a same', 'b changed']);
  });

  it('tells a list from a member of the same words', () => {
    expect(lines([{ path: 'a', before: ['x'], after: { 0: 'x' } }])).toEqual([{ path: 'a', turn: 'changed', before: ['x'], after: { 0: 'x' } }]);
  });
});

describe('a fix', () => {
  const changed = [{ path: 'state', before: 'enabledForReportingButNotEnforced', after: 'enabled' }];

  it('is shown with what stays beside it: whom a policy is for matters as much as that it is enforced', () => {
    const stays = { conditions: { users: { includeUsers: ['All'], excludeUsers: ['x'] } } };
    const all = lines(membersOf({ changed, before: { ...stays, state: 'enabledForReportingButNotEnforced' }, after: { ...stays, state: 'enabled' } }));
    expect(all.map(({ path, turn }) => `${path} ${turn}`)).toEqual(['conditions.users.includeUsers same', 'conditions.users.excludeUsers same', 'state changed']);
  });

  it('is shown as the server lists it where the whole does not hold it', () => {
    expect(membersOf({ changed, before: {}, after: {} })).toBe(changed);
    expect(membersOf({ changed, before: { other: 1 }, after: { other: 2 } })).toBe(changed);
  });
});

describe('sameness', () => {
  it.each([
    [{ a: 1, b: [1, { c: null }] }, { b: [1, {}], a: 1 }, true],
    [[1, 2], [2, 1], false],
    ['1', 1, false],
    [null, undefined, true],
    [false, null, false],
    [[], {}, false],
  ])('of %j and %j is %j', (a, b, wanted) => {
    expect(same(a, b)).toBe(wanted);
  });
});

describe('a list', () => {
  it('shows entry by entry what the other side lacks', () => {
    expect(entries(['a', 'b'], ['b', 'c'])).toEqual([{ text: 'a', own: true }, { text: 'b', own: false }]);
    expect(entries([{ id: 1 }], [{ id: 1 }])[0]!.own).toBe(false);
  });

  it('that is absent has no entry, and an empty text is one that can be seen', () => {
    expect(entries(null, ['a'])).toEqual([]);
    expect(entries('', 'a')).toEqual([{ text: '""', own: true }]);
    expect(entries(false, true)).toEqual([{ text: 'false', own: true }]);
  });
});

describe('a long value', () => {
  it('is folded by lines and by letters, a short one never', () => {
    expect(fold('a\nb')).toEqual({ head: 'a\nb', rest: undefined });
    const long = Array.from({ length: 30 }, (_, index) => `line ${index}`).join('\n');
    expect(fold(long).head.split('\n')).toHaveLength(6);
    expect(fold(long).rest).toEqual({ lines: 30 });
    expect(fold('x'.repeat(5000)).head.length).toBeLessThan(500);
  });

  it('is not cut through a letter', () => {
    expect(fold('🙂'.repeat(1000)).head).not.toMatch(/[\ud800-\udbff]$/);
  });
});
