/**
 * Where sockets and the local registry live, and whether that place can be trusted. Creates the
 * folders it names; holds no other file.
 *
 *   SECTILE_RUNTIME_DIR                       when set, for everything
 *   root                                      /run/sectile (on macOS /var/run/sectile)
 *   a user                                    sectile in a directory of the user's own, which the platform
 *                                             names, else /tmp/sectile-UID
 */
import { lstatSync, mkdirSync, type Stats } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { SectionError } from '../base/error.js';
import { os } from '../os/index.js';

function userId(): number {
  return process.geteuid?.() ?? 0;
}

function statOrNull(path: string): Stats | null {
  try {
    return lstatSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw untrusted(path, `it cannot be looked at: ${(error as Error).message}`);
  }
}

function untrusted(path: string, rule: string): SectionError {
  return new SectionError('ERR_SECTION_REGISTRY_OWNER', {
    operation: 'use the runtime directory',
    object: path,
    rule,
    wayOut: 'Set SECTILE_RUNTIME_DIR to a directory of your own',
  });
}

function ownedDirectory(path: string, user: number): boolean {
  const stat = statOrNull(path);
  return stat?.isDirectory() === true && stat.uid === user;
}

/** The directory that belongs to this process's user (or that the environment names). It may not exist yet. */
export function runtimeDirectory(): string {
  const named = process.env['SECTILE_RUNTIME_DIR'];
  if (named !== undefined && named !== '') {
    if (!isAbsolute(named)) throw untrusted(named, 'SECTILE_RUNTIME_DIR must be an absolute path');
    return named;
  }
  const user = userId();
  if (user === 0) return os.machineDirectory;
  const own = os.userDirectories(user).find((each) => ownedDirectory(each, user));
  return own === undefined ? `/tmp/sectile-${user}` : join(own, 'sectile');
}

function checkTrusted(path: string, stat: Stats): void {
  const user = userId();
  if (!stat.isDirectory()) throw untrusted(path, 'it is not a directory');
  if (stat.uid !== user && stat.uid !== 0) {
    throw untrusted(path, `it belongs to user ${stat.uid}, this process runs as user ${user}`);
  }
  const writableByOthers = (stat.mode & 0o022) !== 0;
  const sticky = (stat.mode & 0o1000) !== 0;
  if (writableByOthers && !sticky) throw untrusted(path, `others may write to it (mode ${(stat.mode & 0o7777).toString(8)})`);
}

function makeDirectory(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST') throw untrusted(path, `it cannot be made: ${message}`);
  }
}

/**
 * The runtime directory, made if it is missing: for the sockets of a system process, so others may
 * enter it when root makes it.
 */
export function ensureRuntimeDirectory(): string {
  const path = runtimeDirectory();
  if (statOrNull(path) === null) makeDirectory(path, userId() === 0 ? 0o755 : 0o700);
  const stat = statOrNull(path);
  if (stat === null) throw untrusted(path, 'it vanished');
  checkTrusted(path, stat);
  return path;
}

/** Registry folders that have been found trustworthy: only their owner could change that. */
const trusted = new Set<string>();

/**
 * The folder of this user's registry of local names, made if it is missing.
 *
 * @param again Look at it again although it was found good before.
 */
export function ensureRegistryDirectory(again = false): string {
  const user = userId();
  const known = join(runtimeDirectory(), `local-${user}`);
  if (!again && trusted.has(known)) return known;
  const path = join(ensureRuntimeDirectory(), `local-${user}`);
  if (statOrNull(path) === null) makeDirectory(path, 0o700);
  const stat = statOrNull(path);
  if (stat === null || !stat.isDirectory()) throw untrusted(path, 'it is not a directory');
  if (stat.uid !== user) throw untrusted(path, `it belongs to user ${stat.uid}, this process runs as user ${user}`);
  if ((stat.mode & 0o077) !== 0)
    throw untrusted(path, `others may enter it (mode ${(stat.mode & 0o7777).toString(8)}, must be 700)`);
  trusted.add(path);
  return path;
}

/** As {@link ensureRegistryDirectory} for looking only: null when there is no registry yet. */
export function registryDirectoryIfAny(): string | null {
  const path = join(runtimeDirectory(), `local-${userId()}`);
  return trusted.has(path) || statOrNull(path) !== null ? ensureRegistryDirectory() : null;
}

const SOCKET = 'system.socket';

/** Where a system process that this process starts would listen. */
export function ownSystemSocket(): string {
  return join(runtimeDirectory(), SOCKET);
}

/** Where a client looks for a system process, best first. */
export function systemSocketCandidates(): readonly string[] {
  const own = ownSystemSocket();
  const machine = join(os.machineDirectory, SOCKET);
  return process.env['SECTILE_RUNTIME_DIR'] || own === machine ? [own] : [machine, own];
}
