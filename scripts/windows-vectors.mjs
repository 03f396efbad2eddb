/**
 * The conformance vectors of user mode on Windows: run in parts, judged case by case against the list of Wine's own
 * departures (test/windows/wine-conformance.json), and reported. Used by test-windows.mjs and conformance-windows.mjs.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { joinBuilt } from './join.mjs';
import { onWindows, there } from './windows-lanes.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const list = join(root, 'test', 'windows', 'wine-conformance.json');
/** So many that lanes end together, and so few that starting them costs little. */
const PARTS = 6;
const PATIENCE = 900_000;

/** Groups of cases that Wine fails: `{ reason, ids, unsteady }`; those of an unsteady one may pass as well. */
const groups = onWindows ? [] : JSON.parse(readFileSync(list, 'utf8'));
const groupOf = new Map(groups.flatMap((group) => group.ids.map((id) => [id, group])));

/** The names of the parts. */
export const vectorParts = Array.from({ length: PARTS }, (_, index) => `${index + 1}/${PARTS}`);

/**
 * What is under test are the processes that the runner starts. Should Wine end the runner itself, without an answer
 * (seen once in hundreds of runs), then it is said, and the cases are run once more.
 */
async function runVectors(lane, node, output, more) {
  const first = await runVectorsOnce(lane, node, output, more);
  if (first.answer !== undefined) return first.answer;
  console.error(`${first.failure} Once more.`);
  const second = await runVectorsOnce(lane, node, output, more);
  if (second.answer === undefined) throw new Error(second.failure);
  return second.answer;
}

async function runVectorsOnce(lane, node, output, more) {
  const args = [
    there(join(await joinBuilt(), 'build-conformance', 'main.js')),
    '--json',
    ...(onWindows ? [] : ['--known', there(list)]),
  ];
  const { stdout, stderr, code, signal } = await lane.run(node, [...args, ...more], {
    output,
    timeout: PATIENCE,
    // What Wine itself has to say of such an end.
    env: { WINEDEBUG: 'err+all,fixme-all' },
  });
  if (stdout.startsWith('{')) return { answer: JSON.parse(stdout) };
  return {
    failure: `The runner of the vectors (${more.join(' ')}) ended with ${signal ?? code}: ${stderr.trim() || 'no word'}.`,
  };
}

/** Runs one part. @param output A file that may be written @param only Text of the ids; undefined for all */
export function runVectorPart(lane, node, part, output, only) {
  return runVectors(lane, node, output, ['--part', part, ...(only === undefined ? [] : ['--only', only])]);
}

/** A case that did not end: on a machine that others use as well this may be the load. */
const isHung = ({ got }) => typeof got === 'string' && got.startsWith('its process did not answer');

/** All parts as one; cases that may have failed by load are run once more, alone. */
export async function mergeVectorParts(parts, lane, node, output) {
  const failed = parts.flatMap((each) => each.failed);
  const again = failed.filter((each) => isHung(each) && !groupOf.has(each.id));
  const summary = {
    total: parts.reduce((sum, each) => sum + each.total, 0),
    passed: parts.reduce((sum, each) => sum + each.passed, 0),
    failed: failed.filter((each) => !again.includes(each)),
    skipped: parts.flatMap((each) => each.skipped),
    again: again.map(({ id }) => id),
  };
  for (const { id } of again) {
    const alone = await runVectors(lane, node, output, ['--only', id]);
    // Others may have an id that holds this one.
    const failure = alone.failed.find((each) => each.id === id);
    if (failure === undefined) summary.passed++;
    else summary.failed.push(failure);
  }
  return summary;
}

function allIds() {
  const folders = ['vectors', 'own'].map((name) => join(root, 'conformance', name));
  const files = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  const cases = files.filter((name) => name.endsWith('.json')).flatMap((name) => JSON.parse(readFileSync(name, 'utf8')).cases);
  return new Set(cases.map(({ id }) => id));
}

/**
 * @param summary Of {@link mergeVectorParts}
 * @param only As the parts were run
 * @returns `wrong`: `{ id, text }` of each case that neither holds nor is listed, and of what is wrong with the list;
 *   `departing`: the groups, each with its cases that failed
 */
export function judgeVectors({ failed, skipped }, only) {
  const ids = allIds();
  const failing = new Map(failed.map((each) => [each.id, each]));
  const notRun = new Set(skipped.map(({ id }) => id));
  const holds = (id) => !failing.has(id) && !notRun.has(id) && (only === undefined || id.includes(only));
  const ours = failed.filter(({ id }) => !groupOf.has(id));
  const wrong = [
    ...ours.map(({ id, expected, got }) => ({
      id,
      text: `expected ${JSON.stringify(expected)}\ngot      ${typeof got === 'string' ? got : JSON.stringify(got)}`,
    })),
    ...[...groupOf].flatMap(([id, { unsteady }]) => {
      if (!ids.has(id)) return [{ id, text: 'wine-conformance.json lists it, and there is no such case' }];
      return holds(id) && !unsteady ? [{ id, text: 'wine-conformance.json lists it, and it holds: take it off the list' }] : [];
    }),
  ];
  const departing = groups
    .map((group) => ({ ...group, ids: group.ids.filter((id) => failing.has(id)) }))
    .filter(({ ids: here }) => here.length > 0);
  return { wrong, departing };
}

/** Prints what {@link judgeVectors} found. */
export function showVectors({ total, passed, failed, skipped, again }, { wrong, departing }) {
  if (departing.length > 0) console.log('\nVectors in which Wine departs from NT:');
  for (const { reason, ids } of departing) console.log(`  ${reason}\n      ${ids.join(' ')}`);
  const reasons = new Map();
  for (const { reason } of skipped) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  if (reasons.size > 0) console.log('\nVectors left out, and why:');
  for (const [reason, count] of reasons) console.log(`  ${String(count).padStart(4)}  ${reason}`);
  if (again.length > 0) console.log(`\nRun once more, alone, because they did not end: ${again.join(' ')}`);
  const byWine = departing.reduce((sum, { ids }) => sum + ids.length, 0);
  console.log(
    `\nof ${total} vectors ${passed} hold, ${byWine} fail by ${onWindows ? 'the system' : 'Wine'}, ` +
      `${failed.length - byWine} fail, ${skipped.length} are left out`,
  );
  for (const { id, text } of wrong) console.log(`\nfailed: ${id}\n${text.replaceAll(/^/gm, '    ')}`);
}
