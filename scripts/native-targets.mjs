/**
 * What the native addon is compiled from and with, for every target: the one place that knows file
 * lists, flags and libraries. Used by build-native.mjs (this machine's compiler) and prebuild.mjs
 * (a cross compiler for all). Runs nothing itself.
 */
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const linux = {
  folders: ['posix', 'linux'],
  compile: ['-D_GNU_SOURCE', '-fPIC', '-pthread'],
  // nodelete: the signal handlers of the fault guard must outlive the last environment that loaded it.
  link: ['-shared', '-Wl,-z,nodelete', '-Wl,-z,relro', '-Wl,-z,now'],
  exported: 'exports.map',
  libraries: [],
};

/**
 * Per operating system: the folders below native/ that are compiled, in addition to native/ itself, and how. Of files of one
 * name, which give the same capability, the first folder's counts.
 */
const systems = {
  linux,
  // For tests: Linux without what only Linux has, so that most of what runs on macOS runs here.
  portable: { ...linux, folders: ['posix', 'portable', 'linux'] },
  darwin: {
    folders: ['posix', 'darwin', 'portable'],
    compile: ['-D_DARWIN_C_SOURCE', '-fPIC', '-pthread'],
    // Small: its binaries are laid out in pages of 16 KiB, and one more of code is one more of everybody's download.
    optimized: ['-Os', '-fno-asynchronous-unwind-tables', '-fno-unwind-tables'],
    // Node-API comes from the program that loads the addon.
    link: ['-dynamiclib', '-Wl,-undefined,dynamic_lookup'],
    libraries: [],
  },
  win32: {
    folders: ['win32'],
    // Windows 10. Node-API is not imported but found at run time: native/win32/node_api.c defines it.
    compile: ['-U_WIN32_WINNT', '-D_WIN32_WINNT=0x0A00', '-DWINVER=0x0A00', '-DUNICODE', '-D_UNICODE', '-DNAPI_EXTERN='],
    // static: the addon needs nothing but Windows' own libraries.
    link: ['-shared', '-static'],
    libraries: ['-lntdll', '-ladvapi32'],
  },
};

/**
 * What prebuilt binaries are made for: the package is `@sectile/` and the name, with npm's words for the
 * system, the processor and the C library; `zig` is the cross compiler's word for it.
 */
export const targets = [
  { name: 'linux-x64-gnu', os: 'linux', cpu: 'x64', libc: 'glibc', zig: 'x86_64-linux-gnu.2.28' },
  { name: 'linux-arm64-gnu', os: 'linux', cpu: 'arm64', libc: 'glibc', zig: 'aarch64-linux-gnu.2.28' },
  { name: 'linux-x64-musl', os: 'linux', cpu: 'x64', libc: 'musl', zig: 'x86_64-linux-musl' },
  { name: 'linux-arm64-musl', os: 'linux', cpu: 'arm64', libc: 'musl', zig: 'aarch64-linux-musl' },
  { name: 'win32-x64', os: 'win32', cpu: 'x64', zig: 'x86_64-windows-gnu' },
  { name: 'win32-arm64', os: 'win32', cpu: 'arm64', zig: 'aarch64-windows-gnu' },
  { name: 'darwin-x64', os: 'darwin', cpu: 'x64', zig: 'x86_64-macos.11.0' },
  { name: 'darwin-arm64', os: 'darwin', cpu: 'arm64', zig: 'aarch64-macos.11.0' },
];

/** The machine's own compilers, by target; CC overrides. Nothing stands here for what they cannot reach. */
const machineCompilers = new Map([
  [`${process.platform}-${process.arch}`, 'cc'],
  [`portable-${process.arch}`, 'cc'],
  ['win32-x64', process.platform === 'win32' ? 'gcc' : 'x86_64-w64-mingw32-gcc'],
]);

/** The compiler that stands for a target on this machine, or undefined. */
export const machineCompiler = (target) => process.env.CC ?? machineCompilers.get(target);

function foldersOf(system, base) {
  const { folders } = systems[system];
  return ['', ...folders].map((name) => join(base, 'native', name)).filter((folder) => existsSync(folder));
}

/** The files of an operating system's build that end so, in a fixed order. `base` holds the folder native/. */
export function nativeFiles(system, ending, base = root) {
  const taken = new Set();
  return foldersOf(system, base).flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(ending) && !taken.has(name))
      .sort()
      .map((name) => {
        taken.add(name);
        return join(folder, name);
      }),
  );
}

const warnings = ['-Wall', '-Wextra', '-Werror', '-Wshadow', '-Wstrict-prototypes', '-Wvla'];
const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=undefined', '-fno-omit-frame-pointer', '-O1', '-g'];
const hardened = ['-D_FORTIFY_SOURCE=2', '-fstack-protector-strong'];

/** The headers of Node-API: of the package that carries them, else those that came with this Node.js. */
export function nodeApiHeaders() {
  try {
    return createRequire(import.meta.url)('node-api-headers').include_dir;
  } catch {
    return join(dirname(process.execPath), '..', 'include', 'node');
  }
}

/** What every file of a system's build ("linux", "win32", "darwin", "portable") is compiled with. */
export function compileFlags(system, { sanitize = false, defines = [], base = root } = {}) {
  return [
    '-std=gnu11',
    '-fvisibility=hidden',
    // No path of the machine that builds ends up in the binary.
    `-ffile-prefix-map=${base}=.`,
    ...systems[system].compile,
    ...defines.map((name) => `-D${name}`),
    ...warnings,
    ...(sanitize ? sanitizers : [...(systems[system].optimized ?? ['-O2']), ...hardened]),
    `-I${nodeApiHeaders()}`,
    `-I${join(base, 'native')}`,
  ];
}

/** The arguments that make a C compiler link inputs, C files or objects of theirs, into a system's addon. */
export function linkerArguments(system, output, inputs, options = {}) {
  const { link, exported, libraries } = systems[system];
  const { base = root } = options;
  return [
    ...compileFlags(system, options),
    ...link,
    ...(exported ? [`-Wl,--version-script=${join(base, 'native', exported)}`] : []),
    '-o',
    output,
    ...inputs,
    ...libraries,
  ];
}

/** The arguments that make a C compiler compile and link a system's addon into `output`. */
export const compilerArguments = (system, output, options = {}) =>
  linkerArguments(system, output, nativeFiles(system, '.c', options.base), options);
