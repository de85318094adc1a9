// The portal as people use it, in Chromium, against the demo. Every story stands alone; they share the demo and the browser.
import { after, before } from 'node:test';
import { startWorld, stopWorld } from './lib/world.mjs';

before(startWorld, { timeout: 120_000 });
after(stopWorld, { timeout: 60_000 });

await import('./stories/signing-in.mjs');
await import('./stories/overview-and-changes.mjs');
await import('./stories/findings.mjs');
await import('./stories/evidence.mjs');
