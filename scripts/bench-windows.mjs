/**
 * `npm run bench:windows`: Node.js for Windows beside C programs, both under the same Wine.
 *
 *   node scripts/bench-windows.mjs [--quick] [--only GROUP] [--json FILE]
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { wineNodeOfVersion } from './nodes.mjs';
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
const [wanted = '', ...row] = (values.only ?? '').split('/');

/** The last processor that this process may run on. */
const lastProcessor = () => /(\d+)\s*$/m.exec(/^Cpus_allowed_list:.*$/m.exec(readFileSync('/proc/self/status', 'utf8'))[0])[1];

/** One run of the benchmark in a Wine of its own. @returns the program's exit code and the figures */
async function measure(groups, processors) {
  const wine = await Wine.start({
    env: {
      SECTILE_NATIVE: windowsPath(join(root, 'build', 'native', 'win32-x64', 'sectile.node')),
      SECTILE_BENCH_FLOORS: windowsPath(floors),
    },
    processors,
  });
  try {
    const file = join(wine.folder, 'figures.json');
    const program = windowsPath(join(root, 'build', 'bench', 'windows', 'main.js'));
    const only = [`^(${groups.join('|')})$`, ...row].join('/');
    const options = [...(values.quick ? ['--quick'] : []), '--only', only, '--json', windowsPath(file)];
    const { code, stdout, stderr } = await wine.run(wineNodeOfVersion(root, 20), [program, ...options], {
      cwd: root,
      timeout: 900_000,
      stdin: 'ignore',
    });
    process.stdout.write(stdout);
    if (code !== 0) process.stderr.write(stderr);
    return { code: code ?? 1, figures: code === 0 && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null };
  } finally {
    wine.stop();
  }
}

/**
 * What Wine's server does is done by another process: on another processor it is woken in 10 or in 100 microseconds, as
 * the host pleases, and the rounds measure that. So all of it has one processor; two sides that spin need two.
 */
const parts = [{ groups: ['map'], processors: lastProcessor() }, { groups: ['copy', 'pingpong'] }]
  .map(({ groups, processors }) => ({ groups: groups.filter((name) => new RegExp(wanted, 'i').test(name)), processors }))
  .filter(({ groups }) => groups.length > 0);
if (parts.length === 0) {
  console.error('sectile: no group matches; the groups are map, copy and pingpong');
  process.exit(2);
}
console.error('Measuring under Wine; it takes a minute or two.');
const results = [];
for (const { groups, processors } of parts) results.push(await measure(groups, processors));
process.exitCode = results.find(({ code }) => code !== 0)?.code ?? 0;
const figures = results.flatMap((each) => each.figures ?? []);
if (figures.length === parts.length) {
  const rows = figures.flatMap((each) => each.rows);
  mkdirSync(dirname(json), { recursive: true });
  writeFileSync(json, `${JSON.stringify({ ...figures[0], rows }, null, 2)}\n`);
  console.error(`${rows.length} rows; figures in ${json}`);
}
