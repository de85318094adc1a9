// The portal as people use it, in Chromium, against the demo. Every story stands alone; they share the demo and the browser.
import { after, before } from 'node:test';
import { tellAll } from './lib/story.mjs';
import { startWorld, stopWorld } from './lib/world.mjs';
import './stories/signing-in.mjs';
import './stories/overview-and-changes.mjs';
import './stories/findings.mjs';
import './stories/evidence.mjs';
import './stories/sealed-report.mjs';
import './stories/connecting.mjs';
import './stories/scanning.mjs';
import './stories/fixing.mjs';
import './stories/notifying.mjs';
import './stories/settings.mjs';
import './stories/roles.mjs';
import './stories/everybody.mjs';

before(startWorld, { timeout: 300_000 });
after(stopWorld, { timeout: 60_000 });
tellAll();
