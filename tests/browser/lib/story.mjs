// A story is one test in a browser profile of its own. It fails when anything was written to the console as an error, thrown, or held back by
// a content security policy, unless the story said beforehand that this very thing is meant to happen.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { world } from './world.mjs';

const FAILURES = process.env.BAILIWICK_TARGET && join(process.env.BAILIWICK_TARGET, 'browser-failures');

const chapters = [];

/** The stories that follow belong together. Two are told at a time, unless they would be in each other's way. */
export function chapter(name, options = {}) {
  chapters.push({ name, stories: [], concurrency: 2, ...options });
}

export function story(name, tell, options = {}) {
  chapters.at(-1).stories.push({ name, tell, options });
}

/** Hands all stories to the test runner, chapter after chapter. */
export function tellAll() {
  for (const { name, stories, concurrency, ...hooks } of chapters) {
    describe(name, { concurrency }, () => {
      if (hooks.before) before(hooks.before);
      if (hooks.after) after(hooks.after);
      for (const each of stories) tellOne(each);
    });
  }
}

function tellOne({ name, tell, options }) {
  test(name, async (t) => {
    const visit = await open(options);
    try {
      await tell(visit, t);
      assert.deepEqual(visit.complaints, [], 'The browser complained.');
    } catch (error) {
      await picture(visit.page, name);
      if (visit.complaints.length > 0) error.message += `\nThe browser complained:\n${visit.complaints.join('\n')}`;
      throw error;
    } finally {
      await visit.context.close();
    }
  });
}

/** A profile with one page. `expected` holds patterns of complaints that are part of the story. */
export async function open(options = {}) {
  const context = await world.browser.newContext({
    baseURL: world.url, ignoreHTTPSErrors: true, locale: 'en-GB', timezoneId: 'UTC', reducedMotion: 'reduce', viewport: { width: 1400, height: 900 }, ...options,
  });
  context.setDefaultTimeout(15_000);
  const complaints = [];
  const expected = [];
  const complain = (what) => expected.some((pattern) => pattern.test(what)) || complaints.push(what);
  context.on('console', (message) => {
    if (message.type() === 'error') complain(`${message.text()} (${message.location().url})`);
  });
  context.on('weberror', (problem) => complain(String(problem.error())));
  return { context, page: await context.newPage(), complaints, expected };
}

async function picture(page, name) {
  if (!FAILURES || page.isClosed()) return;
  await mkdir(FAILURES, { recursive: true });
  await page.screenshot({ path: join(FAILURES, `${name.toLowerCase().replace(/[^a-z0-9]+/g, '-').slice(0, 80)}.png`) }).catch(() => undefined);
}
