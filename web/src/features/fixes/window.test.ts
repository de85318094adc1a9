import { describe, expect, it } from 'vitest';
import { daysText, overnight, windowProblem, windowText } from './window';

describe('a change window', () => {
  it('is told in words', () => {
    expect(windowText({ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '09:00', until: '17:00', time_zone: 'Europe/Berlin' })).toBe('Monday to Friday, 09:00 to 17:00 (Europe/Berlin)');
    expect(windowText({ days: ['sat', 'sun'], from: '22:00', until: '04:00', time_zone: 'UTC' })).toBe('Saturday and Sunday, 22:00 to 04:00 of the next day (UTC)');
  });

  it('names days in the order of the week, in a row only where there are three or more', () => {
    expect(daysText(['sun', 'mon'])).toBe('Monday and Sunday');
    expect(daysText(['wed', 'mon', 'tue'])).toBe('Monday to Wednesday');
    expect(daysText(['mon', 'wed', 'fri'])).toBe('Monday, Wednesday, and Friday');
    expect(daysText(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'])).toBe('Every day');
  });

  it('passes midnight when it ends no later than it begins', () => {
    expect(overnight({ from: '22:00', until: '04:00' })).toBe(true);
    expect(overnight({ from: '00:00', until: '00:00' })).toBe(true);
    expect(overnight({ from: '08:00', until: '08:01' })).toBe(false);
  });

  it('needs a day and two times', () => {
    const good = { days: ['mon' as const], from: '22:00', until: '04:00', time_zone: 'UTC' };
    expect(windowProblem(good)).toBeUndefined();
    expect(windowProblem({ ...good, days: [] })).toMatch(/day/);
    expect(windowProblem({ ...good, until: '24:00' })).toMatch(/time/);
    expect(windowProblem({ ...good, from: '' })).toMatch(/time/);
  });
});
