/**
 * Makes the packages as they are published, below build/packages/, and packs them into build/tarballs/: cross-compiles the native part for
 * every target, and lays out the packages around the binaries.
 *
 *   npm run prebuild [-- --only TEXT]...
 *
 * --only  targets whose name holds the text; the packages without a binary are made in any case
 */
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { targets } from './native-targets.mjs';
import { layKitPackage, layMainPackage, layPlatformPackage, laySourcePackage, packAll, packagesFolder } from './packages.mjs';
import { crossCompile, zigFolder } from './zig.mjs';

const { values } = parseArgs({ options: { only: { type: 'string', multiple: true } } });
const waiting = targets.filter(({ name }) => values.only === undefined || values.only.some((text) => name.includes(text)));

rmSync(packagesFolder, { recursive: true, force: true });
zigFolder();
let failed = false;
async function compileOneAfterAnother() {
  for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
    const started = performance.now();
    try {
      await crossCompile(target, layPlatformPackage(target));
      console.log(`${target.name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
    } catch (error) {
      failed = true;
      console.error(`${target.name}: ${error.message}`);
    }
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, compileOneAfterAnother));
laySourcePackage();
layKitPackage();
await layMainPackage();
packAll();
process.exit(failed ? 1 : 0);
