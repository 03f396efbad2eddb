/**
 * The numbers of the I/O manager: what an IRP can ask for, how a control code is put together. For
 * drivers and applications to use; what the I/O manager makes of them stands in io-rules.ts.
 *
 * Source: Microsoft's pages "IRP Major Function Codes", "Defining I/O Control Codes", "Specifying Device
 * Types", "Specifying Device Characteristics"; [MS-DTYP] for the rights.
 */

export const IRP_MJ_CREATE = 0x00;
export const IRP_MJ_CLOSE = 0x02;
export const IRP_MJ_READ = 0x03;
export const IRP_MJ_WRITE = 0x04;
export const IRP_MJ_DEVICE_CONTROL = 0x0e;
export const IRP_MJ_CLEANUP = 0x12;
export const IRP_MJ_MAXIMUM_FUNCTION = 0x1b;

export const METHOD_BUFFERED = 0;
export const METHOD_IN_DIRECT = 1;
export const METHOD_OUT_DIRECT = 2;
export const METHOD_NEITHER = 3;

export const FILE_ANY_ACCESS = 0;
export const FILE_READ_ACCESS = 1;
export const FILE_WRITE_ACCESS = 2;

export const FILE_DEVICE_UNKNOWN = 0x22;

export const FILE_DEVICE_SECURE_OPEN = 0x0000_0100;

/** What is no number has no bits. */
const bits = (value: unknown): number => (typeof value === 'number' ? value : 0);

/**
 * Puts a control code together.
 *
 * @param deviceType FILE_DEVICE_…; 0x8000 and up are free for own types.
 * @param functionCode 0x800 and up are free for own functions.
 * @param method METHOD_BUFFERED, METHOD_IN_DIRECT, METHOD_OUT_DIRECT or METHOD_NEITHER.
 * @param access FILE_ANY_ACCESS, or what the handle must have been opened with: FILE_READ_ACCESS,
 * FILE_WRITE_ACCESS, or both.
 * @returns The code, unsigned.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/kernel/defining-i-o-control-codes}
 */
export function CTL_CODE(deviceType: number, functionCode: number, method: number, access: number): number {
  return ((bits(deviceType) << 16) | (bits(access) << 14) | (bits(functionCode) << 2) | bits(method)) >>> 0;
}

/* Descriptors for devices, as wdmsec.h names them. */
export const SDDL_DEVOBJ_KERNEL_ONLY = 'D:P';
export const SDDL_DEVOBJ_SYS_ALL = 'D:P(A;;GA;;;SY)';
export const SDDL_DEVOBJ_SYS_ALL_ADM_ALL = 'D:P(A;;GA;;;SY)(A;;GA;;;BA)';
export const SDDL_DEVOBJ_SYS_ALL_ADM_RX = 'D:P(A;;GA;;;SY)(A;;GRGX;;;BA)';
export const SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_R = 'D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GR;;;WD)';
export const SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RW_RES_R = 'D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GRGW;;;WD)(A;;GR;;;RC)';
export const SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RWX_RES_RWX = 'D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GRGWGX;;;WD)(A;;GRGWGX;;;RC)';
