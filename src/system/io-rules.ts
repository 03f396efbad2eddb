/**
 * What the I/O manager and its clients make of the numbers in io-codes.ts, and how large one request may
 * be. Not for drivers.
 */
import { IRP_MJ_CLEANUP, IRP_MJ_CLOSE, IRP_MJ_CREATE, IRP_MJ_DEVICE_CONTROL } from './io-codes.js';

/** The functions that are dispatched, by name, for messages. */
export const majorFunctionNames: ReadonlyMap<number, string> = new Map([
  [IRP_MJ_CREATE, 'IRP_MJ_CREATE'],
  [IRP_MJ_CLOSE, 'IRP_MJ_CLOSE'],
  [IRP_MJ_DEVICE_CONTROL, 'IRP_MJ_DEVICE_CONTROL'],
  [IRP_MJ_CLEANUP, 'IRP_MJ_CLEANUP'],
]);

/** The rights that a handle must have for the access in a control code: FILE_READ_DATA, FILE_WRITE_DATA. */
export function rightsOfCode(code: number): number {
  return (code >>> 14) & 3;
}

export function methodOfCode(code: number): number {
  return code & 3;
}

/**
 * Bytes of each of a request's two buffers. They are copied through the system process; what is larger
 * belongs in a section.
 */
export const MAXIMUM_DEVICE_BUFFER = 256 * 1024;

/** Handles in a request's input that its driver can refer to. */
export const MAXIMUM_HANDLES_IN_INPUT = 64;
