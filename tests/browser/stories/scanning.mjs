// Scans: watched while they go on, read by verdict and framework, begun by themselves; and the live look.
import assert from 'node:assert/strict';
import { DIRECTORIES, ended, scanOf } from '../lib/microsoft.mjs';
import { choose, rows, select, settled, signIn, visit } from '../lib/people.mjs';
import { chapter, story } from '../lib/story.mjs';
import { becomes } from '../lib/wait.mjs';
import { world } from '../lib/world.mjs';

chapter('Scanning');

const { northwind, tailspin, wingtip } = DIRECTORIES;

story('a scan is followed to its results without asking again', async ({ page }) => {
  const before = await scanOf(wingtip, 'exposure');
  await signIn(page, 'contoso', 'member', `/scans/${before.id}`);
  await settled(page, 'Exposure scan of Wingtip Toys');
  await page.getByRole('button', { name: 'Scan again' }).click();
  await page.waitForURL((url) => url.pathname !== `/scans/${before.id}`);
  await page.getByText(/^Completed .*: \d+%, critical risk\.$/).waitFor({ timeout: 60_000 });
  await page.getByRole('region', { name: 'Overall' }).getByRole('img').waitFor();
  await rows(page, 'Checks').first().waitFor();
  const since = page.getByRole('region', { name: 'Since the scan before' });
  await since.getByText(/points since the scan before/).waitFor();
  await since.getByRole('button', { name: 'Download scan.json' }).waitFor();
  await since.getByRole('link', { name: 'What changed' }).click();
  await settled(page, 'Changes');
  assert.equal((await ended(world.tenants.contoso.owner, (await scanOf(wingtip, 'exposure')).id)).state, 'completed');
});

story('scores are shown as number and word, with the table behind them', async ({ page }) => {
  const scan = await scanOf(tailspin);
  const { scores } = await world.tenants.contoso.owner.get(`/api/v1/scans/${scan.id}/summary`);
  await signIn(page, 'contoso', 'owner', `/scans/${scan.id}`);
  await settled(page, 'Compliance scan of Tailspin Toys');
  const overall = page.getByRole('region', { name: 'Overall' });
  const ring = await overall.getByRole('img').getAttribute('aria-label');
  assert.match(ring, new RegExp(`^Overall: ${Math.round(scores.overall.percent)}%, `));
  await page.getByRole('button', { name: 'By framework: Show as table' }).click();
  await becomes(() => rows(page, 'By framework').count(), scores.by_framework.length, 'a line for each framework');
});

story('checks are narrowed by verdict and framework in the address, and one is read whole', async ({ page }) => {
  const { owner } = world.tenants.contoso;
  const scan = await scanOf(wingtip);
  const failed = await owner.get(`/api/v1/scans/${scan.id}/results?verdict=failed&framework=cis_m365&limit=200`);
  await signIn(page, 'contoso', 'owner', `/scans/${scan.id}`);
  await settled(page, 'Compliance scan of Wingtip Toys');
  await choose(page, 'Verdict', /^Failed/);
  await choose(page, 'Framework', /^CIS Microsoft 365/);
  assert.equal(new URL(page.url()).searchParams.get('verdict'), 'failed');
  assert.equal(new URL(page.url()).searchParams.get('framework'), 'cis_m365');
  await becomes(() => rows(page, 'Checks').count(), Math.min(100, failed.items.length), 'the failed checks of CIS');
  const first = failed.items[0];
  await rows(page, 'Checks').getByRole('link', { name: first.title }).first().click();
  await page.getByRole('heading', { level: 2, name: first.title }).waitFor();
  const detail = await owner.get(`/api/v1/scans/${scan.id}/results/${first.check}`);
  await page.getByRole('group', { name: 'Found', exact: true }).waitFor();
  await page.getByRole('group', { name: 'Wanted', exact: true }).waitFor();
  await page.getByText(detail.request, { exact: true }).first().waitFor();
  await page.getByRole('heading', { level: 3, name: 'Why it matters' }).waitFor();
  await page.getByRole('heading', { level: 3, name: 'What to do' }).waitFor();
  await page.getByRole('link', { name: 'The finding and its history' }).click();
  await settled(page, 'Findings');
  await page.getByRole('heading', { level: 2, name: first.title }).waitFor();
  await page.getByRole('list', { name: 'History' }).getByRole('listitem').first().waitFor();
});

story('a source that was not read says why, and what it cost', async ({ page }) => {
  const scan = await scanOf(wingtip);
  const { sources } = await world.tenants.contoso.owner.get(`/api/v1/scans/${scan.id}/summary`);
  const bad = sources.filter((each) => each.state !== 'ok');
  assert.ok(bad.length > 0, 'the neglected directory lacks licences');
  await signIn(page, 'contoso', 'owner', `/scans/${scan.id}`);
  await settled(page, 'Compliance scan of Wingtip Toys');
  await becomes(() => rows(page, 'Sources').count(), bad.length, 'the sources that were not read');
  await page.getByRole('button', { name: 'Show all sources' }).click();
  await becomes(() => rows(page, 'Sources').count(), sources.length, 'all sources');
});

story('a schedule is made by choices, shows its next times, and is removed', async ({ page }) => {
  await signIn(page, 'contoso', 'owner', '/scans/schedules');
  await settled(page, 'Scans');
  await page.getByRole('button', { name: 'Add a schedule' }).click();
  const form = page.getByRole('dialog', { name: 'Add a schedule' });
  await form.getByRole('textbox', { name: 'Name' }).fill('Every Tuesday');
  await select(page, 'How often', 'Every week');
  await select(page, 'On', 'Tuesday');
  await form.getByLabel('At', { exact: true }).fill('04:15');
  const zone = form.getByRole('combobox', { name: 'Time zone' });
  await zone.click();
  await zone.fill('berlin');
  await page.getByRole('option', { name: 'Europe/Berlin' }).click();
  await becomes(() => form.getByRole('status').getByRole('listitem').count(), 3, 'three next times');
  assert.match(await form.getByRole('status').textContent(), /Tue.*04:15/);
  await form.getByRole('button', { name: 'Save' }).click();
  const row = rows(page, 'Schedules').filter({ hasText: 'Every Tuesday' });
  await row.getByText('Tuesday 04:15, Europe/Berlin').waitFor();
  const { items } = await world.tenants.contoso.owner.get('/api/v1/scan-schedules');
  const made = items.find((each) => each.name === 'Every Tuesday');
  assert.equal(made.cron, '15 4 * * 2');
  assert.equal(made.zone, 'Europe/Berlin');
  await row.getByRole('button', { name: 'Remove Every Tuesday' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
  await becomes(() => row.count(), 0, 'the schedule gone');
});

story('emergency accounts are set for one directory, and what cannot be read is named', async ({ page }) => {
  const { owner } = world.tenants.contoso;
  const before = (await owner.get(`/api/v1/scan-settings/${northwind.id}`)).settings;
  await signIn(page, 'contoso', 'owner', `/scans/settings?of=${northwind.id}`);
  await settled(page, 'Scans');
  const groups = page.getByRole('textbox', { name: 'Emergency groups' });
  await groups.fill('not an id');
  await page.getByText('Not an object id: not an id').waitFor();
  await page.getByRole('button', { name: 'Save', disabled: true }).waitFor();
  const id = 'c0470500-0000-4000-8000-0000000000aa';
  await groups.fill(id);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Scan settings saved.').first().waitFor();
  const after = (await owner.get(`/api/v1/scan-settings/${northwind.id}`)).settings;
  assert.deepEqual(after, { ...before, emergency_groups: [id] });
  await owner.send('PUT', `/api/v1/scan-settings/${northwind.id}`, before);
});

story('a pack is added from its files, and removed', async ({ page }) => {
  await signIn(page, 'contoso', 'owner', '/scans/packs');
  await settled(page, 'Scans');
  await page.getByRole('button', { name: 'Add a pack' }).click();
  const form = page.getByRole('dialog', { name: 'Add a version of a pack' });
  await form.getByRole('textbox', { name: 'Name' }).fill('house-rules');
  await form.getByLabel('Files').setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no') });
  await form.getByText('notes.txt is no .rego, .yaml or .json file.').waitFor();
  const file = (name, text) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });
  await form.getByLabel('Files').setInputFiles([
    file('pack.yaml', 'name: house-rules\nversion: 1.0.0\npackage: house\n'),
    file('house.rego', 'package house\n\nresults contains {"id": "open", "pass": true}\n'),
  ]);
  await form.getByRole('button', { name: 'Add a pack' }).click();
  const row = rows(page, 'Packs').filter({ hasText: 'house-rules' });
  await row.getByText('1.0.0').waitFor();
  await row.getByRole('button', { name: 'Remove house-rules 1.0.0' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
  await becomes(() => row.count(), 0, 'the pack gone');
});

story('policies and threats are looked at as they are now, each source for itself', async ({ page }) => {
  await signIn(page, 'contoso', 'auditor', `/policies?directory=${wingtip.id}`);
  await settled(page, 'Policies');
  const { policies } = await world.tenants.contoso.owner.get(`/api/v1/policies?directory=${wingtip.id}`);
  await becomes(() => rows(page, 'Policies').count(), policies.length, 'all policies');
  assert.ok(policies.some((policy) => policy.compliant === false));
  await rows(page, 'Policies').getByText('Not secure').first().waitFor();
  await page.goto(`/threats?directory=${wingtip.id}`);
  await settled(page, 'Threats');
  // Without a licence Microsoft tells nothing of risky people; the alerts are read all the same.
  await page.getByRole('region', { name: 'Risky users' }).getByText('Not licensed').first().waitFor();
  await page.getByRole('region', { name: 'Alerts' }).waitFor();
});

story('the catalogue is searched and a check is read', async ({ page }) => {
  await signIn(page, 'contoso', 'member');
  await visit(page, 'Checks');
  const { total } = await world.tenants.contoso.owner.get('/api/v1/catalogue?search=guest');
  await page.getByRole('searchbox', { name: 'Search checks by id or title' }).fill('guest');
  await page.getByText(`${total} checks that scans judge by.`).waitFor();
  await rows(page, 'Checks').getByRole('link').first().click();
  await page.getByRole('heading', { level: 3, name: 'Why it matters' }).waitFor();
  await page.getByRole('heading', { level: 3, name: 'What to do' }).waitFor();
});
