/**
 * The POSIX implementation of {@link Os}: the addon's calls as they are. Linux today.
 */
import { loadNative } from './native.js';
import type { Os } from './os.js';

export function posix(): Os {
  return loadNative() as unknown as Os;
}
