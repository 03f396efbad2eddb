/**
 * echo-device: a driver with a device. It shows which of the two contexts is for what:
 *
 * - DriverEntry runs for the system. Here the section is made and mapped.
 * - Dispatch routines run for the application that asks. They look at the request, take pointers to what its handles
 *   are on, use the views that are mapped, and hand everything else to a work item.
 * - A work item runs for the system again. Here the application's section is mapped.
 *
 *   sectile driver load echo-device/driver.js
 */
import {
  DelayedWorkQueue,
  type DeviceObject,
  type DriverObject,
  FILE_DEVICE_SECURE_OPEN,
  FILE_DEVICE_UNKNOWN,
  InitializeObjectAttributes,
  IO_NO_INCREMENT,
  IoAllocateWorkItem,
  IoCompleteRequest,
  IoCreateDevice,
  IoCreateSymbolicLink,
  IoDeleteDevice,
  IoDeleteSymbolicLink,
  IoFreeWorkItem,
  IoGetCurrentIrpStackLocation,
  IoMarkIrpPending,
  IoQueueWorkItem,
  IRP_MJ_CLOSE,
  IRP_MJ_CREATE,
  IRP_MJ_DEVICE_CONTROL,
  type Irp,
  MmMapViewInSystemSpace,
  MmSectionObjectType,
  MmUnmapViewInSystemSpace,
  NT_SUCCESS,
  type NTSTATUS,
  OBJ_FORCE_ACCESS_CHECK,
  OBJ_KERNEL_HANDLE,
  ObDereferenceObject,
  type ObjectPointer,
  ObReferenceObjectByHandle,
  PAGE_READWRITE,
  SEC_COMMIT,
  SECTION_ALL_ACCESS,
  SECTION_MAP_WRITE,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_INSUFFICIENT_RESOURCES,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_PENDING,
  STATUS_SECTION_TOO_BIG,
  STATUS_SUCCESS,
  UserMode,
  ViewUnmap,
  ZwClose,
  ZwCreateSection,
  ZwCurrentProcess,
  ZwMapViewOfSection,
  ZwUnmapViewOfSection,
} from 'sectile/ntddk';
import {
  COUNTER_AT,
  DEVICE_NAME,
  IOCTL_ECHO_QUERY,
  IOCTL_ECHO_REVERSE,
  LAYOUT_VERSION,
  MOST_BYTES,
  SECTION_BYTES,
  SECTION_NAME,
} from './controls.ts';

const DEVICE_PATH = `\\Device\\${DEVICE_NAME}`;
const LINK_PATH = `\\DosDevices\\${DEVICE_NAME}`;

/** The driver's own view; a dispatch routine may use it, for it is mapped. */
let counter = new Uint32Array(0);

function complete(irp: Irp, status: NTSTATUS, information = 0): NTSTATUS {
  irp.IoStatus.Status = status;
  irp.IoStatus.Information = information;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

/** What the section is called, and how it is laid out. */
function query(irp: Irp, room: number): NTSTATUS {
  const name = new TextEncoder().encode(`Global\\${SECTION_NAME}`);
  const buffer = irp.AssociatedIrp.SystemBuffer;
  if (buffer === null || room < 4 + name.length) return complete(irp, STATUS_BUFFER_TOO_SMALL);
  new DataView(buffer.buffer, buffer.byteOffset).setUint32(0, LAYOUT_VERSION, true);
  buffer.set(name, 4);
  return complete(irp, STATUS_SUCCESS, 4 + name.length);
}

/** For the application: takes a pointer to its section. The handle itself means nothing outside of this routine. */
function reverse(device: DeviceObject, irp: Irp, given: number): NTSTATUS {
  const buffer = irp.AssociatedIrp.SystemBuffer;
  if (buffer === null || given < 4) return complete(irp, STATUS_BUFFER_TOO_SMALL);
  const handle = new DataView(buffer.buffer, buffer.byteOffset).getInt32(0, true);
  const { status, object } = ObReferenceObjectByHandle(handle, SECTION_MAP_WRITE, MmSectionObjectType, UserMode);
  if (object === null) return complete(irp, status);
  const item = IoAllocateWorkItem(device);
  if (item === null) {
    ObDereferenceObject(object);
    return complete(irp, STATUS_INSUFFICIENT_RESOURCES);
  }
  IoMarkIrpPending(irp);
  IoQueueWorkItem(
    item,
    () => {
      IoFreeWorkItem(item);
      complete(irp, reverseSection(object));
    },
    DelayedWorkQueue,
    null,
  );
  return STATUS_PENDING;
}

/** For the system: maps the section where no application can reach the view, and lets go of it. */
function reverseSection(section: ObjectPointer): NTSTATUS {
  const { status, mappedBase, view } = MmMapViewInSystemSpace(section, 0);
  ObDereferenceObject(section);
  if (view === null) return status;
  if (view.length > MOST_BYTES) {
    MmUnmapViewInSystemSpace(mappedBase);
    return STATUS_SECTION_TOO_BIG;
  }
  // The application can write at the same time: what is read here is not trusted to be what is written.
  view.bytes.reverse();
  MmUnmapViewInSystemSpace(mappedBase);
  Atomics.add(counter, COUNTER_AT, 1);
  return STATUS_SUCCESS;
}

function deviceControl(device: DeviceObject, irp: Irp): NTSTATUS {
  const asked = IoGetCurrentIrpStackLocation(irp).Parameters.DeviceIoControl;
  if (asked?.IoControlCode === IOCTL_ECHO_QUERY) return query(irp, asked.OutputBufferLength);
  if (asked?.IoControlCode === IOCTL_ECHO_REVERSE) return reverse(device, irp, asked.InputBufferLength);
  return complete(irp, STATUS_INVALID_DEVICE_REQUEST);
}

export function DriverEntry(driverObject: DriverObject): NTSTATUS {
  // 1. Describe the section: a kernel handle, and everybody may read.
  const attributes = InitializeObjectAttributes(
    `\\BaseNamedObjects\\${SECTION_NAME}`,
    OBJ_KERNEL_HANDLE | OBJ_FORCE_ACCESS_CHECK,
    null,
    'D:(A;;GA;;;SY)(A;;GR;;;WD)',
  );
  // 2. Create it.
  const created = ZwCreateSection(SECTION_ALL_ACCESS, attributes, SECTION_BYTES, PAGE_READWRITE, SEC_COMMIT, null);
  if (!NT_SUCCESS(created.status)) return created.status;
  // 3. Map it, in the system process: here, and not in a dispatch routine.
  const mapped = ZwMapViewOfSection(created.sectionHandle, ZwCurrentProcess(), null, 0, 0, null, 0, ViewUnmap, 0, PAGE_READWRITE);
  if (mapped.view === null) return mapped.status;
  counter = new Uint32Array(mapped.view.buffer);

  const { status, deviceObject } = IoCreateDevice(
    driverObject,
    0,
    DEVICE_PATH,
    FILE_DEVICE_UNKNOWN,
    FILE_DEVICE_SECURE_OPEN,
    false,
  );
  if (deviceObject === null) return status;
  const linked = IoCreateSymbolicLink(LINK_PATH, DEVICE_PATH);
  if (!NT_SUCCESS(linked)) return linked;

  const succeed = (_device: DeviceObject, irp: Irp): NTSTATUS => complete(irp, STATUS_SUCCESS);
  driverObject.MajorFunction[IRP_MJ_CREATE] = succeed;
  driverObject.MajorFunction[IRP_MJ_CLOSE] = succeed;
  driverObject.MajorFunction[IRP_MJ_DEVICE_CONTROL] = deviceControl;
  driverObject.DriverUnload = () => {
    IoDeleteSymbolicLink(LINK_PATH);
    IoDeleteDevice(deviceObject);
    // 4. and 5. Unmap and close.
    ZwUnmapViewOfSection(ZwCurrentProcess(), mapped.baseAddress);
    ZwClose(created.sectionHandle);
  };
  return STATUS_SUCCESS;
}
