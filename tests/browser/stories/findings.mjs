// Findings: narrowed, sorted, opened, walked with the keyboard; and the controls behind them.
import assert from 'node:assert/strict';
import { choose, hasFocus, rows, settled, signIn, visit } from '../lib/people.mjs';
import { chapter, story } from '../lib/story.mjs';
import { becomes } from '../lib/wait.mjs';
import { world } from '../lib/world.mjs';

chapter('Findings and controls');

const param = (page, name) => new URL(page.url()).searchParams.get(name);

story('findings are narrowed by severity, source and words, and the address says so', async ({ page }) => {
  const { owner } = world.tenants.contoso;
  await signIn(page, 'contoso', 'owner');
  await visit(page, 'Findings');
  const list = rows(page, 'Findings');
  // As many as the page fetches at first.
  const found = async (filter) => (await owner.get(`/api/v1/findings?limit=100${filter}`)).items.length;
  const all = await found('');
  await becomes(() => list.count(), all, 'all open findings');

  await choose(page, 'Severity', /^High/);
  await page.waitForURL((url) => url.searchParams.get('severity') === 'high');
  const high = await found('&severity=high');
  await becomes(() => list.count(), high, 'the high ones');
  await becomes(() => list.filter({ hasText: 'High' }).count(), high, 'nothing but high ones');

  await choose(page, 'Source', /^SARIF/);
  await becomes(() => list.count(), await found('&severity=high&family=sarif'), 'the high ones of the scanner');
  await page.getByRole('button', { name: 'Clear all' }).click();
  await becomes(() => list.count(), all, 'all again');

  await page.getByRole('searchbox', { name: 'Search checks by id or title' }).fill('MT.1011');
  await page.waitForURL((url) => url.searchParams.get('search') === 'MT.1011');
  await becomes(() => list.count(), 1, 'the one that was looked for');
  await list.getByText('Registering security information is protected').waitFor();

  await page.getByRole('searchbox').fill('nothing is called this');
  await page.getByText('Nothing matches these filters').waitFor();
});

story('findings are sorted worst first, or newest first', async ({ page }) => {
  const { owner } = world.tenants.contoso;
  const titles = (items) => items.slice(0, 5).map((finding) => finding.title);
  const shown = async () => {
    const texts = await rows(page, 'Findings').getByRole('link').allTextContents();
    return texts.slice(0, 5);
  };
  const ends = async (items) => {
    const wanted = titles(items);
    await becomes(async () => (await shown()).map((text, index) => text.endsWith(wanted[index])), wanted.map(() => true), `the order ${wanted.join(', ')}`);
  };
  await signIn(page, 'contoso', 'owner', '/findings');
  await ends((await owner.get('/api/v1/findings')).items);
  await choose(page, 'Sort', 'Newest first');
  assert.equal(param(page, 'sort'), 'first_seen');
  await ends((await owner.get('/api/v1/findings?sort=first_seen')).items);
});

story('a finding opens beside the list with its history, and the arrow keys walk on', async ({ page }) => {
  await signIn(page, 'contoso', 'owner', '/findings?search=MT.1011');
  const { items: [finding] } = await world.tenants.contoso.owner.get('/api/v1/findings?search=MT.1011');
  await rows(page, 'Findings').getByRole('link').first().click();
  const panel = page.getByRole('dialog', { name: finding.title }).or(page.getByRole('complementary', { name: finding.title }));
  await panel.waitFor();
  assert.equal(param(page, 'item'), finding.id);
  const history = panel.getByRole('list', { name: 'History' }).getByRole('listitem');
  await history.first().waitFor();
  await panel.getByText('What was found').waitFor();
  await history.first().getByRole('link', { name: 'Run from GitHub Actions' }).click();
  await settled(page, 'Run from GitHub Actions');
  await page.goBack();
  await panel.waitFor();
  await page.keyboard.press('Escape');
  await panel.waitFor({ state: 'hidden' });
  assert.equal(param(page, 'item'), null);

  await page.getByRole('button', { name: 'Clear all' }).click();
  const links = rows(page, 'Findings').getByRole('link');
  await links.nth(3).waitFor();
  await links.first().click();
  await page.getByText(/^1 of \d+/).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.getByText(/^2 of \d+/).waitFor();
  await page.keyboard.press('j');
  await page.getByText(/^3 of \d+/).waitFor();
  await page.keyboard.press('ArrowUp');
  await page.getByText(/^2 of \d+/).waitFor();
  const second = await links.nth(1).getAttribute('href');
  assert.equal(new URL(second, page.url()).searchParams.get('item'), param(page, 'item'));
  await page.keyboard.press('Escape');
  await hasFocus(links.nth(1));
});

story('controls show the latest word of each check in three tabs', async ({ page }) => {
  // As many as the page fetches at first.
  const controls = (outcome) => world.tenants.contoso.owner.get(`/api/v1/controls?outcome=${outcome}&limit=100`);
  await signIn(page, 'contoso', 'owner');
  await visit(page, 'Controls');
  const failing = await controls('failing');
  await page.getByRole('tab', { name: `Failing (${failing.failing})`, selected: true }).waitFor();
  await becomes(() => rows(page, 'Controls').count(), failing.items.length, 'the failing controls');
  await page.getByRole('tab', { name: `Passing (${failing.passed})` }).click();
  await becomes(() => rows(page, 'Controls').count(), (await controls('passed')).items.length, 'the passing controls');
  await page.getByRole('tab', { name: `Rest (${failing.rest})` }).click();
  await becomes(() => rows(page, 'Controls').count(), (await controls('rest')).items.length, 'the rest');
  assert.equal(param(page, 'outcome'), 'rest');
  await page.getByRole('tab', { name: /^Failing/ }).click();
  await page.getByRole('searchbox').fill('MT.1011');
  await becomes(() => rows(page, 'Controls').count(), 1, 'the one that was looked for');
  await rows(page, 'Controls').getByRole('link').first().click();
  await page.getByRole('link', { name: 'Open the finding' }).click();
  await settled(page, 'Findings');
});

story('search and commands lead to a finding', async ({ page }) => {
  await signIn(page, 'contoso', 'owner');
  await page.keyboard.press('Control+k');
  const search = page.getByRole('combobox', { name: 'Search and commands' });
  await hasFocus(search);
  await search.fill('MT.1011');
  await page.getByRole('option', { name: /MT\.1011/ }).waitFor();
  await page.keyboard.press('Enter');
  await settled(page, 'Findings');
  await page.getByRole('heading', { level: 2, name: 'Registering security information is protected' }).waitFor();
});
