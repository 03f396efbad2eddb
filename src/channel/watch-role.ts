/**
 * Tells when the process that holds a role has ended. Of one in another PID namespace nobody can tell.
 */
import { type ProcessWatch, watchProcess } from '../sync/process-watch.js';
import { holderOf, ownRole } from './role.js';

/** Calls `onEnd` once, soon if the process has ended already. Null: it is this one, nobody can tell, or nobody holds the role. */
export function watchRole(word: bigint, home: number, onEnd: () => void): ProcessWatch | null {
  const holder = holderOf(word);
  if (holder === null || holder.elsewhere || word === ownRole(home)) return null;
  return watchProcess({ ...holder, namespace: home }, onEnd);
}
