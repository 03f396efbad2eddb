/**
 * Which process is meant by words in shared memory: its number, told from every later one with that number by the time it
 * started, and from others by its PID namespace.
 */
import { ownPidNamespace } from '../namespace/local-access.js';
import { os } from '../os/index.js';

/** A process as words of 32 bits keep it. */
export interface ProcessWords {
  readonly pid: number;
  /** The low half of when it started, as the system counts; 0: unknown, and the number alone counts. */
  readonly startLow: number;
  /** The low half of the number of its PID namespace; 0 where there is but one. */
  readonly namespace: number;
}

/** 0 where nobody can tell. */
function namespaceOfProcesses(): bigint {
  try {
    return ownPidNamespace();
  } catch {
    return 0n;
  }
}

const low = (value: bigint): number => Number(BigInt.asIntN(32, value));

let own: ProcessWords | null = null;

/** This process. */
export function ownProcess(): ProcessWords {
  own ??= {
    pid: process.pid,
    startLow: low(os.processStart(process.pid) ?? 0n),
    namespace: low(namespaceOfProcesses()),
  };
  return own;
}

/** Whether the process that the words mean has ended. Of another PID namespace's processes nobody can tell: false. */
export function hasEnded({ pid, startLow, namespace }: ProcessWords): boolean {
  if (namespace !== ownProcess().namespace || !Number.isInteger(pid) || pid <= 0) return false;
  const start = os.processStart(pid);
  if (start === undefined) return false;
  return start === null || (startLow !== 0 && low(start) !== (startLow | 0));
}
