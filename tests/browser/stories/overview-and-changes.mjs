// The morning look: how we stand, what got worse, and the pair of runs that shows it.
import assert from 'node:assert/strict';
import { notice, rows, select, settled, signIn, visit } from '../lib/people.mjs';
import { chapter, story } from '../lib/story.mjs';
import { becomes } from '../lib/wait.mjs';
import { runOf, world } from '../lib/world.mjs';

chapter('Overview and changes');

const day = (iso) => new Date(iso).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });

story('the overview shows posture, trend and the drift headline', async ({ page }) => {
  const overview = await world.tenants.contoso.owner.get('/api/v1/overview');
  await signIn(page, 'contoso', 'owner');
  const main = page.getByRole('main');
  await main.getByRole('link', { name: `Posture ${Math.round(overview.posture * 100)}%` }).waitFor();

  const trend = main.getByRole('region', { name: 'Posture, last 90 days' });
  await trend.getByRole('button', { name: /Show as table/ }).click();
  await becomes(() => rows(trend, 'Posture, last 90 days').count(), overview.trend.length, 'a row for each mark of the trend');
  await trend.getByRole('button', { name: /Show as chart/ }).click();

  const changed = main.getByRole('region', { name: 'What changed' });
  const [first] = overview.drift.items;
  assert.equal(first.movement, 'regression', 'what got worse comes first');
  await changed.getByRole('listitem').first().getByText(first.title).waitFor();
  await changed.getByRole('link', { name: /MT\.1011/ }).click();
  await settled(page, 'Findings');
  await page.getByRole('heading', { level: 2, name: first.title }).waitFor();
});

story('day 2 compared with day 1 shows that MT.1005 got worse', async ({ page }) => {
  const [one, two] = await Promise.all([runOf('contoso', 'maester-1'), runOf('contoso', 'maester-2')]);
  const drift = await world.tenants.contoso.owner.get(`/api/v1/drift?from=${one.id}&to=${two.id}`);
  await signIn(page, 'contoso', 'owner');
  await visit(page, 'Changes');
  await select(page, 'Series', /^Maester/);
  await select(page, 'From (older)', new RegExp(`^${day(one.assessed_at)} .*GitHub Actions`));
  await select(page, 'To (newer)', new RegExp(`^${day(two.assessed_at)} .*GitHub Actions`));
  await page.waitForURL((url) => url.searchParams.get('from') === one.id && url.searchParams.get('to') === two.id);
  await settled(page, 'Changes');
  await page.getByText('run 1 compared with run 2').waitFor();

  const counts = page.getByRole('group', { name: 'Movement counts' });
  await counts.getByRole('button', { name: `Regressions ${drift.counts.regression}` }).waitFor();
  const worse = rows(page.getByRole('region', { name: 'Regressions' }), 'Regressions');
  await becomes(() => worse.count(), drift.counts.regression, 'all regressions to be listed');
  const regression = worse.filter({ hasText: 'MT.1005' });
  await regression.getByText('Passed').waitFor();
  await regression.getByText('Failed').waitFor();

  await counts.getByRole('button', { name: /^Fixed/ }).click();
  await page.getByRole('region', { name: 'Regressions' }).waitFor({ state: 'hidden' });
  await page.getByRole('region', { name: 'Fixed' }).waitFor();

  const shared = page.url();
  await page.reload();
  await settled(page, 'Changes');
  assert.equal(page.url(), shared, 'the compared pair is in the address');
  await page.getByRole('region', { name: 'Fixed' }).waitFor();
});

story('a baseline is pinned, compared with, and unpinned', async ({ page }) => {
  const { owner } = world.tenants.fabrikam;
  const one = await runOf('fabrikam', 'scan-1');
  const { series } = await owner.get('/api/v1/drift?family=sarif');
  await signIn(page, 'fabrikam', 'owner', '/changes');
  try {
    await select(page, 'Series', /payments-api$/);
    await select(page, 'From (older)', new RegExp(`^${day(one.assessed_at)} .*Azure DevOps`));
    await page.getByText('run 1 compared with run 3').waitFor();
    await page.getByRole('button', { name: 'Pin older run as baseline' }).click();
    await notice(page, 'Baseline pinned').waitFor();
    await page.getByRole('button', { name: 'Default pair' }).click();
    await page.getByText('Compared with the pinned baseline.').waitFor();
    await page.getByText('run 1 compared with run 3').waitFor();
    await page.getByRole('button', { name: 'Unpin baseline' }).click();
    await page.getByText('run 2 compared with run 3').waitFor();
  } finally {
    // Whatever happened, the default pair is the default again.
    await owner.send('DELETE', `/api/v1/series/${series.id}/baseline`).catch(() => undefined);
  }
});
