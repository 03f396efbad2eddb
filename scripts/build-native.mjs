/**
 * Compiles native/ into one Node-API addon with the C compiler of the machine: plain `cc`, no
 * generator and no network, because there is nothing per Node version in it.
 *
 *   node scripts/build-native.mjs [--target win32-x64] [--sanitize] [--define NAME]... [--output FILE]
 *
 * --target  another system than this one, for which the machine has a compiler (Windows: MinGW-w64)
 * --define  for the preprocessor: NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED makes an addon that has no buffers, as in Electron
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compileFlags, linkerArguments, machineCompiler, nativeFiles, root } from './native-targets.mjs';

const here = `${process.platform}-${process.arch}`;
const { values } = parseArgs({
  options: {
    target: { type: 'string', default: here },
    sanitize: { type: 'boolean', default: false },
    define: { type: 'string', multiple: true, default: [] },
    output: { type: 'string' },
  },
});
const system = values.target.split('-')[0];
const compiler = machineCompiler(values.target);
if (compiler === undefined) {
  console.error(`sectile: no compiler of this machine is known for ${values.target}. Name one in CC, or use "npm run prebuild".`);
  process.exit(1);
}
const output =
  values.output ??
  (values.target === here
    ? join(root, 'dist', 'native', 'sectile.node')
    : join(root, 'build', 'native', values.target, 'sectile.node'));

const scripts = [fileURLToPath(import.meta.url), join(root, 'scripts', 'native-targets.mjs')];
const newest = Math.max(
  ...[...nativeFiles(system, '.c'), ...nativeFiles(system, '.h'), ...scripts].map((file) => statSync(file).mtimeMs),
);
if (existsSync(output) && statSync(output).mtimeMs > newest) process.exit(0);

function run(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(compiler, args, { stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${compiler} ended with ${code}`))));
  });
}

/** Compiles every file, as many at a time as there are processors. @returns the objects */
async function compileAll(folder, options) {
  const sources = nativeFiles(system, '.c');
  const objectOf = (source) => join(folder, `${basename(source, '.c')}.o`);
  const waiting = [...sources];
  const one = async () => {
    for (let source = waiting.shift(); source !== undefined; source = waiting.shift())
      await run([...compileFlags(system, options), '-c', '-o', objectOf(source), source]);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, one));
  return sources.map(objectOf);
}

mkdirSync(dirname(output), { recursive: true });
const fresh = `${output}.${process.pid}`;
const scratch = mkdtempSync(join(tmpdir(), 'sectile-native-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
try {
  const options = { sanitize: values.sanitize, defines: values.define };
  await run(linkerArguments(system, fresh, await compileAll(scratch, options), options));
  renameSync(fresh, output);
} catch (error) {
  console.error(
    error.code === 'ENOENT'
      ? `sectile: no C compiler: "${compiler}" was not found. Install one (Debian: apt-get install gcc libc6-dev, or gcc-mingw-w64-x86-64 for Windows) or name it in CC.`
      : `sectile: compiling ${relative(root, output)} failed; the compiler's words are above.`,
  );
  process.exit(1);
}
