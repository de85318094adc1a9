// Every page for everybody: axe in light, dark and high contrast, the width of a telephone, the keyboard alone. The pictures of the
// documents are made on the way.
import assert from 'node:assert/strict';
import { accessible, fitsNarrow, inTheme, picture } from '../lib/looks.mjs';
import { pages } from '../lib/pages.mjs';
import { hasFocus, rows, settled, signIn } from '../lib/people.mjs';
import { chapter, story } from '../lib/story.mjs';

chapter('For everybody');

async function arrive(page, { path, title, panel, frame }) {
  await page.goto(path);
  await page.getByRole('banner').waitFor();
  await settled(page, title);
  if (panel) await page.getByRole('heading', { level: 2, name: panel }).waitFor();
  if (frame) await page.frameLocator('iframe').getByRole('heading', { level: 1 }).waitFor();
}

async function looked(page, name) {
  for (const scheme of ['light', 'dark']) {
    await inTheme(page, scheme);
    // What is where does not depend on the theme, so that the second look is for colours only.
    await accessible(page, `${name} in ${scheme}`, scheme === 'dark' ? 'colours' : undefined);
    for (const width of [1400, 400]) await picture(page, name, scheme, width);
    await page.setViewportSize({ width: 1400, height: 900 });
  }
  await fitsNarrow(page, name);
  await page.setViewportSize({ width: 1400, height: 900 });
}

story('signing in is axe-clean in light and dark, and fits into 320 px', async ({ page }) => {
  await page.goto('/');
  await settled(page, 'Sign in to Bailiwick');
  await looked(page, 'sign-in');
});

story('unsubscribing is axe-clean in light and dark, and fits into 320 px', async ({ page }) => {
  await page.goto('/unsubscribe#token');
  await settled(page, 'Stop mail from Bailiwick');
  await looked(page, 'unsubscribe');
});

// Half of the pages each, so that the two are looked at side by side.
for (const half of [0, 1]) {
  story(`every page is axe-clean in light and dark, and fits into 320 px (half ${half + 1})`, async ({ page }, t) => {
    await signIn(page, 'contoso', 'owner');
    for (const each of (await pages()).filter((_, index) => index % 2 === half)) {
      await t.test(each.name, async () => {
        await arrive(page, each);
        await looked(page, each.name);
      });
    }
  });
}

story('every page is axe-clean in high contrast', async ({ page }, t) => {
  await signIn(page, 'contoso', 'owner');
  await page.getByRole('button', { name: 'Account of Owner of Contoso' }).click();
  await page.getByRole('menuitemradio', { name: 'High contrast' }).click();
  await page.keyboard.press('Escape');
  for (const each of await pages()) {
    await t.test(each.name, async () => {
      await arrive(page, each);
      await accessible(page, `${each.name} in high contrast`, 'colours');
    });
  }
});

story('dialogs, menus and the palette are axe-clean', async ({ page }) => {
  await signIn(page, 'contoso', 'owner', '/settings/keys');
  for (const scheme of ['light', 'dark']) {
    await inTheme(page, scheme);
    await page.getByRole('button', { name: 'Create a key' }).click();
    await page.getByRole('dialog', { name: 'Create an API key' }).waitFor();
    await accessible(page, `the form for a key in ${scheme}`, 'pop-up');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Revoke demo tenant key' }).click();
    await page.getByRole('alertdialog').waitFor();
    await accessible(page, `the question before a key is revoked in ${scheme}`, 'pop-up');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: /^Account of/ }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).waitFor();
    await accessible(page, `the account menu in ${scheme}`, 'pop-up');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await page.getByRole('option').first().waitFor();
    await accessible(page, `the palette in ${scheme}`, 'pop-up');
    await page.keyboard.press('Escape');
    await page.getByRole('option').first().waitFor({ state: 'hidden' });
  }
});

story('the keyboard alone leads from the skip link to a finding and back', async ({ page }) => {
  await signIn(page, 'contoso', 'owner');
  await page.reload();
  await settled(page, 'Overview');
  await page.keyboard.press('Tab');
  const skip = page.getByRole('link', { name: 'Skip to content' });
  await hasFocus(skip);
  assert.ok((await skip.boundingBox()).y >= 0, 'the skip link can be seen while it has the focus');
  await page.keyboard.press('Enter');
  await hasFocus(page.getByRole('main'));

  const section = page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name: 'Findings', exact: true });
  await tabTo(page, section, 'Shift+Tab');
  await page.keyboard.press('Enter');
  await settled(page, 'Findings');
  await hasFocus(page.getByRole('heading', { level: 1 }));

  const links = rows(page, 'Findings').getByRole('link');
  await links.first().waitFor();
  await page.keyboard.press('j');
  await hasFocus(links.first());
  await page.keyboard.press('ArrowDown');
  await hasFocus(links.nth(1));
  const outline = await links.nth(1).evaluate((link) => getComputedStyle(link, '::after').outlineStyle);
  assert.notEqual(outline, 'none', 'the focus can be seen');
  await page.keyboard.press('Enter');
  const title = page.getByRole('heading', { level: 2 }).and(page.locator('[tabindex="-1"]'));
  await hasFocus(title);
  await page.keyboard.press('Escape');
  await hasFocus(links.nth(1));
});

/** Presses until a thing has the focus. */
async function tabTo(page, target, key) {
  for (let pressed = 0; pressed < 60; pressed += 1) {
    if (await target.evaluate((node) => node === document.activeElement)) return;
    await page.keyboard.press(key);
  }
  assert.fail('The keyboard does not lead there.');
}
