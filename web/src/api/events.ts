// Server-sent events, read with the caller's token. EventSource cannot send one, so the stream is read by hand.
import { freshToken, sessionEnded } from '@/auth/session';
import { ApiError, problem } from './client';

/** Cuts a text stream into the data of its events; what is not whole yet is kept for the next piece. */
export function eventReader(): (piece: string) => string[] {
  let rest = '';
  return (piece) => {
    rest += piece;
    const blocks = rest.split(/\r\n\r\n|\n\n|\r\r/);
    rest = blocks.pop() ?? '';
    return blocks.flatMap((block) => {
      const data = block.split(/\r\n|\n|\r/).filter((line) => line.startsWith('data:')).map((line) => line.slice(line.startsWith('data: ') ? 6 : 5));
      return data.length === 0 ? [] : [data.join('\n')];
    });
  };
}

/** Reads one stream to its end, an event at a time. */
export async function* events(path: string, signal: AbortSignal): AsyncGenerator<unknown> {
  const response = await fetch(path, { headers: { Accept: 'text/event-stream', Authorization: `Bearer ${await freshToken()}` }, signal });
  if (response.status === 401) sessionEnded();
  if (!response.ok) throw problem(response, await response.json().catch(() => undefined));
  const read = eventReader();
  const text = new TextDecoder();
  for (const reader = response.body!.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    for (const data of read(text.decode(value, { stream: true }))) yield JSON.parse(data);
  }
}

/** Pauses between tries to connect again, in milliseconds: the first is short, the last is kept. */
export const PAUSES = [500, 1000, 2000, 5000, 10_000];

/** True where another try can help: silence, overload, a proxy that cut the stream. A refusal stays one. */
export function worthAnotherTry(error: unknown): boolean {
  return !(error instanceof ApiError) || error.status === 0 || error.status === 429 || error.status >= 500;
}
