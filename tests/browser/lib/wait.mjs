// Waiting for what has no event of its own.
import { setTimeout as pause } from 'node:timers/promises';

/** Asks until the answer is truthy, and gives it back. An error of the asker ends the wait. */
export async function until(ask, what, limit = 10_000) {
  const end = Date.now() + limit;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`Waited ${limit / 1000} s for ${what}.`);
    await pause(40);
  }
}

/** Asks until the answer equals what is wanted, and says both when it does not. */
export async function becomes(ask, wanted, what) {
  let last;
  try {
    await until(async () => JSON.stringify((last = await ask())) === JSON.stringify(wanted), what);
  } catch (error) {
    throw new Error(`${error.message} Wanted ${JSON.stringify(wanted)}, got ${JSON.stringify(last)}.`, { cause: error });
  }
}
