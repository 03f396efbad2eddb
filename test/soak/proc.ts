/**
 * What /proc says of a process: what it has, where it waits; and what of a run is left anywhere.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { descriptors, mappings } from '../support/processes.js';

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

const MiB = 2 ** 20;

/** Bytes of memory of its own that a process has resident: without that of sections, which it has with others. */
function ownBytes(pid: number | 'self'): number {
  return Number(/^RssAnon:\s+(\d+)/m.exec(textOf(`/proc/${pid}/status`))?.[1] ?? 0) * 1024;
}

/**
 * What may come and go in a process that leaks nothing. Descriptors: a producer that waits watches the consumer, two others and who has
 * the lock.
 */
const bounds = { descriptors: 4, sections: 2, mappings: 300, bytes: 80 * MiB };

/** What a process has at one moment. */
export class Resources {
  readonly descriptors: number;
  /** Mappings of sections. */
  readonly sections: number;
  readonly mappings: number;
  readonly bytes: number;

  private constructor(pid: number | 'self') {
    // The parent has sockets to its workers, however many there are at the moment.
    this.descriptors = descriptors(pid).filter((target) => pid !== 'self' || !target.startsWith('socket:')).length;
    this.sections = mappings('memfd:sectile', pid).length;
    this.mappings = mappings('', pid).length;
    this.bytes = ownBytes(pid);
  }

  static of(pid: number | 'self'): Resources {
    return new Resources(pid);
  }

  /** What has grown beyond its bound, in words; null: nothing, or the process has gone. */
  grownTo(now: Resources): string | null {
    if (now.bytes === 0) return null;
    const grown = (['descriptors', 'sections', 'mappings', 'bytes'] as const).filter(
      (each) => now[each] - this[each] > bounds[each],
    );
    if (grown.length === 0) return null;
    return grown.map((each) => `${each} ${this[each]} -> ${now[each]}, ${bounds[each]} more are allowed`).join('; ');
  }

  toString(): string {
    return `${this.descriptors} descriptors, ${this.sections} views, ${this.mappings} mappings, ${Math.round(this.bytes / MiB)} MiB`;
  }
}

/** Whether a process waits in the kernel. */
export function sleeps(pid: number): boolean {
  return /^State:\s+S/m.test(textOf(`/proc/${pid}/status`));
}

/** Where a process stands, in the kernel's words. */
export function processState(pid: number): string {
  const state = /^State:\s+(.*)$/m.exec(textOf(`/proc/${pid}/status`))?.[1] ?? 'gone';
  let threads: string[] = [];
  try {
    threads = readdirSync(`/proc/${pid}/task`).map((thread) => textOf(`/proc/${pid}/task/${thread}/wchan`) || 'runs');
  } catch {}
  const call = textOf(`/proc/${pid}/syscall`).trim();
  return `process ${pid} ${state}; waits at ${threads.join(', ')}${call === '' ? '' : `; call ${call}`}`;
}

/** Processes that run with a text in their environment, but for this one. */
export function processesOf(text: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .map(Number)
    .filter((pid) => textOf(`/proc/${pid}/environ`).includes(text));
}

/** Who holds or maps memory with a text in its name, of all processes. */
export function memoryOf(text: string): string[] {
  const found: string[] = [];
  for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    let numbers: string[] = [];
    try {
      numbers = readdirSync(`/proc/${pid}/fd`);
    } catch {}
    for (const number of numbers) {
      try {
        const target = readlinkSync(`/proc/${pid}/fd/${number}`);
        if (target.includes(text)) found.push(`${pid}: ${target}`);
      } catch {}
    }
    found.push(...mappings(text, Number(pid)).map((line) => `${pid}: ${line}`));
  }
  return found;
}
