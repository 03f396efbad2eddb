/**
 * Runs the tests that are built on Node.js for Windows: under Wine, in fresh prefixes, or on Windows itself.
 *
 *   node scripts/test-windows.mjs [--nodes 20,22] [--only TEXT]... [--lanes 2] [--prebuilt]
 *
 * --nodes  versions of Node.js for Windows (from npm, below build/nodes)
 * --only   test files whose path holds the text
 * --lanes  how many test files run beside each other, each lane a Windows of its own
 * --prebuilt  with the addon that `npm run prebuild` has made for users, not one that is compiled here
 *
 * test/windows/suites.json says what is run, and what "section tests" are; wine-departures.json lists the tests in which
 * Wine itself departs from NT: they must fail, and the list must be true. The conformance vectors run as well, on the first
 * version, as files of the name "conformance"; wine-conformance.json is their list.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { joinBuilt } from './join.mjs';
import { nodeApiHeaders, targets } from './native-targets.mjs';
import { wineNodeOfVersion } from './nodes.mjs';
import { folderOf, packageOf } from './packages.mjs';
import { onWindows, share, startLanes, there, thereUrl } from './windows-lanes.mjs';
import { buildWindowsPrograms } from './windows-programs.mjs';
import { judgeVectors, mergeVectorParts, runVectorPart, showVectors, vectorParts } from './windows-vectors.mjs';
import { compileForWindows, missingTools } from './wine.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '20' },
    only: { type: 'string', multiple: true },
    lanes: { type: 'string', default: onWindows ? '1' : '2' },
    prebuilt: { type: 'boolean', default: false },
  },
});
const FILE_TIMEOUT = 300_000;
const SHARE_WANTED = 95;
/** So many files, and no more, may be run once more after a failure. */
const SECOND_TRIES = 2;

const read = (name) => JSON.parse(readFileSync(join(root, 'test', 'windows', name), 'utf8'));
const suites = read('suites.json');
const departures = onWindows ? [] : read('wine-departures.json');

const joined = await joinBuilt();
const started = performance.now();
const seconds = () => `${((performance.now() - started) / 1000).toFixed(0)} s`;
function say(text) {
  console.error(`[${seconds().padStart(5)}] ${text}`);
}

/** The files of the suites, as paths below build-test. */
function testFiles() {
  const built = join(root, 'build-test');
  const all = readdirSync(built, { recursive: true })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.test.js') && existsSync(join(root, 'test', name.replace(/\.js$/, '.ts'))));
  const of = (kind) =>
    suites[kind]
      .flatMap((suite) => all.filter((name) => name === suite || name.startsWith(`${suite}/`)).sort())
      .filter((name) => !(name in suites.elsewhere))
      .filter((name) => values.only === undefined || values.only.some((text) => name.includes(text)))
      .map((name) => ({ name, kind }));
  return ['sections', 'faces', 'rules', 'windows'].flatMap(of);
}

/** The addon that is tested. */
function findAddon() {
  if (!values.prebuilt) {
    buildAddon();
    return join(root, 'build', 'native', 'win32-x64', 'sectile.node');
  }
  const addon = join(folderOf(packageOf(targets.find(({ name }) => name === 'win32-x64'))), 'sectile.node');
  if (!existsSync(addon)) throw new Error(`${addon} is not there: make it by "npm run prebuild"`);
  return addon;
}

function buildAddon(more = []) {
  const script = join(root, 'scripts', 'build-native.mjs');
  execFileSync(process.execPath, [script, '--target', 'win32-x64', ...more], { stdio: 'inherit' });
}

/** The small programs and addons of the tests, by compile.ts. */
function buildPrograms() {
  const folder = join(root, 'build', 'windows');
  const nodeApi = join(root, 'native', 'win32', 'node_api.c');
  const build = (output, sources, flags) =>
    compileForWindows(join(folder, output), sources, { flags, libraries: ['-lntdll', '-ladvapi32'] });
  build('attacker.exe', ['test/windows/attacker.c'], ['-static']);
  const withoutBuffers = ['--define', 'NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED', '--output', join(folder, 'no-buffers.node')];
  buildAddon(withoutBuffers);
  const asAddon = ['-shared', '-static', '-DNAPI_EXTERN=', `-I${nodeApiHeaders()}`];
  build('stranger.node', ['test/windows/stranger.c', nodeApi], asAddon);
  build('scribbler.node', ['test/fixtures/scribbler.c', nodeApi], [...asAddon, '-pthread']);
  if (!onWindows) buildWindowsPrograms();
  return folder;
}

/** Runs one file and tells what its tests did. */
async function runFile(lane, node, file, folder) {
  const id = file.name.replaceAll('/', '_');
  const events = join(folder, `${id}.json`);
  const begun = performance.now();
  const args = [
    `--test-reporter=${thereUrl(join(root, 'scripts', 'test-events.mjs'))}`,
    `--test-reporter-destination=${there(events)}`,
    there(join(joined, 'build-test', file.name)),
  ];
  const output = join(folder, `${id}.out`);
  const { code, signal, stdout, stderr } = await lane.run(node, args, { output, timeout: FILE_TIMEOUT });
  const lines = existsSync(events)
    ? readFileSync(events, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    : [];
  const tests = lines.filter((each) => each.name !== undefined);
  if (tests.every((each) => each.passed) && (code !== 0 || tests.length === 0)) {
    tests.push({
      name: '(the file itself)',
      passed: false,
      error: `exit code ${code}, signal ${signal}\n${stderr}${stdout}`.slice(0, 4000),
    });
  }
  return { ...file, tests: tests.map((each) => judge(file.name, each)), milliseconds: performance.now() - begun };
}

const departureOf = (file, name) => departures.find((each) => each.file === file && each.test === name);

/** A test's verdict: passed, failed, left out, or a departure of Wine's that is listed. */
function judge(file, test) {
  const departure = departureOf(file, test.name);
  if (test.skipped) return { ...test, verdict: 'left out' };
  if (departure === undefined) return { ...test, verdict: test.passed ? 'passed' : 'failed' };
  if (!test.passed) return { ...test, verdict: 'departure', departure };
  const error = 'wine-departures.json lists it, and it passes: take it off the list';
  return { ...test, verdict: 'failed', error };
}

const count = (tests, verdict) => tests.filter((each) => each.verdict === verdict).length;

const failuresOf = (result) => result.tests.filter((each) => each.verdict === 'failed');

function showFailures(title, results) {
  for (const result of results) {
    for (const test of failuresOf(result)) {
      console.log(`\n${title}: ${result.name}: ${test.name}\n${String(test.error).replaceAll(/^/gm, '    ')}`);
    }
  }
}

/**
 * Wine, on a machine that is short of time, fails a program now and then (seen once in thousands of tests): a few files
 * that failed are run once more, with nothing beside them. What failed at first is shown all the same.
 *
 * @returns the first results of those files, for which `results` has the second ones now
 */
async function tryAgain(lane, node, results, folder) {
  const failed = results.filter((each) => failuresOf(each).length > 0);
  if (onWindows || failed.length > SECOND_TRIES) return [];
  for (const first of failed) {
    const second = await runFile(lane, node, first, folder);
    results[results.indexOf(first)] = second;
    say(`once more, alone: ${first.name}: ${count(second.tests, 'passed')} passed, ${failuresOf(second).length} failed`);
  }
  return failed;
}

function showSummary(version, results) {
  const table = new Table({
    head: ['suite', 'passed', 'failed', 'departs', 'left out', 'seconds'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  const row = (tests, milliseconds) => [
    ...['passed', 'failed', 'departure', 'left out'].map((verdict) => count(tests, verdict) || ''),
    (milliseconds / 1000).toFixed(1),
  ];
  for (const { name, tests, milliseconds } of results) table.push([name.replace(/\.test\.js$/, ''), ...row(tests, milliseconds)]);
  const all = results.flatMap(({ tests }) => tests);
  table.push([
    'all',
    ...row(
      all,
      results.reduce((sum, each) => sum + each.milliseconds, 0),
    ),
  ]);
  console.log(`\nNode.js ${version} for Windows${onWindows ? '' : ', under Wine'}\n${table.toString()}`);

  const reasons = new Map();
  for (const { name, tests } of results) {
    for (const test of tests.filter((each) => each.verdict === 'left out')) {
      reasons.set(test.skipped, [...(reasons.get(test.skipped) ?? []), `${name}: ${test.name}`]);
    }
  }
  if (reasons.size > 0) console.log('\nLeft out, and why:');
  for (const [reason, names] of reasons) console.log(`  ${reason}\n${names.map((each) => `      ${each}`).join('\n')}`);
  const departing = results.flatMap(({ tests }) => tests.flatMap(({ departure }) => departure ?? []));
  if (departing.length > 0) console.log('\nWhere Wine departs from NT:');
  for (const { file, test, wine, nt, source } of departing) {
    console.log(`  ${file}: ${test}\n      Wine: ${wine}\n      NT: ${nt} (${source})`);
  }
  console.log('\nNo tests of sections, although they stand among them:');
  for (const [name, reason] of Object.entries(suites.elsewhere)) console.log(`  ${name}: ${reason}`);
}

/** Tests that this version of Node.js leaves out on every system. */
const isOfNode = ({ skipped }) => /^Node\.js v/.test(skipped ?? '');

/** How many of the tests of a kind run here as they do on Linux, in percent. */
function shareOf(results, kind) {
  const tests = results
    .filter((each) => each.kind === kind)
    .flatMap(({ tests }) => tests)
    .filter((test) => !isOfNode(test));
  return tests.length === 0 ? 100 : (100 * (tests.length - count(tests, 'left out'))) / tests.length;
}

/** Tests that count what happens within a time run with no others beside them. */
const isTimed = ({ name }) => name.startsWith('promises/event-loop');

async function runAll(lanes, node, files, vectors, folder) {
  const [results, parts] = [[], []];
  let done = 0;
  const total = files.length + vectors.length;
  const tell = (name, passed, bad) =>
    say(`${String(++done).padStart(3)}/${total} ${name}: ${passed} passed${bad > 0 ? `, ${bad} FAILED` : ''}`);
  const work = async (lane, file) => {
    if (file.part !== undefined) {
      const summary = await runVectorPart(lane, node, file.part, join(folder, `vectors-${file.part.replace('/', '-')}.out`));
      parts.push(summary);
      tell(`conformance, part ${file.part}`, summary.passed, 0);
      return;
    }
    const result = await runFile(lane, node, file, folder);
    results.push(result);
    tell(file.name, count(result.tests, 'passed'), count(result.tests, 'failed'));
  };
  // The vectors first: they take longest.
  await share(lanes, [...vectors.map((part) => ({ part })), ...files.filter((file) => !isTimed(file))], work);
  for (const file of files.filter(isTimed)) await work(lanes[0], file);
  const inOrder = files.map((file) => results.find((each) => each.name === file.name));
  return { failedFirst: await tryAgain(lanes[0], node, inOrder, folder), results: inOrder, parts };
}

/** What the vectors say. @returns how many are wrong */
async function judgeAllVectors(lane, node, parts, folder) {
  const summary = await mergeVectorParts(parts, lane, node, join(folder, 'vectors-again.out'));
  const verdict = judgeVectors(summary);
  showVectors(summary, verdict);
  return verdict.wrong.length;
}

async function main() {
  const missing = onWindows ? null : missingTools();
  if (missing !== null) {
    console.error(`sectile: ${missing}`);
    return 1;
  }
  const files = testFiles();
  const known = new Set(files.map(({ name }) => name));
  const wantsVectors = values.only === undefined || values.only.some((text) => 'conformance'.includes(text));
  if (files.length === 0 && !wantsVectors) {
    console.error('sectile: no test file fits');
    return 1;
  }
  const folder = mkdtempSync(join(tmpdir(), 'sectile-windows-'));
  let lanes = [];
  let failed = false;
  try {
    say('the addon and the small programs of the tests');
    const environment = {
      ...suites.settings,
      SECTILE_NATIVE: there(findAddon()),
      SECTILE_TEST_PROGRAMS: there(buildPrograms()),
      SECTILE_RUNTIME_DIR: there(join(folder, 'run')),
    };
    const versions = values.nodes.split(',');
    say(`Node.js ${versions.join(', ')} for Windows`);
    const nodes = versions.map((version) => (onWindows ? process.execPath : wineNodeOfVersion(root, version)));
    const width = Math.min(Number(values.lanes), files.length + (wantsVectors ? vectorParts.length : 0));
    if (!onWindows) say(`Wine: ${width} fresh prefixes`);
    lanes = await startLanes(width, folder, environment);
    for (const [index, version] of versions.entries()) {
      const place = join(folder, `node-${version}`);
      mkdirSync(place);
      say(`${files.length} test files on Node.js ${version}`);
      const vectors = wantsVectors && index === 0 ? vectorParts : [];
      const { results, parts, failedFirst } = await runAll(lanes, nodes[index], files, vectors, place);
      showSummary(version, results);
      const all = results.flatMap(({ tests }) => tests);
      const gone = departures.filter(
        (each) => known.has(each.file) && !all.some((test) => test.departure === each || test.name === each.test),
      );
      for (const each of gone)
        console.log(`failed: wine-departures.json lists a test that does not exist: ${each.file}: ${each.test}`);
      const share = shareOf(results, 'sections');
      const enough = share >= SHARE_WANTED || values.only !== undefined;
      console.log(
        `\n${share.toFixed(1)} % of the section tests of Linux run on Windows as they are${enough ? '' : `: ${SHARE_WANTED} % is wanted`};` +
          ` ${shareOf(results, 'faces').toFixed(1)} % of those of the faces`,
      );
      console.log(
        `${count(all, 'passed')} passed, ${count(all, 'failed') + gone.length} failed, ${count(all, 'left out') + count(all, 'departure')} skipped`,
      );
      if (count(all, 'failed') + gone.length > 0 || !enough) failed = true;
      if (vectors.length > 0 && (await judgeAllVectors(lanes[0], nodes[index], parts, place)) > 0) failed = true;
      // Last, where a log that keeps only its end still has them.
      showFailures('failed at first', failedFirst);
      showFailures('failed', results);
    }
    say(`done in ${seconds()}`);
  } finally {
    for (const lane of lanes) lane.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
  return failed ? 1 : 0;
}

process.exit(await main());
