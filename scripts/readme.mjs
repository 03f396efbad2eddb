/**
 * Runs the examples of README.md and docs/: every fenced block that opens with ```js run. Each is a
 * program of its own, in a folder where `sectile` can be imported, and must end with exit code 0. What
 * opens with ```ts check takes hardware or rights: its types are checked.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, 'build', 'examples');
const checked = join(root, 'build', 'examples-checked');
rmSync(checked, { recursive: true, force: true });
for (const each of [folder, checked]) mkdirSync(each, { recursive: true });

const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
let ran = 0;
let failed = 0;
let typed = 0;
for (const page of pages) {
  const text = readFileSync(join(root, page), 'utf8');
  for (const [, code] of text.matchAll(/^```ts check\n([\s\S]*?)^```/gm)) {
    writeFileSync(join(checked, `${page.replace(/\W/g, '-')}-${++typed}.ts`), code);
  }
  for (const [index, [, code]] of [...text.matchAll(/^```js run\n([\s\S]*?)^```/gm)].entries()) {
    const file = join(folder, `${page.replace(/\W/g, '-')}-${index + 1}.mjs`);
    writeFileSync(file, code);
    const directory = mkdtempSync(join(tmpdir(), 'sectile-example-'));
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], {
      cwd: directory,
      encoding: 'utf8',
      timeout: 60_000,
      env: { ...process.env, SECTILE_RUNTIME_DIR: directory },
    });
    rmSync(directory, { recursive: true, force: true });
    ran++;
    if (status === 0) continue;
    failed++;
    console.error(`${page}, example ${index + 1}: exit code ${status}\n${stdout}${stderr}`);
  }
}

writeFileSync(
  join(checked, 'tsconfig.json'),
  JSON.stringify({ extends: '../../tsconfig.base.json', compilerOptions: { composite: false, noEmit: true }, include: ['*.ts'] }),
);
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
const { status: types } = spawnSync(process.execPath, [tsc, '-p', checked], { stdio: 'inherit' });
console.log(`${ran} examples ran, ${failed} failed; the types of ${typed} more ${types === 0 ? 'are right' : 'are wrong'}`);
process.exit(failed === 0 && ran > 0 && typed > 0 && types === 0 ? 0 : 1);
