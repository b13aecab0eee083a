/**
 * Bundles the page into the Python package that serves and ships it: `node build.mjs [FOLDER]`. Static files, no names with
 * hashes, so that any file host serves them.
 */
import { build } from 'esbuild';
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const dist = resolve(process.argv[2] ?? join(here, '../agents/pnyx_agents/page'));

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
await build({
  absWorkingDir: here,
  entryPoints: { main: 'page/main.js', worker: 'page/worker.js' },
  outdir: dist,
  bundle: true,
  format: 'esm',
  minify: true,
  target: 'es2022',
  legalComments: 'inline',
  loader: { '.json': 'json' },
  logLevel: 'warning',
});
for (const file of ['index.html', 'style.css', 'icon.svg']) await copyFile(join(here, file), join(dist, file));
