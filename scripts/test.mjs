/**
 * Runs the tests that are built.
 *
 *   node scripts/test.mjs [--nodes 20,22,24,26] [--runtimes deno,bun] [--only TEXT]... [--sanitize] [--portable] [--brief]
 *
 * --nodes     on these Node.js versions instead of the one that runs this
 * --runtimes  with these for the tests of other runtimes, which are skipped else
 * --only      test files whose path holds the text
 * --sanitize  with the addon built for AddressSanitizer and UndefinedBehaviorSanitizer
 * --portable  with the addon built without what only Linux has, and the memory of local names in files: most of what runs on
 *             macOS, run here. Without --only, the tests that it makes a difference to
 * --brief     fewer rounds of what is done over and over: for another way of running what this machine runs whole as well
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { joinBuilt } from './join.mjs';
import { nodeOfVersion, runtimeOfName } from './nodes.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({
  options: {
    nodes: { type: 'string' },
    runtimes: { type: 'string' },
    only: { type: 'string', multiple: true },
    sanitize: { type: 'boolean', default: false },
    portable: { type: 'boolean', default: false },
    brief: { type: 'boolean', default: false },
  },
});
const BRIEF = { SECTILE_TEST_ROUNDS: '30', SECTILE_TEST_RUNS: '100' };

/** What depends on how memory, names, sockets and processes are done below. */
const dependsOnSystem = [
  ...['sections', 'registry', 'races', 'objects/', 'os/', 'processes', 'system/'],
  ...['lifetime', 'rights', 'reserved', 'faulting', 'guard', 'device-views'].map((name) => `promises/${name}`),
  ...['names', 'objects', 'virtual', 'placeholders', 'file', 'ntdll', 'duplicates', 'kernel-memory'].map((name) => `nt/${name}`),
];
const only = values.only ?? (values.portable ? dependsOnSystem : undefined);

const built = join(root, 'build-test');
const files = readdirSync(built, { recursive: true })
  .filter((name) => name.endsWith('.test.js'))
  // Those are for Windows alone: npm run test:windows runs them under Wine.
  .filter((name) => !name.startsWith(`windows${sep}`))
  // A test whose source has gone is not a test any more.
  .filter((name) => existsSync(join(root, 'test', name.replace(/\.js$/, '.ts'))))
  .filter((name) => only === undefined || only.some((text) => name.includes(text)))
  .map((name) => join('build-test', name))
  .sort();
if (files.length === 0) {
  console.error('sectile: no test file fits');
  process.exit(1);
}

/** The environment for another build of the addon than the usual one. */
function withAddon(name, ...options) {
  const addon = join(root, 'build', name, 'sectile.node');
  execFileSync(process.execPath, [join(root, 'scripts', 'build-native.mjs'), ...options, '--output', addon], {
    stdio: 'inherit',
  });
  return { SECTILE_NATIVE: addon };
}

const portable = () => ({ ...withAddon('portable', '--target', `portable-${process.arch}`), SECTILE_LOCAL_STORE: 'file' });

function sanitized() {
  const addon = withAddon('sanitized', '--sanitize');
  const library = (name) => execFileSync(process.env.CC ?? 'cc', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
  return {
    ...addon,
    LD_PRELOAD: `${library('libasan.so')} ${library('libubsan.so')}`,
    // Node.js itself leaks at exit by design, and V8 reserves address space that ASan would count.
    // Five frames of each allocation are enough to find it: thirty, for every one of V8's, double what a start takes.
    ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=0:quarantine_size_mb=8:malloc_context_size=5:handle_segv=1',
    UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
  };
}

/** Where tests find other runtimes: SECTILE_DENO, SECTILE_BUN. */
const runtimes = Object.fromEntries(
  (values.runtimes?.split(',') ?? []).map((name) => [`SECTILE_${name.toUpperCase()}`, runtimeOfName(root, name)]),
);

/** Tests that count what happens within a time run with no other tests beside them. */
const isTimed = (file) => /build-test\/(demo\/|promises\/event-loop)/.test(file);
const passes = [
  { files: files.filter((file) => !isTimed(file)), concurrency: 2 },
  { files: files.filter(isTimed), concurrency: 1 },
].filter((pass) => pass.files.length > 0);

const joined = await joinBuilt();
let failed = false;
for (const version of values.nodes?.split(',') ?? [process.versions.node.split('.')[0]]) {
  const node = nodeOfVersion(root, version);
  console.error(
    `\nTests on Node.js ${execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()}${values.sanitize ? ', sanitized' : ''}${values.portable ? ', portable' : ''}`,
  );
  // Whatever a test forgets to isolate lands here, and not in the user's own registry.
  const directory = mkdtempSync(join(tmpdir(), 'sectile-test-'));
  for (const pass of passes) {
    const options = ['--test', '--test-reporter=spec', `--test-concurrency=${pass.concurrency}`];
    const { status } = spawnSync(node, [...options, ...pass.files], {
      cwd: joined,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        ...(values.brief ? BRIEF : {}),
        ...process.env,
        // Node.js reads them at every start, for a third of the time that it takes; no test speaks TLS.
        NODE_EXTRA_CA_CERTS: undefined,
        SECTILE_RUNTIME_DIR: directory,
        ...runtimes,
        ...(values.sanitize ? sanitized() : {}),
        ...(values.portable ? portable() : {}),
      },
    });
    if (status !== 0) failed = true;
  }
  rmSync(directory, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
