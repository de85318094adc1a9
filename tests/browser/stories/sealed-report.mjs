// A hostile report can do nothing as the person who opens it: it renders, and nothing gets out.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ATTEMPT_NAMES, poison } from '../lib/hostile.mjs';
import { startOutside } from '../lib/outside.mjs';
import { settled, signIn } from '../lib/people.mjs';
import { chapter, story } from '../lib/story.mjs';
import { world } from '../lib/world.mjs';

const NAME = 'Hostile.html';
let outside;
let run;

chapter('A hostile report', { before: prepare, after: () => outside.stop() });

async function prepare() {
  outside = await startOutside();
  const whole = await readFile(join(world.demo.folder, 'reports/fabrikam/TestResults-day3.html'), 'utf8');
  const bytes = Buffer.from(poison(whole, { portal: world.url, outside: outside.url, stun: outside.stun }));
  run = await world.tenants.fabrikam.pipeline.submit('Unknown sender', [{ name: NAME, bytes }]);
}

/** What the sealed frame asked the network for. Its own room is all it may ask for; what the policy held back never left the browser. */
function requestsOfFrames(page) {
  const seen = [];
  page.on('request', (request) => request.frame() === page.mainFrame() || seen.push(request));
  return () => seen.filter((request) => request.failure()?.errorText !== 'csp');
}

async function openReport(visit) {
  const { page, expected } = visit;
  await signIn(page, 'fabrikam', 'owner');
  // From here on, the browser says what it held back.
  expected.push(/Content Security Policy|sandboxed/);
  await page.goto(`/runs/${run.id}/report?name=${NAME}`);
  await settled(page, `Report ${NAME}`);
  return page.frameLocator(`iframe[title="Sealed frame with ${NAME}"]`);
}

story('a hostile report renders, and nothing of the person or the portal gets out', async (visit) => {
  assert.equal(run.state, 'succeeded', 'a hostile page around good results is still evidence');
  const { page, context } = visit;
  const asked = requestsOfFrames(page);
  const windows = [];
  context.on('page', (opened) => windows.push(opened.url()));
  const frame = await openReport(visit);
  await frame.getByRole('heading', { name: 'Maester test results: Fabrikam' }).waitFor();
  await frame.getByText('All tried').waitFor();
  const loot = await frame.getByRole('list', { name: 'Loot' }).getByRole('listitem').allTextContents();
  assert.deepEqual(loot, ATTEMPT_NAMES.map((name) => `${name}: held back`));
  assert.deepEqual(asked().map((request) => new URL(request.url()).pathname), ['/viewer.html'], 'the frame asked the network for its room and nothing else');
  assert.ok(asked().every((request) => !request.headers().authorization && !request.headers().cookie), 'no request carried a credential');
  assert.deepEqual(outside.heard, [], 'the attacker heard nothing');
  assert.deepEqual(windows, [], 'no window opened');
  assert.equal(new URL(page.url()).pathname, `/runs/${run.id}/report`, 'the page stayed where it was');
  await page.getByRole('heading', { level: 1, name: `Report ${NAME}` }).waitFor();
  await page.getByRole('link', { name: 'Overview' }).first().click();
  await settled(page, 'Overview');
});

for (const [button, how] of [['Leave', 'moving itself'], ['Refresh away', 'a refresh']]) {
  story(`a hostile report cannot carry anything out by ${how}`, async (visit) => {
    const { page, context } = visit;
    const frame = await openReport(visit);
    await frame.getByText('All tried').waitFor();
    const refused = context.waitForEvent('console', (message) => /frame-src|Content Security Policy/.test(message.text()) && message.text().includes(outside.url));
    await frame.getByRole('button', { name: button }).click();
    await refused;
    assert.deepEqual(outside.heard, []);
    assert.equal(new URL(page.url()).pathname, `/runs/${run.id}/report`);
  });
}

story('the room of a report is empty without one, and keeps its policy when opened by itself', async ({ page }) => {
  const answer = await page.goto('/viewer.html');
  const policy = answer.headers()['content-security-policy'];
  assert.match(policy, /sandbox allow-scripts(;|$)/);
  assert.match(policy, /connect-src 'none'/);
  assert.match(policy, /frame-ancestors 'self'/);
  assert.equal(await page.evaluate(() => self.origin), 'null', 'it has no origin of its own');
  assert.equal((await page.locator('body').textContent()).trim(), '');
});
