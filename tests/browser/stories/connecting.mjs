// Connecting a directory through Microsoft's consent page: every permission is seen first, every way back is explained, and what is
// connected can be scanned and disconnected.
import assert from 'node:assert/strict';
import { decide, DIRECTORIES, ended, goToMicrosoft, pickAt } from '../lib/microsoft.mjs';
import { choose, rows, settled, signIn, visit } from '../lib/people.mjs';
import { chapter, story } from '../lib/story.mjs';
import { becomes } from '../lib/wait.mjs';
import { world } from '../lib/world.mjs';

// All about one directory, which nobody has connected before.
chapter('Connecting', { concurrency: 1 });

const { litware, wingtip } = DIRECTORIES;

story('an administrator who says no connects nothing, and the portal says so', async ({ page }) => {
  await signIn(page, 'fabrikam', 'owner');
  await goToMicrosoft(page, litware);
  await decide(page, litware, 'Cancel');
  await settled(page, 'Consent');
  await page.getByRole('heading', { name: 'The directory is not connected' }).waitFor();
  await page.getByText('The administrator did not consent', { exact: true }).waitFor();
  assert.doesNotMatch(page.url(), /state=|error=/, 'nothing of the answer stays in the address');
  const { items } = await world.tenants.fabrikam.owner.get('/api/v1/connections');
  assert.deepEqual(items.filter((each) => each.directory.id === litware.id), []);
  await page.getByRole('button', { name: 'Begin again' }).click();
  await settled(page, 'Connect a directory');
});

story('somebody who is no administrator is stopped at Microsoft', async ({ page, expected }) => {
  expected.push(/status of 4\d\d/);
  await signIn(page, 'fabrikam', 'admin');
  await goToMicrosoft(page, litware);
  await pickAt(page, litware, 'user');
  await page.getByText('AADSTS90094').waitFor();
});

story('consent given in another directory than was named is refused', async ({ page }) => {
  const begun = await world.tenants.fabrikam.owner.send('POST', '/api/v1/consents', { kind: 'read', directory: litware.id });
  const state = new URL(begun.url).searchParams.get('state');
  await signIn(page, 'fabrikam', 'owner', `/connect/consent?admin_consent=True&tenant=${wingtip.id}&state=${encodeURIComponent(state)}`);
  await settled(page, 'Consent');
  await page.getByRole('heading', { name: 'The directory is not connected' }).waitFor();
  await page.getByText('Consent was given in another directory', { exact: true }).waitFor();
});

story('an answer that was not asked for is taken up by nobody', async ({ page, expected }) => {
  expected.push(/status of 4\d\d/);
  await signIn(page, 'fabrikam', 'owner', `/connect/consent?admin_consent=True&tenant=${litware.id}&state=made-up`);
  await settled(page, 'Consent');
  await page.getByRole('heading', { name: 'This consent is no longer open' }).waitFor();
  await page.goto('/connect/consent');
  await settled(page, 'Consent');
  await page.getByRole('heading', { name: 'Nothing to take up' }).waitFor();
});

story('an owner sees every permission, connects a directory, watches a scan, and disconnects', async ({ page }) => {
  const { owner } = world.tenants.fabrikam;
  const { offers } = await owner.get('/api/v1/connection-options');
  const wanted = offers.find((each) => each.kind === 'read').permissions.map((each) => each.permission);
  await signIn(page, 'fabrikam', 'owner');
  await visit(page, 'Directories');
  await page.getByRole('main').getByRole('button', { name: 'Connect a directory' }).first().click();
  await settled(page, 'Connect a directory');
  const asked = page.getByRole('region', { name: 'What is asked' });
  const shown = new Set(await asked.getByRole('listitem').allTextContents());
  assert.deepEqual([...shown].sort(), [...wanted].sort(), 'every permission is shown before consent, and no other');

  await goToMicrosoft(page, litware);
  await decide(page, litware, 'Accept');
  await page.getByRole('heading', { name: /^Litware is connected/ }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get('state'), null);
  await page.reload();
  await page.getByRole('heading', { name: /^Litware is connected/ }).waitFor();

  await page.getByRole('button', { name: 'Start a scan' }).click();
  const form = page.getByRole('dialog', { name: 'Start a scan' });
  const stream = page.waitForResponse((answer) => answer.url().endsWith('/events'));
  await form.getByRole('button', { name: 'Start', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'Compliance scan of Litware' }).waitFor();
  const scan = new URL(page.url()).pathname.split('/').at(-1);
  assert.equal((await stream).headers()['content-type'].split(';')[0], 'text/event-stream');
  const progress = page.getByRole('region', { name: 'Progress' });
  await progress.getByRole('progressbar', { name: 'Progress' }).waitFor();
  await progress.getByText(/^[1-9]\d* of \d+$/).first().waitFor({ timeout: 30_000 });
  assert.match(await page.getByRole('status').filter({ hasText: 'checks judged' }).textContent(), /endpoints read/);
  await page.getByRole('button', { name: 'Cancel the scan' }).click();
  await page.getByRole('alertdialog', { name: 'Cancel the scan' }).getByRole('button', { name: 'Cancel the scan' }).click();
  // Told by the stream, which ends with it.
  await page.getByText('The scan was cancelled').first().waitFor({ timeout: 30_000 });
  assert.equal((await ended(owner, scan)).state, 'cancelled');
  await page.getByRole('button', { name: 'Scan again' }).waitFor();

  await page.getByRole('region', { name: 'About this scan' }).getByRole('link', { name: 'Litware' }).click();
  await settled(page, 'Directories');
  await page.getByRole('heading', { level: 2, name: 'Litware' }).waitFor();
  await page.getByRole('button', { name: 'Relabel' }).click();
  const relabel = page.getByRole('dialog', { name: 'Relabel' });
  await relabel.getByRole('textbox', { name: 'Label' }).fill('Litware Europe');
  await relabel.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { level: 2, name: 'Litware Europe' }).waitFor();
  await page.getByRole('button', { name: 'Check again' }).click();
  await page.getByText('Checked with Microsoft.').first().waitFor();
  await page.getByRole('button', { name: 'Disconnect', exact: true }).click();
  const question = page.getByRole('alertdialog', { name: 'Disconnect Litware Europe' });
  await question.getByText('Nothing more is asked of the directory').waitFor();
  await question.getByRole('button', { name: 'Disconnect' }).click();
  await question.waitFor({ state: 'hidden' });
  await page.keyboard.press('Escape');
  await becomes(() => page.getByRole('table', { name: 'Connected directories' }).getByText('Litware Europe').count(), 0, 'the list without it');
  await choose(page, /Disconnected ones/, 'Shown');
  await rows(page, 'Connected directories').filter({ hasText: 'Litware Europe' }).getByText('Disconnected').waitFor();

  // What was consented to before proves nothing about who asks now.
  await goToMicrosoft(page, litware);
  await decide(page, litware, 'Accept');
  await page.getByRole('heading', { name: 'The directory is not connected' }).waitFor();
  await page.getByText('The application had consent before', { exact: true }).waitFor();
});

story('an auditor sees directories and reads why nothing can be changed', async ({ page }) => {
  await signIn(page, 'contoso', 'auditor');
  await visit(page, 'Directories');
  const { items } = await world.tenants.contoso.owner.get('/api/v1/connections');
  await becomes(() => rows(page, 'Connected directories').count(), items.length, 'every connection');
  await page.getByRole('main').getByRole('button', { name: 'Connect a directory', disabled: true }).waitFor();
  await page.goto('/connect/consent?state=x');
  await settled(page, 'Consent');
  await page.getByText('Your role does not let you connect and disconnect directories').waitFor();
});
