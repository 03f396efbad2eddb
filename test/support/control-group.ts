/**
 * Control groups of memory, of either version, for tests that set a limit or count what some processes
 * have and no others.
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { notRoot } from './child.js';
import { eventually } from './processes.js';

interface Place {
  readonly folder: string;
  readonly limit: string;
}

function find(): Place | string {
  if (notRoot) return notRoot;
  const own = /^\d+:[^:]*\bmemory\b[^:]*:(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
  const first = `/sys/fs/cgroup/memory${own ?? ''}`;
  if (own !== undefined && existsSync(`${first}/memory.limit_in_bytes`)) return { folder: first, limit: 'memory.limit_in_bytes' };
  const second = '/sys/fs/cgroup';
  const controllers = `${second}/cgroup.subtree_control`;
  if (existsSync(controllers) && readFileSync(controllers, 'utf8').includes('memory'))
    return { folder: second, limit: 'memory.max' };
  return 'no control groups of memory can be made here';
}

const place = find();

/** Why no control group can be made here, or false. */
export const noControlGroups = typeof place === 'string' ? place : false;

export class ControlGroup {
  readonly path: string;
  readonly #place: Place;

  /** Goes with the test, whose processes must have ended by then. */
  constructor(t: TestContext, name: string) {
    if (typeof place === 'string') throw new Error(place);
    this.#place = place;
    this.path = `${place.folder}/sectile-test-${process.pid}-${name}`;
    mkdirSync(this.path);
    t.after(() => eventually('the control group is empty', () => this.#remove()));
  }

  #remove(): boolean {
    try {
      rmdirSync(this.path);
      return true;
    } catch {
      return false;
    }
  }

  limit(bytes: number): void {
    writeFileSync(`${this.path}/${this.#place.limit}`, String(bytes));
  }

  /** Bytes of shared memory that processes of the group made, and that still are. */
  sharedMemory(): number {
    return Number(/^shmem (\d+)$/m.exec(readFileSync(`${this.path}/memory.stat`, 'utf8'))?.[1]);
  }

  /** The command that starts a process within the group. */
  get wrapper(): readonly string[] {
    return ['sh', '-c', `echo $$ > ${this.path}/cgroup.procs; exec "$0" "$@"`];
  }
}
