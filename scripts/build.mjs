/**
 * Builds everything that is out of date: TypeScript by project references, then the native addon.
 *
 *   node scripts/build.mjs [--quiet]
 */
import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const quiet = process.argv.includes('--quiet');

function run(what, file, ...args) {
  const started = performance.now();
  const { status, error } = spawnSync(process.execPath, [file, ...args], { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
  if (!quiet) console.error(`${what}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

let compiler;
try {
  compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
} catch {
  console.error('sectile: the development packages are missing: run "npm ci" first.');
  process.exit(1);
}
run('TypeScript', compiler, '-b');
run('native addon', join(root, 'scripts', 'build-native.mjs'));
chmodSync(join(root, 'dist', 'cli', 'main.js'), 0o755);
