// Fails the build when the scripts of the first page weigh more than the budget. The first page is the entry and everything it imports
// statically; what is imported on demand (sign-in library, charts, pages) is listed but not counted.
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const BUDGET = 250 * 1000;
const dist = new URL('../dist/', import.meta.url);
const manifest = JSON.parse(await readFile(new URL('.vite/manifest.json', dist), 'utf8'));

const first = new Set();
const visit = (key) => {
  if (first.has(key)) return;
  first.add(key);
  for (const next of manifest[key].imports ?? []) visit(next);
};
Object.keys(manifest).filter((key) => manifest[key].isEntry).forEach(visit);

const weigh = async (file) => gzipSync(await readFile(new URL(file, dist)), { level: 9 }).length;
let total = 0;
for (const [key, chunk] of Object.entries(manifest)) {
  if (!chunk.file.endsWith('.js')) continue;
  const bytes = await weigh(chunk.file);
  if (first.has(key)) total += bytes;
  if (bytes > 8000) console.log(`${first.has(key) ? 'first' : 'later'}  ${(bytes / 1000).toFixed(1).padStart(7)} kB gzip  ${chunk.file}`);
}
console.log(`First page: ${(total / 1000).toFixed(1)} kB gzip of script; the budget is ${BUDGET / 1000} kB.`);
if (first.size === 0 || total > BUDGET) {
  console.error('The first page is over its budget (or has no entry). Load something later.');
  process.exit(1);
}
