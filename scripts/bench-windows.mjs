/**
 * `npm run bench:windows`: Node.js for Windows beside C programs, both under the same Wine.
 *
 *   node scripts/bench-windows.mjs [--quick] [--only GROUP] [--json FILE]
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { windowsNodeOfVersion } from './nodes.mjs';
import { compileForWindows, missingTools, Wine, windowsPath } from './wine.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string' }, json: { type: 'string' } },
});
const missing = missingTools();
if (missing !== null) {
  console.error(`sectile: ${missing}`);
  process.exit(1);
}

const sources = join(root, 'bench', 'floors', 'windows');
const floors = join(root, 'build', 'bench', 'floors-windows');
for (const source of readdirSync(sources).filter((name) => name.endsWith('.c'))) {
  compileForWindows(join(floors, `${basename(source, '.c')}.exe`), [join(sources, source)], {
    depends: [join(sources, 'floor.h')],
  });
}
execFileSync(process.execPath, [join(root, 'scripts', 'build-native.mjs'), '--target', 'win32-x64'], { stdio: 'inherit' });

const json = resolve(values.json ?? join(root, 'build', 'bench-windows.json'));
const options = [...(values.quick ? ['--quick'] : []), ...(values.only === undefined ? [] : ['--only', values.only])];
const wine = await Wine.start({
  env: {
    SECTILE_NATIVE: windowsPath(join(root, 'build', 'native', 'win32-x64', 'sectile.node')),
    SECTILE_BENCH_FLOORS: windowsPath(floors),
  },
});
try {
  console.error('Measuring under Wine; it takes a minute or two.');
  const program = windowsPath(join(root, 'build', 'bench', 'windows', 'main.js'));
  const { code, stdout, stderr } = await wine.run(
    windowsNodeOfVersion(root, 20),
    [program, ...options, '--json', windowsPath(json)],
    { cwd: root, timeout: 900_000, stdin: 'ignore' },
  );
  process.stdout.write(stdout);
  if (code !== 0) process.stderr.write(stderr);
  if (code === 0 && existsSync(json)) {
    const { rows } = JSON.parse(readFileSync(json, 'utf8'));
    console.error(`${rows.length} rows; figures in ${json}`);
  }
  process.exitCode = code ?? 1;
} finally {
  wine.stop();
}
