/**
 * Who makes known that a file is mapped. This floor knows that a section over a file is there, for how
 * long, and whether it can be written; the floor that tells others takes its place here.
 */
import { Lease } from './lease.js';

/** The file that is mapped. */
export interface MappedFile {
  readonly device: bigint;
  readonly inode: bigint;
}

/** Makes it known; returns what takes that back. */
export type FileKeeper = (operation: string, file: MappedFile, writable: boolean) => () => void;

let keeper: FileKeeper = () => () => {};

export function setFileKeeper(keeps: FileKeeper): void {
  keeper = keeps;
}

/** Makes known that a file is mapped, until the lease ends. */
export function keepFile(operation: string, file: MappedFile, writable: boolean): Lease {
  return new Lease(keeper(operation, file, writable));
}
