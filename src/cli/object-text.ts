/**
 * The words for an object's facts that several commands print.
 */
import {
  type Holder,
  hasLargePages,
  isReserved,
  type ObjectFacts,
  printable,
  protectionText,
  shortCommand,
  sizeText,
} from '../inspector/index.js';

/** What the memory is, in one or two words. */
export function backingText({ backing, kind, attributes }: ObjectFacts): string {
  if (kind === 'memfd') return 'memory';
  if (backing === 'pagefile') {
    if (attributes !== null && hasLargePages(attributes)) return 'large pages';
    return attributes !== null && isReserved(attributes) ? 'memory, reserved' : 'memory';
  }
  return backing === 'posix' ? 'shm_open' : backing;
}

/** A section's page protection, or a foreign object's permission bits. */
export function accessText({ pageProtection, soleWriter, mode }: ObjectFacts): string {
  if (pageProtection !== null) return protectionText(pageProtection, soleWriter);
  return mode === null ? '?' : `mode ${mode.toString(8).padStart(4, '0')}`;
}

export function residentText(resident: number | null): string {
  return resident === null ? '–' : sizeText(resident);
}

/** Who a holder is. */
export function holderText({ command, kernel, otherPidNamespace }: Holder): string {
  if (otherPidNamespace) return 'in another PID namespace';
  return printable(kernel ? `drivers in ${shortCommand(command)}` : shortCommand(command));
}
