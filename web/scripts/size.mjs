// Fails the build when the scripts of the first page weigh more than the budget. The first page is the overview: the entry, the page,
// and everything the two import statically. What is imported on demand (sign-in library, charts, other pages) is listed, not counted.
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const BUDGET = 250 * 1000;
const FIRST = (key, chunk) => chunk.isEntry || key.endsWith('/OverviewPage.tsx') || key.endsWith('/themes/light.ts');
const dist = new URL('../dist/', import.meta.url);
const manifest = JSON.parse(await readFile(new URL('.vite/manifest.json', dist), 'utf8'));

const first = new Set();
const visit = (key) => {
  if (first.has(key)) return;
  first.add(key);
  for (const next of manifest[key].imports ?? []) visit(next);
};
const starts = Object.entries(manifest).filter(([key, chunk]) => FIRST(key, chunk));
starts.forEach(([key]) => visit(key));

let total = 0;
for (const [key, chunk] of Object.entries(manifest)) {
  if (!chunk.file.endsWith('.js')) continue;
  const bytes = gzipSync(await readFile(new URL(chunk.file, dist)), { level: 9 }).length;
  if (first.has(key)) total += bytes;
  if (bytes > 5000) console.log(`${first.has(key) ? 'first' : 'later'}  ${(bytes / 1000).toFixed(1).padStart(7)} kB gzip  ${chunk.file}`);
}
console.log(`First page: ${(total / 1000).toFixed(1)} kB gzip of script; the budget is ${BUDGET / 1000} kB.`);
if (starts.length < 3 || total > BUDGET) {
  console.error('The first page is over its budget (or was not found). Load something later.');
  process.exit(1);
}
