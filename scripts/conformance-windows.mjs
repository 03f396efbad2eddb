/**
 * `npm run conformance:windows`: the vectors of user mode on Node.js for Windows under Wine, through the faces that call the
 * system itself. A case that fails shows where Wine departs from Windows, or that our faces do: test/windows/
 * wine-conformance.json lists the former. Writes build/windows-conformance.json, and fails for a case that is not listed.
 *
 *   node scripts/conformance-windows.mjs [--only TEXT]
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { windowsNodeOfVersion } from './nodes.mjs';
import { missingTools, Wine, windowsPath } from './wine.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({ options: { only: { type: 'string' } } });
const PATIENCE = 1_500_000;

const missing = missingTools();
if (missing !== null) {
  console.error(`sectile: ${missing}`);
  process.exit(1);
}
execFileSync(process.execPath, [join(root, 'scripts', 'build-native.mjs'), '--target', 'win32-x64'], { stdio: 'inherit' });
const node = windowsNodeOfVersion(root, 20);
const native = windowsPath(join(root, 'build', 'native', 'win32-x64', 'sectile.node'));
const wine = await Wine.start({ env: { SECTILE_NATIVE: native, WINEDLLOVERRIDES: 'mscoree,mshtml,winedbg.exe=' } });
try {
  const only = values.only === undefined ? [] : ['--only', values.only];
  const args = [windowsPath(join(root, 'build-conformance', 'main.js')), '--json', ...only];
  const { stdout, stderr } = await wine.run(node, args, { cwd: root, timeout: PATIENCE, stdin: 'ignore' });
  if (!stdout.startsWith('{')) throw new Error(`the runner did not end: ${stderr}`);
  process.exitCode = report(JSON.parse(stdout));
} finally {
  wine.stop();
}

/** @returns the exit code */
function report(summary) {
  const output = join(root, 'build', 'windows-conformance.json');
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(output, `${JSON.stringify(summary, null, 2)}\n`);
  const groups = JSON.parse(readFileSync(join(root, 'test', 'windows', 'wine-conformance.json'), 'utf8'));
  const reasons = new Map(groups.flatMap(({ reason, ids }) => ids.map((id) => [id, reason])));
  const ours = summary.failed.filter(({ id }) => !reasons.has(id));
  const { total, passed, failed, skipped } = summary;
  console.log(
    `${passed} of ${total} pass, ${failed.length - ours.length} fail by Wine, ${skipped.length} are skipped (${output})`,
  );
  for (const { reason, ids } of groups) {
    const here = ids.filter((id) => failed.some((each) => each.id === id));
    if (here.length > 0) console.log(`  ${reason}\n      ${here.join(' ')}`);
  }
  for (const { id, expected, got } of ours) {
    console.log(
      `failed ${id}\n  expected ${JSON.stringify(expected)}\n  got      ${typeof got === 'string' ? got : JSON.stringify(got)}`,
    );
  }
  return ours.length === 0 ? 0 : 1;
}
