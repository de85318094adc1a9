// Notifications: a channel is added and tested, its secret shown once; a rule tells it of the next regression and of nothing else; a mail
// leads to the page that takes one off it, without a sign-in; what did not arrive says why.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { accessible, inTheme, picture } from '../lib/looks.mjs';
import { mailTo } from '../lib/mails.mjs';
import { notice, rows, select, settled, signIn, visit } from '../lib/people.mjs';
import { signed, startReceiver } from '../lib/receiver.mjs';
import { chapter, open, story } from '../lib/story.mjs';
import { becomes, until } from '../lib/wait.mjs';
import { world } from '../lib/world.mjs';

let receiver;
/** The signing secrets of the webhook, the old and the new. */
let secrets;

// One clipboard for all, and each story goes on from the one before: Fabrikam has told nobody anything yet.
chapter('Notifying', { concurrency: 1, before: async () => void (receiver = await startReceiver()), after: () => receiver.stop() });

const clipboard = { permissions: ['clipboard-read', 'clipboard-write'] };

/** A day of Fabrikam's with other results: so many checks that passed fail, or none. */
async function report(failing, pipeline) {
  const text = (await readFile(join(world.demo.folder, 'reports/fabrikam/TestResults-day3.json'), 'utf8')).replace(/^\uFEFF/, '');
  const results = JSON.parse(text);
  const passed = results.Tests.filter((test) => test.Result === 'Passed').slice(0, failing);
  for (const test of passed) test.Result = 'Failed';
  if (typeof results.PassedCount === 'number') results.PassedCount -= passed.length;
  if (typeof results.FailedCount === 'number') results.FailedCount += passed.length;
  results.ExecutedAt = new Date().toISOString();
  await world.tenants.fabrikam.pipeline.submit(pipeline, [{ name: `${pipeline}.json`, bytes: Buffer.from(JSON.stringify(results)) }]);
  return passed;
}

async function add(page, kind, name) {
  await page.getByRole('main').getByRole('button', { name: 'Add a channel' }).click();
  const form = page.getByRole('dialog', { name: 'Add a channel' });
  await form.getByRole('radio', { name: kind }).click();
  await form.getByRole('textbox', { name: 'Name' }).fill(name);
  return form;
}

story('a tenant that tells nobody anything is told how to begin', async ({ page }) => {
  await signIn(page, 'fabrikam', 'owner');
  await visit(page, 'Notifications');
  await page.getByRole('heading', { name: 'Nobody is told yet' }).waitFor();
  for (const scheme of ['light', 'dark']) {
    await accessible(page, `no channels in ${scheme}`);
    for (const width of [1400, 400]) await picture(page, 'notifications-empty', scheme, width);
  }
  await page.setViewportSize({ width: 1400, height: 900 });
  await page.getByRole('tab', { name: 'Rules' }).click();
  await page.getByRole('button', { name: 'Add a rule', disabled: true }).waitFor();
  await page.getByRole('tab', { name: 'Deliveries' }).click();
  await page.getByRole('heading', { name: 'Nothing was sent yet' }).waitFor();
});

story('a webhook is added, its secret shown once, and a test arrives signed by it', async ({ page, expected }) => {
  // A second test within a minute.
  expected.push(/status of 429/);
  await signIn(page, 'fabrikam', 'owner', '/notifications');
  await settled(page, 'Notifications');
  const form = await add(page, /^Webhook/, 'Incident desk');
  await form.getByRole('textbox', { name: 'Address' }).fill(`${receiver.url}/hooks/secret-path`);
  await form.getByRole('button', { name: 'Add', exact: true }).click();
  const shown = page.getByRole('alertdialog', { name: 'Your signing secret' }).or(page.getByRole('dialog', { name: 'Your signing secret' }));
  const secret = await shown.getByRole('textbox', { name: 'Signing secret' }).inputValue();
  assert.match(secret, /^whsec_[A-Za-z0-9+/=]{32,}$/);
  await shown.getByRole('button', { name: 'Copy secret' }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
  await shown.getByRole('button', { name: 'I have stored it' }).click();
  await shown.waitFor({ state: 'hidden' });

  await page.getByRole('heading', { level: 2, name: 'Incident desk' }).waitFor();
  await page.getByRole('button', { name: 'Send a test' }).click();
  await page.getByRole('status', { name: 'Outcome of the test' }).getByText('The test arrived.').waitFor();
  assert.equal(receiver.taken.length, 1);
  assert.ok(signed(receiver.taken[0], secret), 'the test is signed with the secret that was shown');
  await page.reload();
  await page.getByRole('heading', { level: 2, name: 'Incident desk' }).waitFor();
  const whole = await page.content();
  assert.ok(!whole.includes(secret) && !whole.includes('secret-path'), 'neither secret nor address is shown again');
  const panel = page.getByRole('dialog').or(page.getByRole('complementary')).last();
  await panel.getByText('Working').waitFor();

  await page.getByRole('button', { name: 'Rotate the secret' }).click();
  await page.getByRole('alertdialog', { name: 'Rotate the secret of Incident desk' }).getByRole('button', { name: 'Rotate the secret' }).click();
  const next = await shown.getByRole('textbox', { name: 'Signing secret' }).inputValue();
  await shown.getByRole('button', { name: 'I have stored it' }).click();
  secrets = [secret, next];
  assert.notEqual(next, secret);
  await page.getByRole('button', { name: 'Send a test' }).click();
  await notice(page, /less than a minute ago/).waitFor();
}, clipboard);

story('a rule reads as a sentence, and tells of a regression, but of no run without one', async ({ page }) => {
  await signIn(page, 'fabrikam', 'owner', '/notifications/rules');
  await settled(page, 'Notifications');
  await page.getByRole('main').getByRole('button', { name: 'Add a rule' }).click();
  const form = page.getByRole('dialog', { name: 'Add a rule' });
  await form.getByRole('textbox', { name: 'Name' }).fill('What got worse');
  await form.getByRole('checkbox', { name: /^A scan failed/ }).click();
  await form.getByRole('spinbutton', { name: 'At least how many regressions' }).fill('2');
  await form.getByRole('radio', { name: 'In a weekly digest' }).click();
  await select(page, 'On', 'Friday');
  await form.getByLabel('At', { exact: true }).fill('16:45');
  const sentence = form.getByRole('status', { name: 'In words' });
  await sentence.getByText(/^When a scan or report got worse \(2 or more regressions\) or a scan failed, tell Incident desk every Friday at 16:45 \(UTC\)\./).waitFor();
  for (const scheme of ['light', 'dark']) {
    await inTheme(page, scheme);
    await accessible(page, `the form for a rule in ${scheme}`, 'pop-up');
    await picture(page, 'notification-rule', scheme, 1400);
    await picture(page, 'notification-rule', scheme, 400);
    await page.setViewportSize({ width: 1400, height: 900 });
  }
  await inTheme(page, 'light');
  await form.getByRole('radio', { name: 'At once' }).click();
  await form.getByRole('button', { name: 'Save' }).click();
  await rows(page, 'Rules').getByText('When a scan or report got worse (2 or more regressions) or a scan failed, tell Incident desk at once.').waitFor();

  const before = receiver.taken.length;
  await report(0, 'notify-same');
  await report(3, 'notify-worse');
  const told = await until(() => receiver.taken[before], 'the regression to be told', 30_000);
  const message = JSON.parse(told.body.toString('utf8'));
  assert.equal(message.type, 'drift.regressed');
  assert.ok(secrets.every((secret) => signed(told, secret)), 'for a day both secrets sign');
  assert.equal(receiver.taken.length, before + 1, 'the run without a regression was told nobody');

  await page.getByRole('tab', { name: 'Deliveries' }).click();
  const row = rows(page, 'Deliveries').first();
  await row.getByText('Delivered').waitFor();
  await row.getByRole('link').click();
  await page.getByRole('list', { name: 'Tries' }).getByText('Arrived').waitFor();
  await page.getByText(told.headers['webhook-id']).waitFor();
  await page.getByRole('link', { name: 'The run' }).click();
  await page.getByRole('heading', { level: 1, name: 'Run from notify-worse' }).waitFor();
});

story('a mail brings its own way out, which needs no sign-in', async ({ page }) => {
  const { owner } = world.tenants.fabrikam;
  const { address } = await owner.get('/api/v1/me/notifications');
  await signIn(page, 'fabrikam', 'owner', '/notifications');
  await settled(page, 'Notifications');
  const form = await add(page, /^E-mail/, 'Owners');
  await form.getByRole('textbox', { name: 'Other addresses' }).fill('not an address');
  await form.getByText('Not an e-mail address: not an address').waitFor();
  await form.getByRole('button', { name: 'Add', exact: true, disabled: true }).waitFor();
  await form.getByRole('textbox', { name: 'Other addresses' }).fill(address);
  for (const scheme of ['light', 'dark']) {
    await inTheme(page, scheme);
    await accessible(page, `the form for a channel in ${scheme}`, 'pop-up');
    await picture(page, 'notification-channel', scheme, 1400);
    await picture(page, 'notification-channel', scheme, 400);
    await page.setViewportSize({ width: 1400, height: 900 });
  }
  await inTheme(page, 'light');
  await form.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('heading', { level: 2, name: 'Owners' }).waitFor();
  await page.getByRole('button', { name: 'Send a test' }).click();
  await page.getByText('The test arrived.').waitFor();
  await mailTo(world.demo.mail_folder, address, /test of the channel/);
  const { items } = await owner.get('/api/v1/channels');
  const channel = items.find((each) => each.name === 'Owners').id;
  await owner.send('POST', '/api/v1/notification-rules', { name: 'By mail', channel, events: ['drift_regressed'], timing: { kind: 'immediate' } });
  await report(5, 'notify-mail');
  const mail = await mailTo(world.demo.mail_folder, address, /2 checks got worse/);
  assert.ok(mail.parts['text/html'], 'it has a part for those who like it drawn');
  const link = /https?:\S+\/unsubscribe#[\w.~%+-]+/.exec(mail.parts['text/plain'])?.[0];
  assert.ok(link, 'the text part holds the link');

  // Somebody who never signed in here.
  const stranger = await open();
  try {
    await stranger.page.goto(link);
    await settled(stranger.page, 'Stop mail from Bailiwick');
    assert.equal(new URL(stranger.page.url()).hash, '', 'the token leaves the address at once');
    assert.equal((await owner.get('/api/v1/me/notifications')).mail, 'all', 'opening the link changes nothing');
    await stranger.page.getByRole('button', { name: 'Unsubscribe' }).click();
    await settled(stranger.page, 'You are unsubscribed');
    assert.equal((await owner.get('/api/v1/me/notifications')).mail, 'none');
    assert.deepEqual(stranger.complaints, []);
  } finally {
    await stranger.context.close();
  }

  await page.keyboard.press('Escape');
  await page.getByRole('tab', { name: 'My preferences' }).click();
  await page.getByText('Chosen by the link in a mail').waitFor();
  await page.getByRole('radio', { name: /^Everything my channels send/ }).click();
  await page.getByRole('button', { name: 'Save' }).click();
  await notice(page, 'Preference saved.').waitFor();
  await becomes(async () => (await owner.get('/api/v1/me/notifications')).mail, 'all', 'mail to come again');
});

story('a link to unsubscribe that nobody sent changes nothing and says so', async ({ page, expected }) => {
  expected.push(/status of 4\d\d/);
  await page.goto('/unsubscribe#made-up');
  await settled(page, 'Stop mail from Bailiwick');
  await page.getByRole('button', { name: 'Unsubscribe' }).click();
  await settled(page, 'This link no longer works');
  await page.goto('/unsubscribe');
  await settled(page, 'This link is not whole');
});

story('a channel that refuses says why, and is removed once no rule uses it', async ({ page }) => {
  receiver.answer = 410;
  await signIn(page, 'fabrikam', 'owner', '/notifications');
  await settled(page, 'Notifications');
  const form = await add(page, /^Webhook/, 'Old desk');
  await form.getByRole('textbox', { name: 'Address' }).fill(`${receiver.url}/gone`);
  await form.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('button', { name: 'I have stored it' }).click();
  await page.getByRole('button', { name: 'Send a test' }).click();
  await page.getByText('The test was refused.').waitFor();
  await page.getByRole('link', { name: 'Its deliveries' }).click();
  await rows(page, 'Deliveries').first().getByText('Given up').waitFor();
  await rows(page, 'Deliveries').first().getByRole('link').click();
  await page.getByText(/answered 410/).first().waitFor();
  await page.getByRole('button', { name: 'Try again now', disabled: true }).waitFor();
  await page.keyboard.press('Escape');

  await page.getByRole('tab', { name: 'Channels' }).click();
  await rows(page, 'Channels').getByRole('link', { name: 'Incident desk' }).click();
  await page.getByRole('button', { name: 'Remove', exact: true, disabled: true }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('tab', { name: 'Rules' }).click();
  await rows(page, 'Rules').getByRole('button', { name: 'Remove What got worse' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
  await becomes(() => rows(page, 'Rules').filter({ hasText: 'Incident desk' }).count(), 0, 'the rule gone');
  await page.getByRole('tab', { name: 'Channels' }).click();
  await rows(page, 'Channels').getByRole('link', { name: 'Incident desk' }).click();
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
  await becomes(() => rows(page, 'Channels').filter({ hasText: 'Incident desk' }).count(), 0, 'the channel gone');
});

story('a message is looked at before it is sent: as mail, text, card and webhook', async ({ page }) => {
  await signIn(page, 'contoso', 'auditor', '/notifications/preview');
  await settled(page, 'Notifications');
  const { subject } = await world.tenants.contoso.owner.get('/api/v1/notification-preview?event=drift_regressed&channel=smtp');
  const frame = page.locator(`iframe[title="Mail: ${subject}"]`);
  assert.equal(await frame.getAttribute('sandbox'), '');
  await page.frameLocator(`iframe[title="Mail: ${subject}"]`).getByRole('heading').first().waitFor();
  await page.getByRole('tab', { name: 'Text part' }).click();
  assert.ok((await page.getByRole('group', { name: 'Text part' }).textContent()).length > 100);
  await page.goto('/notifications/preview?kind=teams');
  await page.getByRole('group', { name: 'As Teams shows it, roughly' }).waitFor();
  await page.getByRole('tab', { name: 'JSON' }).click();
  assert.equal(JSON.parse(await page.getByRole('group', { name: 'JSON' }).textContent()).type, 'AdaptiveCard');
  await page.goto('/notifications/preview?kind=webhook');
  const payload = JSON.parse(await page.getByRole('group', { name: 'Payload' }).textContent());
  assert.equal(payload.type, 'drift.regressed');
  await page.getByRole('tab', { name: 'Headers' }).click();
  await page.getByRole('group', { name: 'Headers' }).getByText('webhook-signature').waitFor();
});

story('an auditor reads who is told what, and why nothing can be changed', async ({ page }) => {
  await signIn(page, 'contoso', 'auditor', '/notifications');
  await rows(page, 'Channels').first().getByRole('link').click();
  await page.getByRole('button', { name: 'Send a test', disabled: true }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('main').getByRole('button', { name: 'Add a channel', disabled: true }).waitFor();
  await page.getByRole('tab', { name: 'Rules' }).click();
  await rows(page, 'Rules').getByText(/^When .*, tell /).first().waitFor();
  await page.getByRole('main').getByRole('button', { name: 'Add a rule', disabled: true }).waitFor();
});
