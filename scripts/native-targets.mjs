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

/** The machine's own compilers, by target; CC overrides. Nothing stands here for what they cannot reach. */
const machineCompilers = new Map([
  [`${process.platform}-${process.arch}`, 'cc'],
  [`portable-${process.arch}`, 'cc'],
  ['win32-x64', process.platform === 'win32' ? 'gcc' : 'x86_64-w64-mingw32-gcc'],
]);

/** The compiler that stands for a target on this machine, or undefined. */
export const machineCompiler = (target) => process.env.CC ?? machineCompilers.get(target);

function foldersOf(system) {
  const { folders } = systems[system];
  return [join(root, 'native'), ...folders.map((name) => join(root, 'native', name)).filter((folder) => existsSync(folder))];
}

/** The files of an operating system's build that end so, as absolute paths in a fixed order. */
export function nativeFiles(system, ending) {
  const taken = new Set();
  return foldersOf(system).flatMap((folder) =>
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
const hardened = ['-O2', '-D_FORTIFY_SOURCE=2', '-fstack-protector-strong'];

/** The arguments that make a C compiler compile and link the addon of `system` ("linux", "win32", "darwin", "portable") into `output`. */
export function compilerArguments(system, output, { sanitize = false, defines = [] } = {}) {
  const { compile, link, libraries } = systems[system];
  const { include_dir: headers } = createRequire(import.meta.url)('node-api-headers');
  return [
    '-std=gnu11',
    '-fvisibility=hidden',
    // No path of the machine that builds ends up in the binary.
    `-ffile-prefix-map=${root}=.`,
    ...compile,
    ...defines.map((name) => `-D${name}`),
    ...warnings,
    ...(sanitize ? sanitizers : hardened),
    `-I${headers}`,
    `-I${join(root, 'native')}`,
    ...link,
    '-o',
    output,
    ...nativeFiles(system, '.c'),
    ...libraries,
  ];
}
