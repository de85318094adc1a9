import { describe, expect, it } from 'vitest';
import { daysUntil, percent, relativeTime, wordList } from './format';

const now = Date.parse('2026-11-22T12:00:00Z');

describe('figures', () => {
  it('says 100% only when all passes, and 0% only when nothing does', () => {
    expect([1, 0.9999, 0.5, 0.0001, 0].map(percent)).toEqual(['100%', '99%', '50%', '1%', '0%']);
  });

  it('speaks of time as people do', () => {
    expect(relativeTime('2026-11-22T11:59:40Z', now)).toBe('just now');
    expect(relativeTime('2026-11-22T09:00:00Z', now)).toBe('3 hours ago');
    expect(relativeTime('2026-11-21T11:00:00Z', now)).toBe('yesterday');
    expect(relativeTime('2026-12-02T12:00:00Z', now)).toBe('in 10 days');
    expect(relativeTime('no time', now)).toBe('no time');
  });

  it('counts expiry in days, past ones below zero', () => {
    expect(daysUntil('2026-11-23T11:00:00Z', now)).toBe(1);
    expect(daysUntil('2026-11-20T12:00:00Z', now)).toBe(-2);
    // Made for seven days by a clock that is a few seconds ahead of this one.
    expect(daysUntil('2026-11-29T12:00:20Z', now)).toBe(7);
  });

  it('joins words', () => {
    expect(wordList(['Owners', 'Admins', 'Auditors'])).toBe('Owners, Admins, and Auditors');
  });
});
