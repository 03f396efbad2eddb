#!/usr/bin/env node
/**
 * `sectile-build` of the package @sectile/source: compiles the native part for the `sectile` that the
 * project in the current folder has installed.
 */
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

let installed;
try {
  installed = dirname(createRequire(join(process.cwd(), 'here.js')).resolve('sectile/package.json'));
} catch {
  console.error(`sectile: ${process.cwd()} has no "sectile" installed. Run sectile-build in the folder of your project.`);
  process.exit(1);
}
const script = join(dirname(fileURLToPath(import.meta.url)), 'build-native.mjs');
const output = join(installed, 'dist', 'native', 'sectile.node');
try {
  execFileSync(process.execPath, [script, '--output', output], { stdio: 'inherit' });
  console.log(`sectile: the native part is built: ${output}`);
} catch (error) {
  process.exit(error.status ?? 1);
}
