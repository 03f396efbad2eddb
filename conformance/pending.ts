/**
 * Types of calls that the vectors use and that the faces' own types do not have.
 */
import type { Handle, NTSTATUS, ObjectAttributes, Size } from 'sectile/ntdll';

export interface MoreNtddk {
  readonly ObjectBasicInformation: number;
  readonly ZwQueryObject: (
    handle: Handle,
    informationClass: number,
  ) => { readonly status: NTSTATUS; readonly objectInformation: object | null };
  readonly ZwCreateFile: (
    access: number,
    attributes: ObjectAttributes,
    allocationSize: Size | null,
    fileAttributes: number,
    shareAccess: number,
    disposition: number,
    options: number,
  ) => { readonly status: NTSTATUS; readonly fileHandle: Handle };
}

export interface MoreKernel32 {
  readonly CreateFile: (
    name: string,
    access: number,
    share: number,
    security: null,
    disposition: number,
    flags: number,
  ) => Handle;
}
