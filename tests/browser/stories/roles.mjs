// What a person may not do is shown with its reason; what a person may not see says who could change that; and no one sees another's.
import assert from 'node:assert/strict';
import { rows, settled, signIn, visit } from '../lib/people.mjs';
import { chapter, story } from '../lib/story.mjs';
import { runOf, world } from '../lib/world.mjs';

chapter('Who may what');

/** A button that is disabled, with the reason that is read out with it. */
async function whyNot(page, scope, name) {
  const button = scope.getByRole('button', { name, disabled: true }).first();
  await button.waitFor();
  await button.focus();
  const described = await button.getAttribute('aria-describedby');
  assert.ok(described, `${name} says why it is disabled`);
  return page.locator(`[id="${described}"]`).textContent();
}

story('an auditor sees everything, changes nothing, and reads why', async ({ page }) => {
  const needs = (permission) => new RegExp(`^Needs the permission .*${permission}.*, held by`);
  await signIn(page, 'contoso', 'auditor');
  const main = page.getByRole('main');
  await visit(page, 'Changes');
  assert.match(await whyNot(page, main, 'Pin older run as baseline'), needs('baselines.write'));
  await visit(page, 'Trail');
  await rows(page, 'Trail entries').first().waitFor();
  await visit(page, 'Settings');
  assert.match(await whyNot(page, main, 'Save'), needs('settings.write'));
  assert.match(await whyNot(page, main, 'List a directory'), needs('directories.write'));
  for (const [tab, button, permission] of [['Members', 'Add a member', 'members.write'], ['Projects', 'Create a project', 'projects.write'], ['API keys', 'Create a key', 'keys.write']]) {
    await page.getByRole('tab', { name: tab }).click();
    assert.match(await whyNot(page, main, button), needs(permission));
  }
  await page.getByRole('button', { name: 'Create a key' }).click({ force: true });
  assert.equal(await page.getByRole('dialog').count(), 0, 'pressing it does nothing');
});

story('a member without a permission is told which one, and who can grant it', async ({ page }) => {
  await signIn(page, 'contoso', 'member');
  assert.equal(await page.getByRole('link', { name: 'Trail' }).count(), 0, 'a section that may not be seen is not offered');
  await page.goto('/trail');
  await settled(page, 'Trail');
  await page.getByText('Your role does not let you see the trail').waitFor();
  await page.getByText('trail.read').waitFor();
  await page.getByText('An owner can change your role').waitFor();
  await page.goto('/settings/keys');
  await settled(page, 'Settings');
  await page.getByText('Your role does not let you see API keys').waitFor();
});

const PAGES = ['/', '/findings', '/changes', '/runs', '/reports', '/controls', '/directories', '/connect', '/scans', '/scans/schedules', '/scans/settings', '/scans/packs', '/policies', '/threats', '/fixes', '/fixes/contained', '/fixes/recipes', '/fixes/settings', '/checks', '/trail', '/settings', '/settings/members', '/settings/projects', '/settings/keys', '/settings/submit'];

story('the owner of Fabrikam never meets a name of Contoso', async ({ page, expected }) => {
  const foreign = await runOf('contoso', 'maester-1');
  const answers = [];
  page.on('response', (response) => {
    // How to sign in is told to everybody, before anyone is known.
    if (response.url().includes('/api/v1/') && !response.url().endsWith('/api/v1/config')) answers.push(response.text().then((text) => [response.url(), text], () => undefined));
  });
  await signIn(page, 'fabrikam', 'owner');
  for (const path of PAGES) {
    await page.goto(path);
    await page.getByRole('banner').waitFor();
    await settled(page);
    assert.doesNotMatch(await page.locator('body').innerText(), /contoso/i, path);
  }
  const told = (await Promise.all(answers)).filter(Boolean);
  assert.ok(told.length > PAGES.length);
  for (const [url, text] of told) assert.doesNotMatch(text, /contoso/i, url);

  expected.push(/status of 404/);
  await page.goto(`/runs/${foreign.id}`);
  await page.getByRole('banner').waitFor();
  await page.getByText('Nothing here that you may see').waitFor();
  await page.goto(`/changes?from=${foreign.id}&to=${foreign.id}`);
  await settled(page, 'Changes');
  assert.doesNotMatch(await page.locator('body').innerText(), /contoso/i);
  assert.equal((await world.tenants.fabrikam.owner.get('/api/v1/runs?limit=200')).items.some((run) => run.id === foreign.id), false);
});
