import { describe, expect, it } from 'vitest';
import { sentenceOf, when } from './sentence';

const least = { events: ['drift_regressed' as const], min_severity: null, min_regressions: 1, directories: [], projects: [], timing: { kind: 'immediate' as const }, channel: 'Security team' };

describe('a rule as a sentence', () => {
  it('says when, to whom and how soon', () => {
    expect(sentenceOf(least)).toBe('When a scan or report got worse, tell Security team at once.');
  });

  it('puts count and severity to the event they concern, and no other', () => {
    expect(sentenceOf({ ...least, events: ['drift_regressed', 'scan_failed', 'fix_waiting'], min_severity: 'high', min_regressions: 3 })).toBe(
      'When a scan or report got worse (3 or more regressions, high or worse), a scan failed, or a fix waits for approval, tell Security team at once.',
    );
    expect(sentenceOf({ ...least, events: ['scan_failed'], min_severity: 'high', min_regressions: 3 })).toBe('When a scan failed, tell Security team at once.');
  });

  it('names where', () => {
    expect(sentenceOf({ ...least, directories: ['Contoso', 'Fabrikam'], projects: ['payments-api'] })).toBe('When a scan or report got worse in Contoso, Fabrikam, or project payments-api, tell Security team at once.');
  });

  it('says what is missing', () => {
    expect(sentenceOf({ ...least, events: [] })).toBe('Choose at least one event.');
    expect(sentenceOf({ ...least, channel: '' })).toContain('tell a channel');
  });

  it('names day, time and zone of a digest', () => {
    expect(when({ kind: 'daily', at: '07:30', time_zone: 'Europe/Berlin' })).toBe('every day at 07:30 (Europe/Berlin)');
    expect(when({ kind: 'weekly', day: 'monday', at: '08:00', time_zone: 'UTC' })).toBe('every Monday at 08:00 (UTC)');
  });
});
