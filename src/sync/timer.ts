/**
 * Time that passes: timers without the limit of setTimeout, which takes 2^31 - 1 milliseconds and calls at once for more; and
 * a sleep of the whole thread.
 */

/** Milliseconds that one timer of the runtime takes. */
const MOST = 2 ** 31 - 1;

/** Calls `action` after so many milliseconds, however many. It keeps the process. */
export function sleepTimer(milliseconds: number, action: () => void): { cancel(): void } {
  const until = performance.now() + milliseconds;
  let timer: NodeJS.Timeout;
  const start = (left: number): void => {
    timer = setTimeout(
      () => {
        const rest = until - performance.now();
        // A timer of the runtime's counts whole milliseconds, and may be early by a part of one.
        if (rest > 1) start(rest);
        else action();
      },
      Math.min(left, MOST),
    );
  };
  start(milliseconds);
  return { cancel: () => clearTimeout(timer) };
}

const nobody = new Int32Array(new SharedArrayBuffer(4));

/** Blocks the thread for so many milliseconds. */
export function sleepSync(milliseconds: number): void {
  Atomics.wait(nobody, 0, 0, milliseconds);
}
