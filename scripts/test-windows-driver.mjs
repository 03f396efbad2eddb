/**
 * Runs the tests of test/windows on Node.js for Windows, under Wine: driver kit, generated kit, native programs.
 *
 *   node scripts/test-windows-driver.mjs [--only TEXT]...
 */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { windowsNodeOfVersion } from './nodes.mjs';
import { buildWindowsPrograms } from './windows-programs.mjs';
import { missingTools, Wine, windowsPath } from './wine.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({ options: { only: { type: 'string', multiple: true } } });

const missing = missingTools();
if (missing !== null) {
  console.error(`sectile: ${missing}`);
  process.exit(1);
}
const files = readdirSync(join(root, 'build-test', 'windows'))
  .filter((name) => name.endsWith('.test.js'))
  .filter((name) => values.only === undefined || values.only.some((text) => name.includes(text)))
  .map((name) => windowsPath(join(root, 'build-test', 'windows', name)));

execFileSync(process.execPath, [join(root, 'scripts', 'build-native.mjs'), '--target', 'win32-x64'], { stdio: 'inherit' });
const programs = buildWindowsPrograms();
const node = windowsNodeOfVersion(root, process.versions.node.split('.')[0]);
const wine = await Wine.start({
  env: {
    SECTILE_NATIVE: windowsPath(join(root, 'build', 'native', 'win32-x64', 'sectile.node')),
    SECTILE_WINDOWS_PROGRAMS: windowsPath(programs),
  },
});
try {
  // One after the other: they load and unload the same driver.
  const options = ['--test', '--test-reporter=spec', '--test-concurrency=1'];
  const { code, stdout, stderr } = await wine.run(node, [...options, ...files], { timeout: 300_000 });
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = code === 0 ? 0 : 1;
} finally {
  wine.stop();
}
