// The demo the journeys run against: simulated Microsoft, the real bailiwickd, two tenants with three days of reports. One for the whole
// run, in a folder of its own, on a free port, with its own copy of the built portal so that a build meanwhile changes nothing.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { until } from './wait.mjs';

const here = import.meta.dirname;
const PROGRAMS = resolve(process.env.BAILIWICK_PROGRAMS ?? join(here, '../../../target/debug'));
const PORTAL = resolve(here, '../../../web/dist');

/** Starts the demo and waits until its reports are in. With BAILIWICK_DEMO, the folder of a demo that runs already, nothing is started. */
export async function startDemo() {
  const running = process.env.BAILIWICK_DEMO;
  if (running) return { ...(await document(running)), folder: running, stop: async () => {} };
  const folder = await mkdtemp(join(tmpdir(), 'bailiwick-browser-'));
  // PostgreSQL runs as another user, who must be able to pass.
  await chmod(folder, 0o755);
  await cp(PORTAL, join(folder, 'portal'), { recursive: true });
  const log = await open(join(folder, 'demo.log'), 'w');
  const demo = spawn(
    join(PROGRAMS, 'bailiwick-demo'),
    ['--folder', folder, '--programs', PROGRAMS, '--portal', join(folder, 'portal'), '--port', String(await freePort())],
    { stdio: ['ignore', log.fd, log.fd] },
  );
  const ended = once(demo, 'exit').catch((error) => [error.message]);
  // Should this process end by surprise, the demo still hears of it.
  const interrupt = () => demo.kill('SIGINT');
  process.once('exit', interrupt);
  const stop = async () => {
    process.off('exit', interrupt);
    if (demo.exitCode === null) demo.kill('SIGINT');
    await ended;
    await log.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const found = await until(async () => {
      if (demo.exitCode !== null) throw new Error(`The demo ended with ${demo.exitCode}:\n${await readFile(join(folder, 'demo.log'), 'utf8')}`);
      return (await document(folder).catch(() => undefined))?.ready && document(folder);
    }, 'the demo to be ready', 240_000);
    return { ...found, folder, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const document = async (folder) => JSON.parse(await readFile(join(folder, 'demo.json'), 'utf8'));

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
