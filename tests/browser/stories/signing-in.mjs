// Signing in with Microsoft (authorization code with PKCE), being refused, coming back, and leaving.
import assert from 'node:assert/strict';
import { pickAccount, settled, signIn, signOut } from '../lib/people.mjs';
import { chapter, story } from '../lib/story.mjs';

chapter('Signing in');

story('an owner signs in through Microsoft and lands on the overview', async ({ page }) => {
  const token = page.waitForRequest((request) => request.method() === 'POST' && new URL(request.url()).pathname.endsWith('/oauth2/v2.0/token'));
  await page.goto('/');
  await settled(page, 'Sign in to Bailiwick');
  const asked = page.waitForRequest((request) => request.url().includes('/oauth2/v2.0/authorize'));
  await pickAccount(page, 'contoso', 'owner');
  await settled(page, 'Overview');
  const question = new URL((await asked).url()).searchParams;
  assert.equal(question.get('response_type'), 'code');
  assert.equal(question.get('code_challenge_method'), 'S256');
  const exchange = new URLSearchParams((await token).postData());
  assert.equal(exchange.get('grant_type'), 'authorization_code');
  assert.ok(exchange.get('code_verifier'), 'the code is redeemed with its verifier');
  assert.equal(exchange.get('client_secret'), null);
  await page.getByRole('banner').getByText('Contoso').waitFor();
  assert.equal(await page.title(), 'Overview · Bailiwick');
  assert.doesNotMatch(page.url(), /code=|state=|#/, 'nothing of the sign-in stays in the address');
});

story('a person without assignment meets Microsoft’s refusal, and no page of ours', async ({ page }) => {
  await page.goto('/');
  await pickAccount(page, 'contoso', 'unassigned');
  await page.getByText('AADSTS50105').waitFor();
  assert.equal(await page.getByRole('banner').count(), 0);
});

story('a link from a colleague leads to the same place after signing in, and survives a reload', async ({ page }) => {
  const link = '/findings?product=entra&severity=high&sort=first_seen';
  await signIn(page, 'contoso', 'auditor', link);
  await settled(page, 'Findings');
  assert.equal(new URL(page.url()).pathname + new URL(page.url()).search, link);
  await page.getByRole('button', { name: 'Severity: High' }).waitFor();
  await page.reload();
  await settled(page, 'Findings');
  assert.equal(new URL(page.url()).pathname + new URL(page.url()).search, link);
});

story('who signs out leaves nothing behind', async ({ page, context }) => {
  await signIn(page, 'contoso', 'member');
  await signOut(page, 'Member of Contoso');
  await page.getByRole('heading', { name: 'You signed out of your account' }).or(page.getByRole('heading', { name: 'Sign in to Bailiwick' })).waitFor();
  await page.goto('/findings');
  await settled(page, 'Sign in to Bailiwick');
  assert.equal(await page.evaluate(() => Object.keys(sessionStorage).filter((key) => /token|account/i.test(key)).length), 0);
  assert.deepEqual((await context.cookies(page.url())).map((cookie) => cookie.name), []);
});

story('an address that leads nowhere says so', async ({ page }) => {
  await signIn(page, 'contoso', 'owner', '/no-such-page');
  await settled(page, 'Nothing here that you may see');
  await page.getByRole('main').getByRole('link', { name: 'Go to Overview' }).click();
  await settled(page, 'Overview');
});
