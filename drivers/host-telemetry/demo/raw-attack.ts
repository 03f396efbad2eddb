/**
 * An attack on a read-only grant without Sectile: by the descriptor that is behind the view, with plain
 * system calls. Whatever is tried, the operating system must say no.
 */
import { chmodSync, closeSync, ftruncateSync, openSync, readdirSync, readlinkSync, statSync, writeSync } from 'node:fs';
import { Section, SectionError } from 'sectile';

export interface AttackResult {
  /** Nothing got through. */
  readonly held: boolean;
  /** Each attempt with its answer. */
  readonly attempts: readonly string[];
}

/** The number of a descriptor of the section's memory in this process. */
function descriptorOf(name: string): number | undefined {
  for (const entry of readdirSync('/proc/self/fd')) {
    try {
      const target = readlinkSync(`/proc/self/fd/${entry}`).replace(/ \(deleted\)$/, '');
      if (target.startsWith('/memfd:sectile:') && target.endsWith(`\\${name}`)) return Number(entry);
    } catch {
      // The directory's own descriptor, closed again.
    }
  }
  return undefined;
}

function codeOf(error: unknown): string {
  if (error instanceof SectionError && error.cause !== undefined) return codeOf(error.cause);
  return String((error as NodeJS.ErrnoException).code ?? error);
}

/**
 * @param name of the section, without its prefix
 * @param size in bytes
 */
export function attackThroughDescriptor(name: string, size: number): AttackResult {
  const descriptor = descriptorOf(name);
  if (descriptor === undefined) return { held: false, attempts: ['no descriptor of it was found in /proc/self/fd'] };
  const attempts: string[] = [];
  let held = true;
  const path = `/proc/self/fd/${descriptor}`;
  const isStranger = statSync(path).uid !== process.geteuid?.();

  /** Whether an attempt succeeds does not matter: the next one does. */
  const anything: readonly string[] = [];

  /** @param refusals the answers that mean no */
  const attempt = <T>(what: string, refusals: readonly string[], call: () => T): T | undefined => {
    try {
      const result = call();
      held &&= refusals === anything;
      attempts.push(`${what} → allowed`);
      return result;
    } catch (error) {
      const code = codeOf(error);
      held &&= refusals === anything || refusals.includes(code);
      attempts.push(`${what} → ${code}`);
      return undefined;
    }
  };
  const byte = new Uint8Array([0xff]);
  /** A descriptor that should not be: even so the memory's own seal lets its creator's view alone write. */
  const tryWriter = (writer: number): void => {
    attempt('mmap to write', ['EPERM'], () => Section.fromDescriptor(writer, { size, access: 'readwrite' }).map().close());
    attempt('write', ['EPERM'], () => writeSync(writer, byte, 0, 1, 0));
    attempt('truncate', ['EPERM'], () => ftruncateSync(writer, 0));
    closeSync(writer);
  };
  const reopen = (refusals: readonly string[]): void => {
    const writer = attempt('reopen to write', refusals, () => openSync(path, 'r+'));
    if (writer !== undefined) tryWriter(writer);
  };

  attempt('write', ['EBADF'], () => writeSync(descriptor, byte, 0, 1, 0));
  attempt('truncate', ['EINVAL', 'EBADF'], () => ftruncateSync(descriptor, 0));
  if (isStranger) {
    reopen(['EACCES']);
    attempt('chmod', ['EPERM'], () => chmodSync(path, 0o666));
  } else {
    // Where the system process runs as the same user, the mode is no barrier. The seal is.
    attempt('chmod', anything, () => chmodSync(path, 0o666));
    reopen(anything);
    attempt('chmod back', anything, () => chmodSync(path, 0));
  }
  return { held, attempts };
}
