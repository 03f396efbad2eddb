/**
 * Builds what the tests of test/windows drive, beside the addon: the driver kit of this repository, a kit that `sectile
 * driver init` writes, and small native programs. Everything lands below build/windows.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildDriverKit, compileForWindows, WINDOWS_CC } from './wine.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const output = join(root, 'build', 'windows');

const cameraFields = ['--field', 'exposure:f64', '--field', 'histogram:u32[256]', '--field', 'last:u8'];
const cameraControls = ['--control', 'gain:f64', '--control', 'window:u16[4]'];

/** driver/guarded.c as a driver has it, in a program: the headers of kernel and programs do not go together. */
function buildGuarded() {
  const object = join(output, 'guarded.o');
  const ddk = dirname(execFileSync(WINDOWS_CC, ['-print-file-name=../include/ddk/wdm.h'], { encoding: 'utf8' }).trim());
  const headers = ['driver.h', 'platform.h', 'protocol.h', 'layout.h'].map((name) => `drivers/windows-wdm/${name}`);
  compileForWindows(object, ['drivers/windows-wdm/guarded.c'], {
    flags: ['-isystem', ddk, '-D_WIN64', '-D_AMD64_', '-D_WIN32_WINNT=0x0A00', '-c'],
    depends: headers,
  });
  compileForWindows(join(output, 'guarded.exe'), ['test/windows/guarded-main.c', object]);
}

/** What a user gets for a name and values of his own: driver and native program by its Makefile, application by tsc. */
function buildCamera() {
  const folder = join(output, 'Camera');
  const command = join(root, 'dist', 'cli', 'main.js');
  rmSync(folder, { recursive: true, force: true });
  execFileSync(
    process.execPath,
    [command, 'driver', 'init', 'Camera', '--windows', '--directory', folder, ...cameraFields, ...cameraControls],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  buildDriverKit(folder, folder);
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules', 'sectile'));
  symlinkSync(join(root, 'node_modules', '@types'), join(folder, 'node_modules', '@types'));
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the application of "sectile driver init" does not compile:\n${stdout}`);
}

/**
 * Builds all of them, into this folder below build/.
 *
 * @returns the folder, which SECTILE_TEST_PROGRAMS names to the tests
 */
export function buildWindowsPrograms() {
  mkdirSync(output, { recursive: true });
  for (const name of ['service', 'partner', 'signals'])
    compileForWindows(join(output, `${name}.exe`), [`test/windows/${name}.c`]);
  buildGuarded();
  buildDriverKit(join(root, 'drivers', 'windows-wdm'), join(output, 'SectileWdm'));
  buildCamera();
  return output;
}
