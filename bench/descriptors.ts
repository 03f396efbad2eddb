/**
 * Finds the descriptor of a section in this process, for floors that must map the very same memory.
 * Sectile's interface hands out no descriptor numbers, so this looks where anybody may: /proc.
 */
import { readdirSync, readlinkSync } from 'node:fs';

function memoryDescriptors(): Map<number, string> {
  const found = new Map<number, string>();
  for (const entry of readdirSync('/proc/self/fd')) {
    try {
      const target = readlinkSync(`/proc/self/fd/${entry}`);
      if (target.startsWith('/memfd:')) found.set(Number(entry), target);
    } catch {
      // The descriptor that listed the folder is closed by now.
    }
  }
  return found;
}

/** Runs `make`, which creates one section, and says which descriptor it brought. */
export function withDescriptor<T>(make: () => T): { made: T; descriptor: number } {
  const before = memoryDescriptors();
  const made = make();
  const fresh = [...memoryDescriptors().keys()].filter((descriptor) => !before.has(descriptor));
  const [descriptor] = fresh;
  if (descriptor === undefined || fresh.length > 1) {
    throw new Error(`a new section brought ${fresh.length} memory descriptors, not one`);
  }
  return { made, descriptor };
}
