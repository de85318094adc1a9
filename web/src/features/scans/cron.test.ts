import { describe, expect, it } from 'vitest';
import { cronOf, isCron, nextTimes, type Rhythm, rhythmOf } from './cron';

const at = (iso: string) => Date.parse(iso);
const next = (cron: string, zone: string, after: string, wanted?: number) => nextTimes(cron, zone, at(after), wanted).map((time) => new Date(time).toISOString().slice(0, 16));

describe('rhythms', () => {
  it('come back from the cron they write', () => {
    const all: Rhythm[] = [
      { every: 'day', hour: 2, minute: 30 }, { every: 'week', hour: 0, minute: 0, weekday: 0 }, { every: 'week', hour: 23, minute: 59, weekday: 6 }, { every: 'month', hour: 5, minute: 5, day: 28 },
    ];
    for (const rhythm of all) expect(rhythmOf(cronOf(rhythm))).toEqual(rhythm);
  });

  it('leave every other cron to be read as cron', () => {
    for (const cron of ['*/5 * * * *', '30 2 * * 1-5', '30 2 1 * 1', '30 2 * 6 *', '30 24 * * *', 'nonsense', '1 2 3']) expect(rhythmOf(cron)).toBeUndefined();
    expect(rhythmOf('0 2 * * 7')).toEqual({ every: 'week', hour: 2, minute: 0, weekday: 0 });
  });
});

describe('next times', () => {
  it('are those of the zone, also when its clocks change', () => {
    expect(next('30 2 * * *', 'Europe/Berlin', '2026-11-22T08:00:00Z')).toEqual(['2026-11-23T01:30', '2026-11-24T01:30', '2026-11-25T01:30']);
    // The night of 25 October 2026 has 25 hours in Berlin; that of 29 March has 23.
    expect(next('0 12 * * *', 'Europe/Berlin', '2026-10-24T11:00:00Z', 2)).toEqual(['2026-10-25T11:00', '2026-10-26T11:00']);
    expect(next('0 12 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2)).toEqual(['2026-03-29T10:00', '2026-03-30T10:00']);
    expect(next('0 9 * * *', 'Pacific/Auckland', '2026-11-22T08:00:00Z', 1)).toEqual(['2026-11-22T20:00']);
  });

  it('read lists, ranges, steps and names', () => {
    expect(next('0 6 * * mon-fri', 'UTC', '2026-11-20T07:00:00Z', 2)).toEqual(['2026-11-23T06:00', '2026-11-24T06:00']);
    expect(next('*/20 5,7 1 jan *', 'UTC', '2026-11-20T07:00:00Z', 4)).toEqual(['2027-01-01T05:00', '2027-01-01T05:20', '2027-01-01T05:40', '2027-01-01T07:00']);
    expect(next('0 0 13 * 5', 'UTC', '2026-11-12T00:00:00Z', 2)).toEqual(['2026-11-13T00:00', '2026-11-20T00:00']);
  });

  it('are none where there are none', () => {
    expect(next('0 0 31 2 *', 'UTC', '2026-11-20T07:00:00Z')).toEqual([]);
    expect(next('0 0 * * *', 'Nowhere/Nothing', '2026-11-20T07:00:00Z')).toEqual([]);
    for (const cron of ['', '* * * *', '60 * * * *', '* * 0 * *', '5-1 * * * *', '*/0 * * * *', '1,,2 * * * *', '* * * * 8']) expect(isCron(cron), cron).toBe(false);
  });
});
