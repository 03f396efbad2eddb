/**
 * The waits of this thread that leave it free: each with what is to be done when it has ended. One listener for all of them;
 * the process goes on while somebody waits who keeps it.
 */
import { type Descriptor, os } from '../os/index.js';
import type { Word } from './word.js';

const pending = new Map<number, () => void>();
let listening = false;
let keepers = 0;

function onEnded(numbers: Float64Array): void {
  for (const number of numbers) {
    const action = pending.get(number);
    // One that was cancelled can end all the same.
    if (action === undefined) continue;
    pending.delete(number);
    try {
      action();
    } catch (error) {
      // The others' waits have ended too.
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

function listen(): void {
  if (listening) return;
  os.waitsListen(onEnded);
  listening = true;
}

/** Has `action` called when the word is woken or has another value; without cause, too. Returns a number for {@link cancelWait}. */
export function waitForWord({ mapping, offset }: Word, expected: number, action: () => void): number {
  listen();
  const number = os.mappingWordWait(mapping, offset, expected);
  pending.set(number, action);
  return number;
}

/** Has `action` called when the process has ended. The descriptor stays open until then. */
export function waitForProcess(process: Descriptor, action: () => void): number {
  listen();
  const number = os.processWait(process);
  pending.set(number, action);
  return number;
}

/** Its action is not called any more. */
export function cancelWait(number: number): void {
  if (pending.delete(number)) os.waitCancel(number);
}

/** The process goes on until as many calls of {@link letGo}. */
export function keepProcess(): void {
  listen();
  if (keepers++ === 0) os.waitsKeep(true);
}

export function letGo(): void {
  if (--keepers === 0) os.waitsKeep(false);
}
