/**
 * Compiles native/ into one Node-API addon with the C compiler of the machine: plain `cc`, no
 * generator and no network, because there is nothing per Node version in it.
 *
 *   node scripts/build-native.mjs [--sanitize] [--output FILE]
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({
  options: { sanitize: { type: 'boolean', default: false }, output: { type: 'string' } },
});

const platformFolder = process.platform === 'win32' ? 'win32' : 'posix';
const folders = [join(root, 'native'), join(root, 'native', platformFolder)];
const filesEnding = (ending) =>
  folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(ending))
      .map((name) => join(folder, name)),
  );
const sources = filesEnding('.c');
const output = values.output ?? join(root, 'dist', 'native', 'sectile.node');

const newest = Math.max(
  ...[...sources, ...filesEnding('.h'), fileURLToPath(import.meta.url)].map((file) => statSync(file).mtimeMs),
);
if (existsSync(output) && statSync(output).mtimeMs > newest) process.exit(0);

const { include_dir: headers } = createRequire(import.meta.url)('node-api-headers');
const compiler = process.env.CC ?? 'cc';
const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=undefined', '-fno-omit-frame-pointer', '-O1', '-g'];
const flags = [
  '-std=gnu11',
  '-D_GNU_SOURCE',
  '-fPIC',
  '-fvisibility=hidden',
  '-pthread',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-Wshadow',
  '-Wstrict-prototypes',
  '-Wvla',
  ...(values.sanitize ? sanitizers : ['-O2', '-D_FORTIFY_SOURCE=2', '-fstack-protector-strong']),
];
// nodelete: the signal handlers of the fault guard must outlive the last environment that loaded it.
const linking = ['-shared', '-Wl,-z,nodelete', '-Wl,-z,relro', '-Wl,-z,now'];

mkdirSync(dirname(output), { recursive: true });
const fresh = `${output}.${process.pid}`;
try {
  execFileSync(compiler, [...flags, `-I${headers}`, `-I${join(root, 'native')}`, ...linking, '-o', fresh, ...sources], {
    stdio: 'inherit',
  });
  renameSync(fresh, output);
} catch (error) {
  console.error(
    error.code === 'ENOENT'
      ? `sectile: no C compiler: "${compiler}" was not found. Install one (Debian: apt-get install gcc libc6-dev) or name it in CC.`
      : `sectile: compiling ${relative(root, output)} failed; the compiler's words are above.`,
  );
  process.exit(1);
}
