/**
 * Checks the packages that `npm run prebuild` made: sizes, what the binaries ask for and export, and that
 * each, packed and installed by npm into an empty project without scripts and without a compiler, runs the
 * two-process examples. Prints a table; a part that cannot run here counts as a failure where CI=true.
 *
 *   npm run prebuild:check [-- --only TEXT]...
 */
import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { root, targets } from './native-targets.mjs';
import { folderOf, KIT_PACKAGE, laidPackages, packageOf, SOURCE_PACKAGE, tarballsFolder } from './packages.mjs';
import { hasTools, inspectBinary, isReproducible } from './packages-check/binaries.mjs';
import { bareTools, environments } from './packages-check/environments.mjs';
import { serveRegistry } from './packages-check/registry.mjs';
import { checkTypes } from './packages-check/types.mjs';

/** Largest sizes, in bytes. */
const LARGEST_MAIN_PACKAGE = 300_000;
const LARGEST_BINARY = 150_000;
/** One for each way of compiling and linking: what the others are made by differs in the name of the target alone. */
const compiledTwice = ['linux-x64-gnu', 'win32-x64', 'darwin-arm64'];
const { values } = parseArgs({ options: { only: { type: 'string', multiple: true } } });

const scratch = mkdtempSync(join(tmpdir(), 'sectile-packages-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
const results = [];
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;

/** Runs one part, unless --only leaves it out. `missing` says what it lacks here, or is null. */
async function part(name, missing, check) {
  if (values.only !== undefined && !values.only.some((text) => name.includes(text))) return;
  if (missing !== null) {
    results.push({ name, state: process.env.CI === 'true' ? 'FAILED' : 'not run', text: `missing here: ${missing}` });
    return;
  }
  const started = performance.now();
  try {
    const text = await check();
    results.push({ name, state: 'ok', text: `${text ?? ''} (${((performance.now() - started) / 1000).toFixed(1)} s)`.trim() });
  } catch (error) {
    results.push({ name, state: 'FAILED', text: error.message });
  }
}

function refuse(lines) {
  if (lines.length > 0) throw new Error(lines.join('; '));
}

/* ---- the packed packages ---- */
const packed = laidPackages();
if (!packed.some(({ name, tarball }) => name === 'sectile' && existsSync(tarball))) {
  console.error('sectile: there are no packages to check: run "npm run prebuild" first.');
  process.exit(1);
}
const tarballOf = (name) => packed.find((candidate) => candidate.name === name).tarball;

await part('sizes', null, () => {
  const binaries = targets.map((target) => [target.name, statSync(join(folderOf(packageOf(target)), 'sectile.node')).size]);
  for (const { name, tarball } of packed)
    console.log(`${name.padEnd(28)} ${kilobytes(statSync(tarball).size).padStart(10)} packed`);
  for (const [name, size] of binaries) console.log(`${`${name}/sectile.node`.padEnd(28)} ${kilobytes(size).padStart(10)}`);
  const main = statSync(tarballOf('sectile')).size;
  refuse([
    ...(main < LARGEST_MAIN_PACKAGE
      ? []
      : [`the main package has ${kilobytes(main)}, not under ${kilobytes(LARGEST_MAIN_PACKAGE)}`]),
    ...binaries.filter(([, size]) => size >= LARGEST_BINARY).map(([name, size]) => `${name} has ${kilobytes(size)}`),
  ]);
  return `main package ${kilobytes(main)}, largest binary ${kilobytes(Math.max(...binaries.map(([, size]) => size)))}`;
});

for (const target of targets) {
  await part(`binary ${target.name}`, hasTools() ? null : 'apt-get install --no-install-recommends llvm lld', async () => {
    const file = join(folderOf(packageOf(target)), 'sectile.node');
    refuse(inspectBinary(target, file));
    if (!compiledTwice.includes(target.name)) return 'symbols as they must be';
    if (!(await isReproducible(target, file))) throw new Error('compiled in another folder it comes out different');
    return 'symbols as they must be, reproducible';
  });
}

/* ---- installed ---- */
const readme = /^```js run\n([\s\S]*?)^```/m.exec(readFileSync(join(root, 'README.md'), 'utf8'))[1];
const registry = await serveRegistry(packed);
const tools = bareTools(join(scratch, 'tools'));

/** Lets npm install packages into a new project, with no compiler to be found and no script run. */
async function project(name, options) {
  const folder = join(scratch, name.replace(/\W+/g, '-'));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  writeFileSync(join(folder, '.npmrc'), `@sectile:registry=${registry.url}\n`);
  const env = { ...process.env, PATH: tools, npm_config_update_notifier: 'false' };
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await promisify(execFile)('npm', ['install', ...quiet, ...options], { cwd: folder, env });
  copyFileSync(join(root, 'scripts', 'packages-check', 'two-processes.mjs'), join(folder, 'two-processes.mjs'));
  writeFileSync(join(folder, 'readme.mjs'), readme);
  mkdirSync(join(folder, 'runtime'), { mode: 0o700 });
  return folder;
}
const environmentOf = (folder) => ({ PATH: tools, HOME: folder, SECTILE_RUNTIME_DIR: join(folder, 'runtime') });

for (const { name, target, missing, start } of environments) {
  await part(name, missing(), async () => {
    const { os, cpu, libc } = targets.find((candidate) => candidate.name === target);
    const system = [`--os=${os}`, `--cpu=${cpu}`, ...(libc ? [`--libc=${libc}`] : [])];
    const folder = await project(name, [...system, tarballOf('sectile')]);
    const installed = readdirSync(join(folder, 'node_modules', '@sectile')).sort();
    const expected = [KIT_PACKAGE.split('/')[1], target].sort();
    if (installed.join() !== expected.join()) throw new Error(`npm chose ${installed.join(', ')}, not ${expected.join(', ')}`);
    const place = join(scratch, `host-${results.length}`);
    mkdirSync(place);
    const machine = await start({ folder: place, env: environmentOf(folder) });
    try {
      for (const file of ['two-processes.mjs', 'readme.mjs']) {
        const { code, output } = await machine.run(folder, file);
        if (code !== 0) throw new Error(`${file} ended with ${code}:\n${output}`);
        if (file === 'two-processes.mjs' && !output.includes(`shared`)) throw new Error(`${file} said only:\n${output}`);
        console.log(`${name}: ${output.trim().split('\n').at(-1)}`);
      }
    } finally {
      machine.stop();
    }
    return `npm chose ${target}; both examples ran`;
  });
}

/** What reaches the files that are started by their path, the templates and the sample driver. */
const commands = [
  ['--version'],
  ['doctor'],
  ['driver', 'init', 'Camera', '--windows'],
  ['demo', '--seconds', '1'],
  ['bench', '--json'],
];
await part('commands of the installed package', null, async () => {
  const folder = await project('commands', [tarballOf('sectile')]);
  const env = { ...environmentOf(folder), USER: 'nobody' };
  for (const command of commands) {
    await promisify(execFile)(process.execPath, [join('node_modules', 'sectile', 'dist', 'cli', 'main.js'), ...command], {
      cwd: folder,
      env,
    });
  }
  if (!existsSync(join(folder, 'Camera', 'driver.c'))) throw new Error('driver init wrote no driver');
  return commands.map(([name]) => name).join(', ');
});

await part('types of the installed package', null, async () => checkTypes(await project('types', [tarballOf('sectile')])));

await part('built from the sources', null, async () => {
  const folder = await project('from-source', ['--omit=optional', tarballOf('sectile'), tarballOf(SOURCE_PACKAGE)]);
  const run = promisify(execFile);
  const said = await run(process.execPath, ['two-processes.mjs'], { cwd: folder, env: environmentOf(folder) }).catch(
    (error) => error.stderr,
  );
  if (!String(said).includes('is not installed')) throw new Error(`without the binary it said: ${said}`);
  await run(process.execPath, [join('node_modules', SOURCE_PACKAGE, 'scripts', 'build-installed.mjs')], { cwd: folder });
  await run(process.execPath, ['two-processes.mjs'], { cwd: folder, env: environmentOf(folder) });
  return 'sectile-build compiled it where npm left the binary out';
});

registry.stop();
console.log(`\n${results.map(({ state, name, text }) => `${state.padEnd(8)} ${name}: ${text}`).join('\n')}`);
console.log(`\npackages: ${tarballsFolder}`);
process.exit(results.some(({ state }) => state === 'FAILED') || results.length === 0 ? 1 : 0);
