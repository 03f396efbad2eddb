/**
 * host-telemetry: a driver that shares the machine's counters, 50 times a second, and a file of any
 * size, with every application on the machine. Applications read; they can write one small section,
 * whose contents this driver does not trust.
 *
 *   sectile driver load host-telemetry/driver.js --set File=/path/to/file
 *
 * Parameters: File (the file to send on request), Rate (samples per second, 1 to 1000, default 50;
 * 0 for as many as possible), AcknowledgeTimeout (milliseconds, default 5000).
 *
 * DriverEntry runs in the system process, and so do the timers that it starts: the views below are
 * mapped there, where no application can reach them.
 */
import {
  DbgPrint,
  type DriverObject,
  InitializeObjectAttributes,
  NT_SUCCESS,
  type NTSTATUS,
  NtCurrentProcess,
  OBJ_CASE_INSENSITIVE,
  OBJ_FORCE_ACCESS_CHECK,
  OBJ_KERNEL_HANDLE,
  PAGE_READWRITE,
  RTL_REGISTRY_ABSOLUTE,
  RtlQueryRegistryValues,
  SEC_COMMIT,
  SECTION_MAP_READ,
  SECTION_MAP_WRITE,
  STATUS_INVALID_PARAMETER,
  STATUS_SUCCESS,
  ViewUnmap,
  ZwClose,
  ZwCreateSection,
  ZwMapViewOfSection,
  ZwUnmapViewOfSection,
} from 'sectile/ntddk';
import { Acknowledgements } from './acknowledgements.ts';
import { FileTransfer } from './file-transfer.ts';
import { ACKNOWLEDGEMENT_BYTES, BULK_BYTES, MAXIMUM_RATE, SectionNames, Security, TELEMETRY_BYTES, Word } from './layout.ts';
import { DEFAULT_RATE, Telemetry } from './telemetry.ts';

interface SharedSection {
  readonly handle: number;
  readonly baseAddress: bigint;
  readonly memory: ArrayBuffer;
}

const DEFAULT_PATIENCE = 5000;

/** Steps 1 to 3: a section with a name, created and mapped into the system process. */
function share(name: string, size: number, security: string): SharedSection | { readonly status: NTSTATUS } {
  // 1. Describe it. The handle belongs to the kernel; whoever opens the name is checked, always.
  const attributes = InitializeObjectAttributes(
    `\\BaseNamedObjects\\${name}`,
    OBJ_KERNEL_HANDLE | OBJ_FORCE_ACCESS_CHECK | OBJ_CASE_INSENSITIVE,
    null,
    security,
  );

  // 2. Create it. Without OBJ_OPENIF a section of that name that exists already is an error, and must
  // be: somebody else's section under our name would be somebody else's to write to.
  const created = ZwCreateSection(SECTION_MAP_READ | SECTION_MAP_WRITE, attributes, size, PAGE_READWRITE, SEC_COMMIT, null);
  if (!NT_SUCCESS(created.status)) return { status: created.status };

  // 3. Map it, into this process and no other.
  const mapped = ZwMapViewOfSection(
    created.sectionHandle,
    NtCurrentProcess(),
    null,
    0,
    0,
    null,
    size,
    ViewUnmap,
    0,
    PAGE_READWRITE,
  );
  if (!NT_SUCCESS(mapped.status) || mapped.baseAddress === null || mapped.view === null) {
    ZwClose(created.sectionHandle);
    return { status: mapped.status };
  }
  return { handle: created.sectionHandle, baseAddress: mapped.baseAddress, memory: mapped.view.buffer };
}

/** Steps 4 and 5: unmap, close. */
function unshare({ handle, baseAddress }: SharedSection): void {
  // 4. The view first …
  ZwUnmapViewOfSection(NtCurrentProcess(), baseAddress);
  // 5. … then the handle. With the last handle, an application's included, the name is free again.
  ZwClose(handle);
}

/** A number among the parameters; undefined if it is none or out of range. */
function numberOf(text: string, minimum: number, maximum: number): number | undefined {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= minimum && value <= maximum ? value : undefined;
}

export function DriverEntry(driverObject: DriverObject, registryPath: string): NTSTATUS {
  const { status: readStatus, values } = RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, registryPath, [
    { Name: 'File', DefaultData: '' },
    { Name: 'Rate', DefaultData: String(DEFAULT_RATE) },
    { Name: 'AcknowledgeTimeout', DefaultData: String(DEFAULT_PATIENCE) },
  ]);
  if (!NT_SUCCESS(readStatus)) return readStatus;
  const { File: file, Rate: rateText, AcknowledgeTimeout: patienceText } = values as Record<string, string>;
  const rate = numberOf(rateText ?? '', 0, MAXIMUM_RATE);
  const patience = numberOf(patienceText ?? '', 10, 3_600_000);
  if (rate === undefined || patience === undefined) return STATUS_INVALID_PARAMETER;

  const shared: SharedSection[] = [];
  for (const [name, size, security] of [
    [SectionNames.telemetry, TELEMETRY_BYTES, Security.read],
    [SectionNames.bulk, BULK_BYTES, Security.read],
    [SectionNames.acknowledgements, ACKNOWLEDGEMENT_BYTES, Security.readWrite],
  ] as const) {
    const section = share(name, size, security);
    if ('status' in section) {
      // A driver that cannot start leaves nothing behind.
      shared.forEach(unshare);
      return section.status;
    }
    shared.push(section);
  }

  const [telemetrySection, bulk, acknowledgementSection] = shared as [SharedSection, SharedSection, SharedSection];
  const telemetry = new Telemetry(telemetrySection.memory, {
    rate,
    kernelHandle: telemetrySection.handle,
    baseAddress: telemetrySection.baseAddress,
  });
  const acknowledgements = new Acknowledgements(acknowledgementSection.memory, (count) => {
    Atomics.store(telemetry.words, Word.nonsense, count);
    // Once: whoever writes nonsense shall not fill the log as well.
    if (count === 1) DbgPrint('the acknowledgements hold nonsense; it is counted and ignored from here on');
  });
  const transfer = new FileTransfer(telemetry.words, new Uint8Array(bulk.memory), acknowledgements, {
    file: file || null,
    patience,
  });

  driverObject.DriverUnload = async () => {
    await transfer.stop();
    telemetry.stop();
    shared.forEach(unshare);
  };
  telemetry.start();
  transfer.start();
  return STATUS_SUCCESS;
}
