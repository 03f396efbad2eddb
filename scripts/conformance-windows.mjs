/**
 * `npm run conformance:windows`: the vectors of user mode on Node.js for Windows under Wine, through the faces that call the
 * system itself; `npm run test:windows` runs them too. A case that fails shows where Wine departs from Windows, or that our
 * faces do: test/windows/wine-conformance.json lists the former. Writes build/windows-conformance.json, and fails for a case
 * that is not listed.
 *
 *   node scripts/conformance-windows.mjs [--only TEXT]
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { wineNodeOfVersion } from './nodes.mjs';
import { onWindows, share, startLanes, there } from './windows-lanes.mjs';
import { judgeVectors, mergeVectorParts, runVectorPart, showVectors, vectorParts } from './windows-vectors.mjs';
import { missingTools } from './wine.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({ options: { only: { type: 'string' } } });

const missing = onWindows ? null : missingTools();
if (missing !== null) {
  console.error(`sectile: ${missing}`);
  process.exit(1);
}
execFileSync(process.execPath, [join(root, 'scripts', 'build-native.mjs'), '--target', 'win32-x64'], { stdio: 'inherit' });
const node = onWindows ? process.execPath : wineNodeOfVersion(root, 20);
const folder = mkdtempSync(join(tmpdir(), 'sectile-conformance-'));
let lanes = [];
try {
  const environment = { SECTILE_NATIVE: there(join(root, 'build', 'native', 'win32-x64', 'sectile.node')) };
  lanes = await startLanes(onWindows ? 1 : 2, folder, environment);
  const output = (part) => join(folder, `vectors-${part.replace('/', '-')}.out`);
  const parts = [];
  await share(lanes, vectorParts, async (lane, part) => {
    parts.push(await runVectorPart(lane, node, part, output(part), values.only));
  });
  const summary = await mergeVectorParts(parts, lanes[0], node, output('again'));
  const verdict = judgeVectors(summary, values.only);
  showVectors(summary, verdict);
  const json = join(root, 'build', 'windows-conformance.json');
  mkdirSync(dirname(json), { recursive: true });
  writeFileSync(json, `${JSON.stringify(summary, null, 2)}\n`);
  process.exitCode = verdict.wrong.length === 0 ? 0 : 1;
} finally {
  for (const lane of lanes) lane.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
