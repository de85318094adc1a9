// Settings: a key that is shown once, what the directories are, and how to submit.
import assert from 'node:assert/strict';
import { rows, select, settled, signIn, visit } from '../lib/people.mjs';
import { chapter, story } from '../lib/story.mjs';
import { becomes } from '../lib/wait.mjs';
import { world } from '../lib/world.mjs';

// One clipboard for all.
chapter('Settings', { concurrency: 1 });

const clipboard = { permissions: ['clipboard-read', 'clipboard-write'] };

story('an API key is made, shown once, works, and is revoked on the next request', async ({ page }) => {
  const name = 'Nightly scan';
  const me = (key) => fetch(`${world.url}/api/v1/me`, { headers: { 'x-api-key': key } }).then((answer) => answer.status);
  await signIn(page, 'contoso', 'owner');
  await visit(page, 'Settings');
  await page.getByRole('tab', { name: 'API keys' }).click();
  await page.getByRole('button', { name: 'Create a key' }).click();
  const form = page.getByRole('dialog', { name: 'Create an API key' });
  await form.getByRole('textbox', { name: 'Name' }).fill(name);
  await select(page, 'Bound to', 'payments-api');
  await form.getByRole('spinbutton', { name: 'Days until it expires' }).fill('7');
  await form.getByRole('button', { name: 'Create', exact: true }).click();
  const shown = page.getByRole('alertdialog', { name: 'Your new key' }).or(page.getByRole('dialog', { name: 'Your new key' }));
  const key = await shown.getByRole('textbox', { name: 'API key' }).inputValue();
  assert.match(key, /^bwk_[\w-]{40,}$/);
  await shown.getByRole('button', { name: 'Copy key' }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), key);
  await shown.getByRole('button', { name: 'I have stored it' }).click();
  await shown.waitFor({ state: 'hidden' });
  assert.equal(await me(key), 200);

  const row = rows(page, 'API keys').filter({ hasText: name }).first();
  await row.getByText('payments-api').waitFor();
  await row.getByText('in 7 days').waitFor();
  await page.reload();
  await settled(page, 'Settings');
  await row.waitFor();
  assert.ok(!(await page.content()).includes(key), 'the key is never shown again');

  await row.getByRole('button', { name: `Revoke ${name}` }).click();
  await page.getByRole('alertdialog', { name: `Revoke ${name}` }).getByRole('button', { name: 'Revoke' }).click();
  await row.getByText('Revoked').waitFor();
  assert.equal(await me(key), 401);
}, clipboard);

story('what to run is copied for each platform', async ({ page }) => {
  await signIn(page, 'contoso', 'owner', '/settings/submit');
  await settled(page, 'Settings');
  for (const platform of ['GitHub Actions', 'Azure DevOps', 'PowerShell', 'Shell']) {
    await page.getByRole('tab', { name: platform, exact: true }).click();
    const snippet = page.getByRole('group', { name: platform, exact: true });
    await snippet.waitFor();
    await page.getByRole('button', { name: `Copy ${platform} snippet` }).click();
    await becomes(() => page.evaluate(() => navigator.clipboard.readText()), await snippet.textContent(), `the snippet for ${platform} on the clipboard`);
    assert.match(await snippet.textContent(), /bailiwick upload/);
  }
}, clipboard);

story('the directories the tenant reports on are listed', async ({ page }) => {
  const { items } = await world.tenants.contoso.owner.get('/api/v1/directories');
  await signIn(page, 'contoso', 'owner', '/settings');
  await becomes(() => rows(page, 'Directories').count(), items.length, 'all directories');
  await rows(page, 'Directories').getByText(items[0].id).waitFor();
  await page.getByRole('tab', { name: 'Members' }).click();
  await becomes(() => rows(page, 'Members').count(), 4, 'the four people');
  await page.getByRole('tab', { name: 'Projects' }).click();
  await rows(page, 'Projects').getByText('payments-api').waitFor();
});
