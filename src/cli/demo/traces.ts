/**
 * What can be seen of the demo's sections from outside: in the system process's own lists, in the
 * memory maps and descriptors of every process, and in the machine's account of shared memory.
 */
import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fact } from '../../inspector/host/finding.js';
import { type Identity, identityOf } from '../../inspector/identity.js';
import { type Sighting, surveyProcesses } from '../../inspector/processes.js';
import { systemObjects } from '../../system/client.js';
import type { ObjectListing } from '../../system/protocol.js';

const LABEL = '/memfd:sectile:';

/** The sections under watch, by identity: names can be given anew, memory cannot. */
export class Traces {
  readonly #identities = new Map<Identity, ObjectListing>();

  /** Notes all sections that the system process has now. */
  note(): readonly ObjectListing[] {
    const objects = systemObjects();
    for (const object of objects) this.#identities.set(identityOf(BigInt(object.device), BigInt(object.inode)), object);
    return objects;
  }

  /** Where they are mapped or open, in any process that lets us look. */
  #sightings(): ReadonlyMap<Identity, Sighting> {
    const identities = new Set(this.#identities.keys());
    const { sightings } = surveyProcesses({ identities, label: (label) => label.startsWith(LABEL), paths: new Map() });
    return new Map([...sightings].filter(([identity]) => identities.has(identity)));
  }

  /** Views that a process has of them. */
  viewsOf(pid: number): readonly { readonly name: string; readonly address: bigint; readonly access: string }[] {
    return [...this.#sightings()].flatMap(([identity, { views }]) =>
      views
        .filter((view) => view.pid === pid)
        .map(({ address, access }) => ({ name: this.#identities.get(identity)?.name ?? '', address, access })),
    );
  }

  /** Views and descriptors that anybody has of them. */
  count(): number {
    return [...this.#sightings().values()].reduce((sum, { views, descriptors }) => sum + views.length + descriptors.length, 0);
  }
}

/** Shared memory on this machine in bytes, as the kernel counts it; NaN where it does not say. */
export function sharedMemory(): number {
  return Number(/^Shmem:\s+(\d+) kB/m.exec(fact('/proc/meminfo') ?? '')?.[1] ?? Number.NaN) * 1024;
}

/**
 * Waits until the machine has no more shared memory than it had. Other programs have theirs too: that
 * it was there once is enough.
 */
export async function untilSharedMemoryIs(atMost: number, limit: number, signal: AbortSignal): Promise<number> {
  let least = sharedMemory();
  for (
    const end = performance.now() + limit;
    least > atMost && performance.now() < end;
    least = Math.min(least, sharedMemory())
  ) {
    await pause(20, undefined, { signal });
  }
  return least;
}

/** Records that are left in the registries of local names below a runtime directory, and its sockets. */
export function leftInRuntimeDirectory(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.socket') || /^local-\d+\/./.test(name),
  );
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
