// Runs and the reports they brought: where they came from, that they add up, and that the bytes are the bytes.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../lib/api.mjs';
import { choose, rows, settled, signIn, visit } from '../lib/people.mjs';
import { chapter, story } from '../lib/story.mjs';
import { becomes } from '../lib/wait.mjs';
import { runOf, world } from '../lib/world.mjs';

chapter('Runs and reports');

story('runs are listed, narrowed, and opened with their provenance', async ({ page }) => {
  const run = await runOf('contoso', 'maester-3');
  const { items } = await world.tenants.contoso.owner.get('/api/v1/runs?limit=200');
  await signIn(page, 'contoso', 'owner');
  await visit(page, 'Runs');
  await becomes(() => rows(page, 'Runs').count(), items.length, 'all runs');
  await choose(page, 'Source', 'Maester');
  await becomes(() => rows(page, 'Runs').count(), items.filter((each) => each.family === 'maester').length, 'the runs of Maester');
  await rows(page, 'Runs').getByRole('link').first().click();
  await settled(page, 'Run from GitHub Actions');
  assert.equal(new URL(page.url()).pathname, `/runs/${run.id}`);

  const main = page.getByRole('main');
  await main.getByText('demo tenant key').waitFor();
  await main.getByText('maester-3').waitFor();
  const counts = main.getByRole('region', { name: 'Counts' });
  for (const [outcome, word] of [['passed', 'Passed'], ['failed', 'Failed'], ['skipped', 'Skipped'], ['total', 'Total']]) {
    await counts.getByText(new RegExp(`^\\s*${word}`)).first().waitFor();
    await counts.getByText(String(run.counts[outcome]), { exact: true }).first().waitFor();
  }
  await main.getByRole('button', { name: 'Retry' }).and(page.getByRole('button', { disabled: true })).waitFor();
  await becomes(() => rows(page, 'Artifacts').count(), 2, 'both files of the run');
  await main.getByRole('link', { name: 'Compare with the run before' }).click();
  await settled(page, 'Changes');
  await page.getByText('run 2 compared with run 3').waitFor();
});

story('a report downloads as the bytes that were submitted', async ({ page }) => {
  const sent = await readFile(join(world.demo.folder, 'reports/contoso/TestResults-day1.json'));
  await signIn(page, 'contoso', 'auditor');
  await visit(page, 'Reports');
  await choose(page, 'Kind', 'JSON');
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download TestResults-day1.json' }).click();
  const file = await download;
  assert.equal(file.suggestedFilename(), 'TestResults-day1.json');
  assert.equal(sha256(await readFile(await file.path())), sha256(sent));
});

story('an artifact’s address is worth nothing without a token', async ({ page, context, expected }) => {
  const run = await runOf('contoso', 'maester-1');
  const path = `/api/v1/runs/${run.id}/artifacts/TestResults-day1.html`;
  const bare = await fetch(world.url + path);
  assert.equal(bare.status, 401);
  assert.doesNotMatch(await bare.text(), /Maester/);
  await signIn(page, 'contoso', 'owner');
  expected.push(/status of 401/);
  const copied = await context.newPage();
  const answer = await copied.goto(path);
  assert.equal(answer.status(), 401, 'a signed-in browser sends nothing by itself');
  assert.doesNotMatch(await answer.text(), /Maester/);
});

story('an HTML report opens in its sealed frame', async ({ page }) => {
  await signIn(page, 'contoso', 'owner');
  await visit(page, 'Reports');
  await choose(page, 'Kind', 'HTML');
  await page.getByRole('button', { name: 'Open TestResults-day2.html' }).click();
  await settled(page, 'Report TestResults-day2.html');
  const frame = page.frameLocator('iframe[title="Sealed frame with TestResults-day2.html"]');
  await frame.getByRole('heading', { name: 'Maester test results: Contoso' }).waitFor();
  await page.getByRole('status').filter({ hasText: 'The bytes match the SHA-256' }).waitFor();
  await page.getByRole('link', { name: 'Back to the run' }).click();
  await settled(page, 'Run from GitHub Actions');
});

story('a report that cannot be read becomes a failed run that says where and why', async ({ page }) => {
  const whole = await readFile(join(world.demo.folder, 'reports/fabrikam/TestResults-day1.json'));
  const run = await world.tenants.fabrikam.pipeline.submit('Nightly', [{ name: 'TestResults.json', bytes: whole.subarray(0, whole.length / 2) }]);
  assert.equal(run.state, 'failed');
  await signIn(page, 'fabrikam', 'owner');
  await page.getByRole('list', { name: 'Needs attention' }).getByRole('link', { name: /Run from Nightly/ }).first().click();
  await settled(page, 'Run from Nightly');
  const main = page.getByRole('main');
  await main.getByText(run.failure.detail).waitFor();
  await main.getByText(run.failure.place).first().waitFor();
  await main.getByText(run.failure.code).first().waitFor();
});
