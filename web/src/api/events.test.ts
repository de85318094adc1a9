import { describe, expect, it } from 'vitest';
import { ApiError } from './client';
import { eventReader, worthAnotherTry } from './events';

describe('a stream of events', () => {
  it('may be cut anywhere', () => {
    const text = 'event: scan\ndata: {"a":1}\n\n: still here\n\ndata: {"b":2}\r\n\r\n';
    const whole = eventReader()(text);
    for (let size = 1; size < 9; size += 1) {
      const read = eventReader();
      const got: string[] = [];
      for (let at = 0; at < text.length; at += size) got.push(...read(text.slice(at, at + size)));
      expect(got).toEqual(whole);
    }
    expect(whole).toEqual(['{"a":1}', '{"b":2}']);
  });

  it('joins the lines of one event and leaves what is not whole', () => {
    const read = eventReader();
    expect(read('data: [1,\ndata: 2]\n\ndata: {"unfin')).toEqual(['[1,\n2]']);
    expect(read('ished":true}\n\n')).toEqual(['{"unfinished":true}']);
  });

  it('is asked for again after silence and overload, not after a refusal', () => {
    expect(worthAnotherTry(new TypeError('network'))).toBe(true);
    expect(worthAnotherTry(new ApiError(503, 'busy', ''))).toBe(true);
    expect(worthAnotherTry(new ApiError(404, 'not_found', ''))).toBe(false);
    expect(worthAnotherTry(new ApiError(403, 'forbidden', ''))).toBe(false);
  });
});
