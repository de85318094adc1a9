// Fixes: proposed to one person, approved by two others, sent once, read back, seen by a scan, and taken back; one that stops because
// somebody changed the value; and a person at risk who is contained and released.
import assert from 'node:assert/strict';
import { accessible, inTheme } from '../lib/looks.mjs';
import { DIRECTORIES, ended, meanwhile, valueOf, writesTo } from '../lib/microsoft.mjs';
import { hasFocus, rows, select, settled, signIn, visit } from '../lib/people.mjs';
import { chapter, open, story } from '../lib/story.mjs';
import { becomes, until } from '../lib/wait.mjs';
import { world } from '../lib/world.mjs';

// All about one directory, whose settings the stories change.
chapter('Fixing', { concurrency: 1 });

const { tailspin, wingtip } = DIRECTORIES;
const dialog = (page, name) => page.getByRole('dialog', { name });

/** Somebody else at another computer, looking at the same. */
async function beside(role, path, tell) {
  const visitor = await open();
  try {
    await signIn(visitor.page, 'contoso', role, path);
    await tell(visitor.page);
    assert.deepEqual(visitor.complaints, [], 'The browser complained.');
  } finally {
    await visitor.context.close();
  }
}

/** A plan of the directory's policies as they are now, and of it the fix that a story is about: no object, a patch of Graph. */
async function planned(wanted = () => true) {
  const { owner } = world.tenants.contoso;
  const plan = await owner.send('POST', '/api/v1/fix-plans', { directory: tailspin.id });
  const fix = plan.fixes.find((each) => each.recipe.kind === 'patch' && !each.object && each.risk !== 'high' && each.state === 'proposed' && wanted(each));
  assert.ok(fix, `the plan proposes nothing for the story: ${JSON.stringify(plan.fixes.map((each) => [each.recipe.id, each.state]))}`);
  return fix;
}

const graphPath = (fix) => new URL(fix.request.url).pathname;
const title = (page, fix) => page.getByRole('heading', { level: 2, name: fix.recipe.title });

async function approve(page, note) {
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  const form = dialog(page, 'Approve this fix');
  await form.getByText('You approve exactly this change, and no other').waitFor();
  if (note) await form.getByRole('textbox', { name: 'Note' }).fill(note);
  await form.getByRole('button', { name: 'Approve', exact: true }).click();
  await form.waitFor({ state: 'hidden' });
}

/** Why a button is disabled: what is read out with it. */
async function whyNot(page, name) {
  const button = page.getByRole('button', { name, exact: true, disabled: true });
  await button.waitFor();
  await button.focus();
  return page.locator(`[id="${await button.getAttribute('aria-describedby')}"]`).textContent();
}

story('a fix is planned, approved by two people, applied, read back, seen by a scan, and rolled back', async ({ page }) => {
  const { owner } = world.tenants.contoso;
  await signIn(page, 'contoso', 'member');
  await visit(page, 'Fixes');
  await page.getByRole('button', { name: 'Plan fixes' }).first().click();
  const form = dialog(page, 'Plan fixes');
  await form.getByText('Planning writes nothing to the directory.').waitFor();
  await select(page, 'Directory', tailspin.name);
  const before = await writesTo(page, tailspin);
  await form.getByRole('button', { name: 'Plan', exact: true }).click();
  await page.waitForURL((url) => url.searchParams.has('plan'), { timeout: 60_000 });
  const plan = await owner.get(`/api/v1/fix-plans/${new URL(page.url()).searchParams.get('plan')}`);
  await page.getByRole('region', { name: 'Plan' }).waitFor();
  await becomes(() => rows(page, 'Fixes').count(), plan.fixes.length, 'every fix of the plan');
  assert.deepEqual(await writesTo(page, tailspin), before, 'planning writes nothing');

  const fix = plan.fixes.find((each) => each.recipe.kind === 'patch' && !each.object && each.risk !== 'high' && each.changed.length > 0);
  const address = `/fixes?item=${fix.id}`;
  await page.goto(address);
  await title(page, fix).waitFor();
  const [member] = fix.changed;
  await page.getByRole('group', { name: new RegExp(`^${member.path}.*: Now$`) }).first().waitFor();
  await page.getByText(fix.blast_radius).first().waitFor();
  await page.getByText(`${fix.request.method} ${fix.request.url}`).first().waitFor();
  assert.match(await whyNot(page, 'Approve'), /fixes\.approve/);

  await beside('owner', address, async (theirs) => {
    await title(theirs, fix).waitFor();
    assert.notEqual(await whyNot(theirs, 'Apply'), '', 'nothing is applied without its approvals');
    await approve(theirs, 'Read with the help desk.');
    await theirs.getByText('A second person has to approve').waitFor();
    assert.notEqual(await whyNot(theirs, 'Approve'), '', 'nobody approves twice');
  });
  assert.deepEqual(await writesTo(page, tailspin), before, 'approving writes nothing');

  await beside('admin', address, async (theirs) => {
    await title(theirs, fix).waitFor();
    await theirs.getByText('Read with the help desk.').first().waitFor();
    await approve(theirs);
    await theirs.getByRole('button', { name: 'Apply', exact: true }).click();
    const sure = dialog(theirs, 'Apply this fix');
    await sure.getByText(fix.request.url).waitFor();
    await accessible(theirs, 'the question before a fix is applied', 'pop-up');
    await sure.getByRole('button', { name: 'Apply now' }).click();
    await theirs.getByText('It was sent once and read back as it should be.').waitFor({ timeout: 60_000 });
    const sent = theirs.getByRole('list', { name: 'What was sent and what came back' }).getByRole('listitem');
    await sent.filter({ hasText: fix.request.method }).first().waitFor();
  });
  const after = await writesTo(page, tailspin);
  assert.equal(after.length, before.length + 1, 'one order, one write');
  assert.equal(after.at(-1).path, graphPath(fix));
  assert.notEqual((await owner.get(`/api/v1/fixes/${fix.id}`)).state, 'failed');

  const scan = await owner.send('POST', '/api/v1/scans', { kind: 'compliance', connection: (await owner.get(`/api/v1/connections?kind=read&directory=${tailspin.id}`)).items[0].id });
  assert.equal((await ended(owner, scan.id)).state, 'completed');
  await until(async () => (await owner.get(`/api/v1/fixes/${fix.id}`)).verified_by_scan === scan.id, 'the scan to prove the fix', 30_000);

  await beside('owner', address, async (theirs) => {
    await title(theirs, fix).waitFor();
    await theirs.getByRole('link', { name: 'The scan that saw it' }).waitFor();
    await theirs.getByRole('button', { name: 'Roll back', exact: true }).click();
    const sure = dialog(theirs, 'Roll this fix back');
    await sure.getByText('When somebody changed it after the fix, nothing is sent.').waitFor();
    await sure.getByRole('button', { name: 'Roll back' }).click();
    await theirs.getByText('The setting is as it was before the fix.').waitFor({ timeout: 60_000 });
    await becomes(async () => (await theirs.getByRole('list', { name: 'History' }).getByRole('listitem').allTextContents()).map((each) => each.match(/^(Planned|Approved|Applied|Rolled back)/)?.[1]), ['Rolled back', 'Applied', 'Approved', 'Approved', 'Planned'], 'the whole life');
  });
  assert.equal((await writesTo(page, tailspin)).length, before.length + 2, 'and one write back');
});

story('a value that somebody changed meanwhile stops the fix, and nothing is sent', async ({ page }) => {
  const { owner, admin } = world.tenants.contoso;
  const fix = await planned((each) => typeof each.changed[0]?.before === 'boolean' && !each.changed[0].path.includes('.'));
  const [member] = fix.changed;
  await signIn(page, 'contoso', 'owner', `/fixes?item=${fix.id}`);
  await title(page, fix).waitFor();
  await approve(page);
  await admin.send('POST', `/api/v1/fixes/${fix.id}/approve`, { digest: fix.digest });
  const before = await writesTo(page, tailspin);
  // Somebody sets it to nothing at all: neither as it was reviewed nor as it would become.
  await meanwhile(page, tailspin, graphPath(fix), { [member.path]: null });
  await page.reload();
  await title(page, fix).waitFor();
  await page.getByRole('button', { name: 'Apply', exact: true }).click();
  await dialog(page, 'Apply this fix').getByRole('button', { name: 'Apply now' }).click();
  await page.getByText('Stopped: the setting is not as it was reviewed').waitFor({ timeout: 60_000 });
  const found = page.getByRole('group', { name: 'What it is now' });
  await found.getByRole('group', { name: `${member.path}: Expected` }).getByText(String(member.before)).waitFor();
  await found.getByRole('group', { name: `${member.path}: Found` }).getByText('not set').waitFor();
  assert.deepEqual(await writesTo(page, tailspin), before, 'nothing was sent');
  for (const scheme of ['light', 'dark']) {
    await inTheme(page, scheme);
    await accessible(page, `a stopped fix in ${scheme}`, scheme === 'dark' ? 'colours' : 'pop-up');
  }
  await meanwhile(page, tailspin, graphPath(fix), { [member.path]: member.before });
  await page.getByRole('button', { name: 'Plan again' }).click();
  await page.waitForURL((url) => url.searchParams.get('item') !== fix.id && url.searchParams.has('plan'), { timeout: 60_000 });
  await title(page, fix).waitFor();
  await page.getByText('Proposed', { exact: true }).first().waitFor();
  assert.notEqual((await owner.get(`/api/v1/fixes/${fix.id}`)).state, 'applied');
});

story('a policy that is not secure leads to its fix by the same way', async ({ page }) => {
  await signIn(page, 'contoso', 'owner', `/policies?directory=${tailspin.id}`);
  await settled(page, 'Policies');
  const { policies } = await world.tenants.contoso.owner.get(`/api/v1/policies?directory=${tailspin.id}`);
  const recipes = (await world.tenants.contoso.owner.get(`/api/v1/fix-recipes?directory=${tailspin.id}`)).items;
  const loose = policies.filter((each) => each.compliant === false && recipes.some((recipe) => recipe.policies.includes(each.key)));
  assert.ok(loose.length > 0, 'something is not secure');
  await becomes(() => page.getByRole('button', { name: /^Fix this: / }).count(), loose.length, 'a way to fix each');
  const before = await writesTo(page, tailspin);
  await page.getByRole('button', { name: `Fix this: ${loose[0].name}` }).click();
  await page.waitForURL((url) => url.pathname === '/fixes' && url.searchParams.has('plan'), { timeout: 60_000 });
  await page.getByRole('heading', { level: 3, name: 'What changes' }).waitFor();
  assert.deepEqual(await writesTo(page, tailspin), before, 'leading there writes nothing');
});

story('fixes are narrowed in the address, walked by keys, and one is dismissed', async ({ page }) => {
  const fix = await planned();
  await signIn(page, 'contoso', 'owner', `/fixes?state=proposed&directory=${tailspin.id}`);
  await settled(page, 'Fixes');
  const { items } = await world.tenants.contoso.owner.get(`/api/v1/fixes?state=proposed&directory=${tailspin.id}&limit=100`);
  await becomes(() => rows(page, 'Fixes').count(), items.length, 'the proposed ones');
  await page.goto(`/fixes?state=proposed&directory=${tailspin.id}&item=${fix.id}`);
  await title(page, fix).waitFor();
  await page.getByRole('button', { name: 'Dismiss' }).click();
  await dialog(page, 'Dismiss this fix').getByRole('button', { name: 'Dismiss' }).click();
  await page.getByText('It is not sent. Plan again to propose it anew.').waitFor();
  await becomes(() => rows(page, 'Fixes').count(), items.length - 1, 'one fewer');
  await page.keyboard.press('Escape');
  await title(page, fix).waitFor({ state: 'hidden' });
  await page.keyboard.press('j');
  await hasFocus(rows(page, 'Fixes').getByRole('link').first());
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 3, name: 'What changes' }).waitFor();
  await page.keyboard.press('Escape');
});

story('what may be written is listed with its permission, and the settings of a directory are an owner’s', async ({ page }) => {
  const { owner } = world.tenants.contoso;
  const { items } = await owner.get(`/api/v1/fix-recipes?directory=${tailspin.id}`);
  assert.ok(items.length >= 30, `${items.length} recipes`);
  await signIn(page, 'contoso', 'owner', `/fixes/recipes?directory=${tailspin.id}`);
  await becomes(() => rows(page, 'What may be written').count(), items.length, 'every recipe');

  const before = (await owner.get(`/api/v1/fix-settings/${wingtip.id}`)).settings;
  await page.goto(`/fixes/settings?of=${wingtip.id}`);
  await settled(page, 'Fixes');
  await page.getByText('None. Fixes can be planned and approved, and not sent.').waitFor();
  await page.getByRole('switch', { name: 'Fixes may be planned and sent' }).check();
  await page.getByRole('switch', { name: 'Send only in a change window' }).check();
  await page.getByRole('checkbox', { name: 'Friday' }).check();
  await page.getByText(/^Monday to Friday, 22:00 to 04:00 of the next day/).waitFor();
  await accessible(page, 'the settings of fixes');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Fix settings saved.').first().waitFor();
  const after = (await owner.get(`/api/v1/fix-settings/${wingtip.id}`)).settings;
  assert.equal(after.enabled, true);
  assert.deepEqual(after.window.days, ['mon', 'tue', 'wed', 'thu', 'fri']);
  await owner.send('PUT', `/api/v1/fix-settings/${wingtip.id}`, before);

  await beside('admin', `/fixes/settings?of=${wingtip.id}`, async (theirs) => {
    await settled(theirs, 'Fixes');
    assert.match(await whyNot(theirs, 'Save'), /fixes\.manage/);
  });
});

story('a person at risk is contained by two measures with a reason, and released', async ({ page }) => {
  await signIn(page, 'contoso', 'admin', `/threats?directory=${tailspin.id}`);
  await settled(page, 'Threats');
  await page.getByRole('button', { name: 'Contain Finn Finance' }).click();
  const form = dialog(page, 'Contain Finn Finance');
  await form.getByRole('button', { name: 'Contain', disabled: true }).waitFor();
  await form.getByRole('checkbox', { name: 'Sign out everywhere' }).check();
  await form.getByRole('checkbox', { name: 'Disable the account' }).check();
  await form.getByRole('textbox', { name: 'Reason' }).fill('Leaked credentials, confirmed by phone.');
  await accessible(page, 'the form that contains a person', 'pop-up');
  await form.getByRole('button', { name: 'Contain', exact: true }).click();
  await page.waitForURL((url) => url.pathname === '/fixes/contained');
  await page.getByRole('heading', { level: 2, name: 'Finn Finance' }).waitFor({ timeout: 60_000 });
  const measures = page.getByRole('list', { name: 'Measures' }).getByRole('listitem');
  await until(async () => (await measures.allTextContents()).filter((each) => each.includes('Done')).length === 2, 'both measures to be done', 90_000);
  const user = `/v1.0/users/${(await contained()).user.id}`;
  assert.equal((await valueOf(page, tailspin, user)).accountEnabled, false);

  await page.goto(`/threats?directory=${tailspin.id}`);
  await settled(page, 'Threats');
  await page.getByRole('region', { name: 'Risky users' }).getByRole('link', { name: 'Contained' }).click();
  await page.getByRole('button', { name: 'Release' }).click();
  await page.getByRole('alertdialog', { name: 'Release Finn Finance' }).getByRole('button', { name: 'Release' }).click();
  await page.getByRole('status').getByText('Released', { exact: true }).waitFor({ timeout: 60_000 });
  assert.equal((await valueOf(page, tailspin, user)).accountEnabled, true);
});

const contained = async () => (await world.tenants.contoso.owner.get(`/api/v1/containments?directory=${tailspin.id}`)).items[0];

story('an auditor reads every fix, changes nothing, and reads why', async ({ page }) => {
  const { items } = await world.tenants.contoso.owner.get(`/api/v1/fixes?state=rolled_back&directory=${tailspin.id}`);
  await signIn(page, 'contoso', 'auditor', `/fixes?item=${items[0].id}`);
  await title(page, items[0]).waitFor();
  await page.getByRole('list', { name: 'What was sent and what came back' }).getByRole('listitem').first().waitFor();
  assert.match(await whyNot(page, 'Plan again'), /fixes\.plan/);
});
