/**
 * What must hold of each prebuilt binary without running it: what it asks of the system, what it exports,
 * that nothing of the machine that built it is inside, and that building it again gives the same bytes.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../native-targets.mjs';
import { crossCompile } from '../zig.mjs';

/** The oldest glibc that the binaries may ask for. */
const GLIBC = '2.28';
const REQUIRED_EXPORTS = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];
const fromHost = (symbol) => symbol.startsWith('napi_');

/** Whether LLVM's tools, which read the files of all three systems, are here. */
export const hasTools = () => spawnSync('llvm-nm', ['--version'], { stdio: 'ignore' }).error === undefined;
const say = (tool, ...args) => execFileSync(tool, args, { encoding: 'utf8', maxBuffer: 2 ** 26 });
const all = (text, pattern) => [...text.matchAll(pattern)].map((match) => match[1]);

const isNewer = (version, than) => {
  const [a, b] = [version, than].map((text) => text.split('.').map(Number));
  return a[0] !== b[0] ? a[0] > b[0] : a[1] > b[1];
};

function elf(file, { libc }) {
  const dynamic = say('llvm-readelf', '-d', file);
  const undefinedSymbols = say('llvm-nm', '-D', '--undefined-only', file)
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  // Weak ones ("w") may be missing; of the others each is glibc's of some version, musl's without one, or the host's.
  const needed = undefinedSymbols.filter(([kind]) => kind !== 'w').map(([, symbol]) => symbol);
  const libraries = libc === 'musl' ? /^libc\.so$/ : /^(libc\.so\.6|libpthread\.so\.0|libdl\.so\.2|ld-linux-[\w-]+\.so\.\d)$/;
  return [
    ...needed.filter((symbol) => libc === 'glibc' && !symbol.includes('@GLIBC_') && !fromHost(symbol)),
    ...all(needed.join('\n'), /@GLIBC_([\d.]+)/g)
      .filter((version) => isNewer(version, GLIBC))
      .map((version) => `asks for glibc ${version}`),
    ...all(dynamic, /\(NEEDED\).*\[(.*)\]/g)
      .filter((name) => !libraries.test(name))
      .map((name) => `asks for ${name}`),
    ...(/\((RPATH|RUNPATH)\)/.test(dynamic) ? ['has a path for libraries'] : []),
    // musl refuses thread variables that want a place at load.
    ...(libc === 'musl' && /STATIC_TLS/.test(dynamic) ? ['asks for thread variables at load'] : []),
    ...(/NODELETE/.test(dynamic) ? [] : ['may be unloaded']),
  ];
}
const elfExports = (file) => all(say('llvm-nm', '-D', '--defined-only', file), /^\S+ \w (\S+)$/gm);

function coff(file) {
  const libraries = all(say('llvm-readobj', '--coff-imports', file), /^ {2}Name: (.*)$/gm);
  const ofWindows = /^(kernel32|ntdll|advapi32|msvcrt|ucrtbase|api-ms-win-crt-.*)\.dll$/i;
  const headers = say('llvm-readobj', '--file-headers', file);
  return [
    ...libraries.filter((name) => !ofWindows.test(name)).map((name) => `imports from ${name}`),
    ...(/AddressOfEntryPoint: 0x0$/m.test(headers) ? ['has nothing that runs when it is loaded'] : []),
    ...(/TLSTableRVA: 0x0$/m.test(headers) ? ['tells the loader of no thread variables'] : []),
  ];
}
const coffExports = (file) => all(say('llvm-readobj', '--coff-exports', file), /^ {2}Name: (.*)$/gm);

function machO(file, { cpu }) {
  const commands = say('llvm-objdump', '--macho', '--private-headers', file);
  const libraries = all(say('llvm-objdump', '--macho', '--dylibs-used', file), /^\t(\S+) /gm);
  const tables = ['--bind', '--lazy-bind', '--weak-bind'].map((table) => say('llvm-objdump', '--macho', table, file)).join('');
  const bound = [...tables.matchAll(/^__.* (\S+) +_?(\S+)$/gm)];
  return [
    ...libraries
      .filter((name) => !['@rpath/sectile.node', '/usr/lib/libSystem.B.dylib'].includes(name))
      .map((name) => `asks for ${name}`),
    ...bound
      .filter(([, library, symbol]) => (fromHost(symbol) ? library !== 'flat-namespace' : library !== 'libSystem'))
      .map(([, library, symbol]) => `takes ${symbol} from ${library}`),
    ...(cpu === 'arm64' && !commands.includes('LC_CODE_SIGNATURE') ? ['is not signed, which macOS asks for on arm64'] : []),
    ...(/minos 11\.0/.test(commands) ? [] : ['is not made for macOS 11 and newer']),
  ];
}
const machOExports = (file) => all(say('llvm-objdump', '--macho', '--exports-trie', file), /^0x\w+ +_(\S+)$/gm);

const formats = new Map([
  ['linux', { asks: elf, exports: elfExports }],
  ['win32', { asks: coff, exports: coffExports }],
  ['darwin', { asks: machO, exports: machOExports }],
]);

/** What is wrong with the binary of a target, as lines; none when it is as it must be. */
export function inspectBinary(target, file) {
  const { asks, exports } = formats.get(target.os);
  const exported = exports(file);
  return [
    ...asks(file, target),
    ...REQUIRED_EXPORTS.filter((symbol) => !exported.includes(symbol)).map((symbol) => `does not export ${symbol}`),
    ...exported.filter((symbol) => !REQUIRED_EXPORTS.includes(symbol)).map((symbol) => `exports ${symbol}`),
    ...(readFileSync(file).includes(root) ? ['holds the path of the folder it was built in'] : []),
  ];
}

/** Whether the binary comes out the same when its sources are compiled in another folder. */
export async function isReproducible(target, file) {
  const elsewhere = mkdtempSync(join(tmpdir(), 'sectile-again-'));
  try {
    cpSync(join(root, 'native'), join(elsewhere, 'native'), { recursive: true });
    const again = join(elsewhere, 'sectile.node');
    await crossCompile(target, again, elsewhere);
    return readFileSync(again).equals(readFileSync(file));
  } finally {
    rmSync(elsewhere, { recursive: true, force: true });
  }
}
