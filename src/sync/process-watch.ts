/**
 * Tells when another process has ended, however it ended, without asking again and again.
 */
import { isOsError, os } from '../os/index.js';
import { hasEnded, type ProcessWords } from './owner.js';
import { cancelWait, waitForProcess } from './waits.js';

export interface ProcessWatch {
  /** Not told any more. Safe to call twice. */
  close(): void;
}

const nobody: ProcessWatch = { close: () => {} };

/** Tells on a later turn, so that the caller has its watch by then. */
function tellSoon(onEnd: () => void): ProcessWatch {
  let closed = false;
  setImmediate(() => {
    if (!closed) onEnd();
  });
  return {
    close: () => {
      closed = true;
    },
  };
}

/**
 * Calls `onEnd` once when the process that the words mean has ended, soon also when that was before. A watch does not keep this
 * process alive. Of processes in another PID namespace nobody can tell: never.
 *
 * @throws SectionError never; where the system refuses to watch (too many open files), as if it were of another namespace
 */
export function watchProcess(process: ProcessWords, onEnd: () => void): ProcessWatch {
  if (hasEnded(process)) return tellSoon(onEnd);
  let descriptor: ReturnType<typeof os.processOpen>;
  try {
    descriptor = os.processOpen(process.pid);
  } catch (error) {
    return isOsError(error) && error.code === 'ESRCH' && hasEnded(process) ? tellSoon(onEnd) : nobody;
  }
  // Its number may have become another's before it was opened.
  if (hasEnded(process)) {
    os.descriptorClose(descriptor);
    return tellSoon(onEnd);
  }
  let closed = false;
  const close = (): void => {
    if (closed) return;
    closed = true;
    cancelWait(wait);
    os.descriptorClose(descriptor);
  };
  const wait = waitForProcess(descriptor, () => {
    close();
    onEnd();
  });
  return { close };
}
