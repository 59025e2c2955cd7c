/** Bundles the pages' scripts and styles into the Python package: `npm ci && npm run build`. */
import { build } from 'esbuild';
import { copyFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const output = here('../../chorus_bench/data/site/');
const bundles = ['board', 'method', 'charts', 'viewer'];

/** The packages that end up in a bundle, and the file that holds their license. */
const bundled = { three: 'LICENSE' };

await mkdir(output, { recursive: true });
await build({
  entryPoints: bundles.map((name) => here(`src/${name}.js`)),
  outdir: output,
  bundle: true,
  format: 'iife',
  minify: true,
  charset: 'ascii',
  target: ['chrome100', 'firefox113', 'safari16.4'],
  legalComments: 'none',
  banner: { js: '/* chorus-bench, Apache-2.0; bundled packages: LICENSES.txt */' },
});
await copyFile(here('style.css'), `${output}style.css`);

const texts = ['Licenses of the npm packages that are bundled into the scripts of this folder.\n'];
for (const [name, file] of Object.entries(bundled)) {
  const { version } = JSON.parse(await readFile(here(`node_modules/${name}/package.json`), 'utf8'));
  const license = await readFile(here(`node_modules/${name}/${file}`), 'utf8');
  texts.push(`${name} ${version}\n${'-'.repeat(60)}\n${license.trim()}\n`);
}
await writeFile(`${output}LICENSES.txt`, texts.join('\n'));

for (const name of [...bundles.map((bundle) => `${bundle}.js`), 'style.css']) {
  console.log(`${name}  ${((await stat(output + name)).size / 1000).toFixed(1)} kB`);
}
