/**
 * Cases that need a user without privileges beside the one who runs them.
 */
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { skip } from '../script.js';
import type { Trial } from './trial.js';

/** An unprivileged user that every Linux has: nobody. */
const NOBODY = { uid: 65_534, gid: 65_534 } as const;

/** A runtime directory of that user's own: for names of a session, without a system process. */
function ownRuntime(t: Trial): string {
  const folder = t.folder();
  chmodSync(folder, 0o755);
  const path = join(folder, 'run');
  mkdirSync(path, { mode: 0o700 });
  chownSync(path, NOBODY.uid, NOBODY.gid);
  return path;
}

/**
 * Runs a function of a module as an ordinary user, and returns what it says.
 *
 * @param where Beside the system process of the run, or alone, where a user's own names can be made.
 */
export function asAnotherUser(
  t: Trial,
  module: string,
  name: string,
  args: readonly unknown[],
  where: 'beside the system' | 'alone' = 'beside the system',
): Promise<unknown> {
  if (process.geteuid?.() !== 0) skip('the case needs a second user, and only root can start a process as another one');
  const env = where === 'alone' ? { env: { SECTILE_RUNTIME_DIR: ownRuntime(t) } } : {};
  return t.world.child(module, name, { ...NOBODY, ...env, args }).result;
}
