// What all journeys share: one demo, one browser, and what the API says of both tenants.
import { chromium } from 'playwright-core';
import { Api } from './api.mjs';
import { startDemo } from './demo.mjs';

const CHROMIUM = process.env.BAILIWICK_CHROMIUM ?? '/usr/bin/chromium';

export const world = {};

export async function startWorld() {
  // Installed by the distribution; nothing is downloaded. As root Chromium has no sandbox of its own, which the sealed frame does not need.
  const [demo, browser] = await Promise.all([
    startDemo(),
    chromium.launch({ executablePath: CHROMIUM, args: process.getuid() === 0 ? ['--no-sandbox'] : [] }),
  ]);
  Object.assign(world, { demo, browser, url: demo.portal, tenants: Object.fromEntries(demo.tenants.map((tenant) => [tenant.name.toLowerCase(), actors(demo, tenant)])) });
}

export async function stopWorld() {
  await world.browser?.close();
  await world.demo?.stop();
}

/** `contoso.owner` and its kind: the API as that person; `contoso.pipeline`: with the tenant's key. */
function actors(demo, tenant) {
  const people = tenant.users.map((user) => [user.role, new Api(demo.api, { authorization: `Bearer ${user.bearer}` })]);
  return { ...Object.fromEntries(people), pipeline: new Api(demo.api, { 'x-api-key': tenant.api_keys.tenant }) };
}

/** The run of a pipeline, such as `maester-2`. */
export async function runOf(tenant, pipeline) {
  const { items } = await world.tenants[tenant].owner.get('/api/v1/runs?limit=200');
  const run = items.find((each) => each.pipeline_run_id === pipeline);
  if (!run) throw new Error(`${tenant} has no run ${pipeline}.`);
  return run;
}
