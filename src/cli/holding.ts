/**
 * Staying alive until somebody says stop.
 */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Resolves at the first signal that asks this process to end; keeps it alive until then. */
export function untilStopped(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    // A signal listener alone does not keep the event loop running.
    const keepAlive = setInterval(() => {}, 2 ** 30);
    const stop = (signal: NodeJS.Signals): void => {
      clearInterval(keepAlive);
      for (const each of signals) process.off(each, stop);
      resolve(signal);
    };
    for (const each of signals) process.on(each, stop);
  });
}

/** Resolves when standard input ends: whoever holds its other end has closed it, or has died. */
export function untilInputEnds(): Promise<void> {
  return new Promise((resolve) => {
    process.stdin.on('end', resolve).on('error', resolve).resume();
  });
}
