/** Bundles the pages' scripts into `built/`: `npm ci && npm run build`. */
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const bundles = ['board', 'method', 'charts', 'viewer'];

process.chdir(here('.')); // so that the paths below are relative to this folder
const { metafile, outputFiles } = await build({
  entryPoints: bundles.map((name) => `scripts/${name}.js`),
  outdir: 'built',
  bundle: true,
  format: 'iife',
  minify: true,
  charset: 'ascii',
  target: ['chrome100', 'firefox113', 'safari16.4'],
  legalComments: 'none',
  metafile: true,
  write: false,
});

/** A digest of everything that the bundles are made from, so that a stale bundle is noticed. */
async function digestOfSources() {
  const scripts = (await readdir('scripts')).sort().map((name) => `scripts/${name}`);
  const hash = createHash('sha256');
  for (const path of ['build.mjs', 'package-lock.json', ...scripts]) hash.update(await readFile(path));
  return hash.digest('hex');
}

/** The npm packages that are in a bundle. */
function packagesIn(bundle) {
  const inside = Object.keys(metafile.outputs[`built/${bundle}`].inputs);
  const names = inside.map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]);
  return [...new Set(names.filter(Boolean))].sort();
}

/** A package's name, version and licence text. */
async function noticeOf(name) {
  const { version } = JSON.parse(await readFile(`node_modules/${name}/package.json`, 'utf8'));
  const text = await readFile(`node_modules/${name}/LICENSE`, 'utf8');
  return `${name} ${version}\n\n${text.trim()}\n`;
}

await mkdir('built', { recursive: true });
const head = `chorus-bench, Apache-2.0; sources: ${await digestOfSources()}\n`;
const notices = new Map();
for (const { path, text } of outputFiles) {
  const bundle = basename(path);
  const names = packagesIn(bundle);
  for (const name of names) notices.set(name, await noticeOf(name));
  const notice = [head, ...names.map((name) => `Holds ${notices.get(name)}`)].join('\n');
  await writeFile(`built/${bundle}`, `/*\n${notice}*/\n${text}`);
  console.log(`${bundle}  ${(text.length / 1000).toFixed(1)} kB  ${names.join(', ')}`);
}
const title = 'Licences of the npm packages in the scripts of this folder.\n';
await writeFile('built/LICENSES.txt', [title, ...notices.values()].join('\n'));
