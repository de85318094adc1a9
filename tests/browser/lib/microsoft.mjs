// What the browser meets at the simulated Microsoft during a consent, and what the journeys know of the directories that are scanned.
import { settled } from './people.mjs';
import { until } from './wait.mjs';
import { world } from './world.mjs';

export const DIRECTORIES = {
  northwind: { id: '40470e11-3333-4333-8333-333333333333', name: 'Northwind Traders', domain: 'northwind.example' },
  tailspin: { id: '7a115710-4444-4444-8444-444444444444', name: 'Tailspin Toys', domain: 'tailspin.example' },
  wingtip: { id: '3199717b-5555-4555-8555-555555555555', name: 'Wingtip Toys', domain: 'wingtip.example' },
  /** Connected by nobody before; large, so that a scan of it can be watched. */
  litware: { id: '1a26e000-6666-4666-8666-666666666666', name: 'Litware', domain: 'litware.example' },
};

/** On the page Connect: fills in a directory, and goes to Microsoft. */
export async function goToMicrosoft(page, directory) {
  await page.goto('/connect');
  await settled(page, 'Connect a directory');
  await page.getByRole('textbox', { name: 'Directory (tenant) id' }).fill(directory.id);
  await page.getByRole('textbox', { name: 'Label' }).fill(directory.name);
  await page.getByRole('button', { name: 'Go to Microsoft’s consent page' }).click();
  await page.getByRole('heading', { name: 'Pick an account' }).waitFor();
}

/** At Microsoft: picks somebody of the directory. */
export async function pickAt(page, directory, local) {
  await page.getByRole('button', { name: `${local}@${directory.domain}` }).click();
}

/** At Microsoft: an administrator accepts what is asked, or not. */
export async function decide(page, directory, answer) {
  await pickAt(page, directory, 'admin');
  await page.getByRole('heading', { name: 'Permissions requested' }).waitFor();
  const asked = await page.getByRole('list', { name: 'Permissions' }).getByRole('listitem').allTextContents();
  await page.getByRole('button', { name: answer }).click();
  return asked.map((each) => each.trim());
}

/** The simulated Microsoft, asked over its own loopback address with a certificate of its own. */
async function simulated(page, method, path, data) {
  const answer = await page.context().request.fetch(`${world.demo.sim.authority}${path}`, { method, data, ignoreHTTPSErrors: true });
  if (!answer.ok()) throw new Error(`${method} ${path}: ${answer.status()} ${await answer.text()}`);
  return answer;
}

/** Somebody else changes a setting there, past Bailiwick. */
export const meanwhile = (page, directory, path, members) => simulated(page, 'POST', '/_sim/changes', { directory: directory.id, path, members });

/** What is kept there now. */
export const valueOf = async (page, directory, path) => (await simulated(page, 'GET', `/_sim/value?directory=${directory.id}&path=${encodeURIComponent(path)}`)).json();

/** Every write to a directory that was taken or refused, oldest first. */
export async function writesTo(page, directory) {
  const text = await (await page.context().request.fetch(world.demo.sim.calls, { ignoreHTTPSErrors: true })).text();
  return text.split('\n').filter(Boolean).map((line) => JSON.parse(line)).filter((call) => call.body_sha256 && call.directory === directory.id);
}

/** The newest completed scan of a directory of Contoso. */
export async function scanOf(directory, kind = 'compliance') {
  const { items } = await world.tenants.contoso.owner.get(`/api/v1/scans?directory=${directory.id}&kind=${kind}&state=completed`);
  if (!items[0]) throw new Error(`Contoso has no completed ${kind} scan of ${directory.name}.`);
  return items[0];
}

/** The newest fix of a directory of Contoso in a state. */
export async function fixOf(directory, state) {
  const { items } = await world.tenants.contoso.owner.get(`/api/v1/fixes?directory=${directory.id}&state=${state}`);
  if (!items[0]) throw new Error(`Contoso has no fix of ${directory.name} that is ${state}.`);
  return items[0];
}

/** Waits until a scan has ended. */
export function ended(owner, scan) {
  return until(async () => {
    const now = await owner.get(`/api/v1/scans/${scan}`);
    return ['completed', 'failed', 'cancelled'].includes(now.state) && now;
  }, `scan ${scan} to end`, 60_000);
}
