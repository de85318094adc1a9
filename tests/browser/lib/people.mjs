// What a person does at the keyboard and with the mouse, everything found by its role and name.
const NAMES = { owner: 'Olivia Owner', admin: 'Adam Admin', member: 'Mia Member', auditor: 'Aki Auditor', unassigned: 'Uma Unassigned' };
const titled = (word) => word[0].toUpperCase() + word.slice(1);

/** From the portal's sign-in page to Microsoft's account picker, and the account chosen there. */
export async function pickAccount(page, tenant, role) {
  await page.getByRole('button', { name: `Sign in to ${titled(tenant)} with Microsoft` }).click();
  await page.getByRole('button', { name: `Sign in as ${NAMES[role]} ${role}@${tenant}.example ${titled(tenant)}`, exact: true }).click();
}

/** Goes to an address of the portal and signs in on the way. */
export async function signIn(page, tenant, role, path = '/') {
  await page.goto(path);
  await pickAccount(page, tenant, role);
  await page.getByRole('banner').waitFor();
  await settled(page);
}

/** The page has its title, and nothing on it is loading. */
export async function settled(page, title) {
  await page.getByRole('heading', { level: 1, name: title, exact: typeof title === 'string' }).waitFor();
  await page.waitForFunction(() => document.querySelector('[aria-label="Loading"], [role=progressbar]') === null);
}

/** By the navigation on the left. */
export async function visit(page, section) {
  await page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name: section, exact: true }).click();
  await settled(page, section);
}

/** Chooses in one of the filter pills. */
export async function choose(page, pill, choice) {
  await page.getByRole('group', { name: 'Filters' }).getByRole('button', { name: pill }).click();
  await page.getByRole('menuitemradio', { name: choice }).click();
  await settled(page);
}

/** Chooses in a drop-down field. */
export async function select(page, field, option) {
  await page.getByRole('combobox', { name: field, exact: true }).click();
  await page.getByRole('option', { name: option }).click();
}

export async function signOut(page, name) {
  await page.getByRole('button', { name: `Account of ${name}` }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
}

/** The rows of a table, without its head. */
export function rows(scope, table) {
  const page = 'page' in scope ? scope.page() : scope;
  return scope.getByRole('table', { name: table, exact: true }).getByRole('row').filter({ has: page.getByRole('cell') });
}

/** What the portal says in passing: in a live region for those who listen, and on the screen. */
export const notice = (page, text) => page.getByText(text).first();

/** Waits until a thing has the focus. */
export async function hasFocus(locator) {
  const element = await locator.elementHandle();
  await locator.page().waitForFunction((node) => document.activeElement === node, element);
}
