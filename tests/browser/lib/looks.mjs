// How a page looks and whether everybody can use it: axe, the width of a telephone, and pictures for the documents.
import { AxeBuilder } from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from './wait.mjs';

const PICTURES = join(import.meta.dirname, '../../../docs/screenshots');
const ANEW = process.env.BAILIWICK_SCREENSHOTS === '1';
const LARGEST = 240_000;

/** Fails with one line for each violation: the rule, and where. */
export async function accessible(page, where, only) {
  // The inside of a sealed frame is the report's own; axe cannot and need not look there.
  const axe = new AxeBuilder({ page }).exclude('iframe').setLegacyMode();
  if (only === 'colours') axe.withRules(['color-contrast', 'link-in-text-block']);
  else axe.withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']);
  // Fluent's pop-ups hang below the body, outside the landmarks, between sentinels that hand the focus on as soon as they get it.
  if (only === 'pop-up') axe.exclude('i[data-tabster-dummy]').disableRules(['region']);
  const { violations } = await axe.analyze();
  const lines = violations.flatMap((violation) => violation.nodes.map((node) => `${violation.id}: ${node.target.join(' ')}: ${node.failureSummary.replace(/\s+/g, ' ')}`));
  assert.deepEqual(lines, [], `axe on ${where}`);
}

/** 320 px is what 1280 px are at 400 % zoom (WCAG 1.4.10): nothing but a table's own frame may scroll sideways. */
export async function fitsNarrow(page, where) {
  await page.setViewportSize({ width: 320, height: 640 });
  const width = () => page.evaluate(() => document.documentElement.scrollWidth);
  await until(async () => (await width()) <= 320, 'the page to fit', 3000).catch(async () => {
    assert.fail(`${where} is ${await width()} px wide in a window of 320 px`);
  });
}

/** Light or dark, as the system asks for. */
export async function inTheme(page, scheme) {
  await page.emulateMedia({ colorScheme: scheme });
  await page.waitForFunction((wanted) => document.documentElement.style.colorScheme === wanted, scheme);
}

const SIZES = { 1400: { width: 1400, height: 840 }, 400: { width: 400, height: 800 } };

/** A picture for the documents, made when it is missing, or anew with BAILIWICK_SCREENSHOTS=1. */
export async function picture(page, name, scheme, width) {
  const path = join(PICTURES, `${name}-${scheme}-${width}.png`);
  if (!ANEW && existsSync(path)) return;
  await mkdir(PICTURES, { recursive: true });
  await page.setViewportSize(SIZES[width]);
  await inTheme(page, scheme);
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path, scale: 'css', animations: 'disabled', caret: 'hide' });
  const { size } = await stat(path);
  assert.ok(size <= LARGEST, `${path} has ${size} bytes, more than ${LARGEST}`);
}
