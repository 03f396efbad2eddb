/**
 * Which memory or file is meant, in the form that two sources of Linux share: `stat` gives device and
 * inode as numbers, /proc/PID/maps gives the device as `major:minor` in hexadecimal.
 */
import { type BigIntStats, statSync } from 'node:fs';

/** Device and inode as one text, equal exactly for the same memory or file. */
export type Identity = string;

/** The identity from the numbers of `stat(2)`. */
export function identityOf(device: bigint, inode: bigint): Identity {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
  const minor = (device & 0xffn) | ((device >> 12n) & ~0xffn);
  return identityFromMaps(`${hex(major)}:${hex(minor)}`, inode);
}

/** The identity from two columns of /proc/PID/maps. */
export function identityFromMaps(device: string, inode: bigint | string): Identity {
  return `${device}:${inode}`;
}

/** The inode's part of an identity. */
export function inodeOf(identity: Identity): string {
  return identity.slice(identity.lastIndexOf(':') + 1);
}

function hex(value: bigint): string {
  return value.toString(16).padStart(2, '0');
}

/** `stat(2)` of a path, or null where it is not there or not ours to see. Follows /proc/PID/fd links. */
export function statOrNull(path: string): BigIntStats | null {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return null;
  }
}
