/**
 * A driver that shares memory with applications by the five steps. DriverEntry runs in the context of the
 * system process, so the view below is mapped where no application can tamper with it.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/kernel/section-objects-and-views}
 */
import {
  type DriverObject,
  InitializeObjectAttributes,
  NT_SUCCESS,
  type NTSTATUS,
  OBJ_FORCE_ACCESS_CHECK,
  OBJ_KERNEL_HANDLE,
  PAGE_READWRITE,
  SEC_COMMIT,
  SECTION_MAP_READ,
  SECTION_MAP_WRITE,
  STATUS_SUCCESS,
  ViewUnmap,
  ZwClose,
  ZwCreateSection,
  ZwCurrentProcess,
  ZwMapViewOfSection,
  ZwUnmapViewOfSection,
} from 'sectile/ntddk';
import { greeting, sectionName, sectionSize } from './names.js';

let sectionHandle = 0;
let baseAddress: bigint | null = null;

export function DriverEntry(driverObject: DriverObject, _registryPath: string): NTSTATUS {
  driverObject.DriverUnload = DriverUnload;

  // 1. The section's name, a handle for kernel mode alone, access checks for whoever opens it.
  const objectAttributes = InitializeObjectAttributes(
    `\\BaseNamedObjects\\${sectionName}`,
    OBJ_KERNEL_HANDLE | OBJ_FORCE_ACCESS_CHECK,
    null,
    'D:(A;;GA;;;SY)(A;;GR;;;WD)', // the system may do everything, everyone may read
  );
  // 2. The section, with its size.
  const created = ZwCreateSection(
    SECTION_MAP_READ | SECTION_MAP_WRITE,
    objectAttributes,
    sectionSize,
    PAGE_READWRITE,
    SEC_COMMIT,
    null,
  );
  if (!NT_SUCCESS(created.status)) return created.status;
  sectionHandle = created.sectionHandle;
  // 3. A view, mapped into the system process.
  const mapped = ZwMapViewOfSection(sectionHandle, ZwCurrentProcess(), null, 0, 0, null, 0, ViewUnmap, 0, PAGE_READWRITE);
  if (!NT_SUCCESS(mapped.status)) {
    ZwClose(sectionHandle);
    return mapped.status;
  }
  baseAddress = mapped.baseAddress;
  mapped.view?.bytes.set(Buffer.from(`${greeting}\0`, 'utf8'));
  return STATUS_SUCCESS;
}

function DriverUnload(): void {
  // 4. Unmap the view.
  if (baseAddress !== null) ZwUnmapViewOfSection(ZwCurrentProcess(), baseAddress);
  // 5. Close the handle: with the last one the section's name goes.
  if (sectionHandle !== 0) ZwClose(sectionHandle);
}
