/**
 * Calls on objects of every type, by the kernel: duplicates, what an object and a handle are, how long the object stays.
 */
import { isSuccess, type NTSTATUS, Status } from '../../base/status.js';
import { fieldsOf, handleValue, ulong, ulong64 } from '../../nt/arguments.js';
import {
  DUPLICATE_CLOSE_SOURCE,
  ObjectBasicInformation,
  ObjectHandleFlagInformation,
  ObjectNameInformation,
  ObjectTypeInformation,
  ObjectTypesInformation,
} from '../../nt/constants.js';
import type * as ours from '../../nt/ntdll.js';
import { handleIn, Structure, textIn, words64 } from '../structures.js';
import type { Kernel } from './kernel.js';

type Calls = Pick<
  typeof ours,
  'NtDuplicateObject' | 'NtQueryObject' | 'NtSetInformationObject' | 'NtMakeTemporaryObject' | 'NtMakePermanentObject'
>;

const OBJECT_BASIC_INFORMATION = new Structure(56, {
  Attributes: [0, 'u32'],
  GrantedAccess: [4, 'u32'],
  HandleCount: [8, 'u32'],
  PointerCount: [12, 'u32'],
});
const OBJECT_HANDLE_FLAG_INFORMATION = new Structure(2, { Inherit: [0, 'u8'], ProtectFromClose: [1, 'u8'] });
const OBJECT_TYPE_INFORMATION = new Structure(104, {
  NameLength: [0, 'u16'],
  NameRoom: [2, 'u16'],
  TotalNumberOfObjects: [16, 'u32'],
  TotalNumberOfHandles: [20, 'u32'],
  GenericRead: [68, 'u32'],
  GenericWrite: [72, 'u32'],
  GenericExecute: [76, 'u32'],
  GenericAll: [80, 'u32'],
  ValidAccessMask: [84, 'u32'],
});
const UNICODE_STRING = new Structure(16, { Length: [0, 'u16'] });

function typeAt(bytes: Uint8Array, at: number): { readonly type: ours.OBJECT_TYPE_INFORMATION; readonly next: number } {
  const { NameLength, NameRoom, GenericRead, GenericWrite, GenericExecute, GenericAll, ...facts } = OBJECT_TYPE_INFORMATION.read(
    bytes,
    at,
  );
  const text = at + OBJECT_TYPE_INFORMATION.bytes;
  const type = {
    TypeName: textIn(bytes, text, NameLength),
    GenericMapping: { GenericRead, GenericWrite, GenericExecute, GenericAll },
    ...facts,
  };
  return { type, next: text + Math.ceil(NameRoom / 8) * 8 };
}

/** ULONG NumberOfTypes, and from 8 on as many of them. */
function typesIn(bytes: Uint8Array): readonly ours.OBJECT_TYPE_INFORMATION[] {
  const types: ours.OBJECT_TYPE_INFORMATION[] = [];
  let at = 8;
  for (let left = handleIn(bytes); left > 0; left--) {
    const { type, next } = typeAt(bytes, at);
    types.push(type);
    at = next;
  }
  return types;
}

function flagsIn(bytes: Uint8Array): ours.OBJECT_HANDLE_FLAG_INFORMATION {
  const { Inherit, ProtectFromClose } = OBJECT_HANDLE_FLAG_INFORMATION.read(bytes);
  return { Inherit: Inherit !== 0, ProtectFromClose: ProtectFromClose !== 0 };
}

const nameIn = (bytes: Uint8Array): ours.OBJECT_NAME_INFORMATION => ({
  Name: textIn(bytes, UNICODE_STRING.bytes, UNICODE_STRING.read(bytes).Length),
});

/** What each class gives, and the room that is always enough. */
const classes: ReadonlyMap<number | undefined, readonly [room: number, read: (bytes: Uint8Array) => ours.ObjectInformation]> =
  new Map<number, readonly [number, (bytes: Uint8Array) => ours.ObjectInformation]>([
    [ObjectBasicInformation, [OBJECT_BASIC_INFORMATION.bytes, (bytes) => OBJECT_BASIC_INFORMATION.read(bytes)]],
    [ObjectNameInformation, [0x1_0020, nameIn]],
    [ObjectTypeInformation, [0x400, (bytes) => typeAt(bytes, 0).type]],
    [ObjectTypesInformation, [0x1_0000, typesIn]],
    [ObjectHandleFlagInformation, [OBJECT_HANDLE_FLAG_INFORMATION.bytes, flagsIn]],
  ]);

export function objectCalls(kernel: Kernel): Calls {
  /** Whether a handle that may have been closed is. */
  const forgetIfClosed = (handle: number): void => {
    const flags = OBJECT_HANDLE_FLAG_INFORMATION.room();
    const status = kernel.call('NtQueryObject', handle, ObjectHandleFlagInformation, flags, flags.length, null);
    if (!isSuccess(status)) kernel.forget(handle);
  };

  return {
    NtDuplicateObject(sourceProcess, sourceHandle, targetProcess, desiredAccess, handleAttributes, options) {
      const refuse = (status: NTSTATUS): ours.DuplicateResult => ({ status, targetHandle: 0 });
      const [desired, attributes, how] = [ulong(desiredAccess), ulong(handleAttributes), ulong(options)];
      if (desired === undefined || attributes === undefined || how === undefined) return refuse(Status.STATUS_INVALID_PARAMETER);
      const fromHere = kernel.isThisProcess(sourceProcess);
      const source = fromHere ? kernel.handle(sourceHandle) : handleValue(sourceHandle);
      const target = kernel.handleOrNone(targetProcess);
      const made = words64(0n);
      const status = kernel.call(
        'NtDuplicateObject',
        kernel.handle(sourceProcess),
        source,
        target,
        target === 0 ? null : made,
        desired,
        attributes,
        how,
      );
      if (fromHere && (how & DUPLICATE_CLOSE_SOURCE) !== 0) forgetIfClosed(source);
      if (!isSuccess(status) || target === 0) return refuse(status);
      return { status, targetHandle: kernel.isThisProcess(targetProcess) ? kernel.enter(made) : handleIn(made) };
    },

    NtQueryObject<C extends number>(handle: ours.Handle | null, objectInformationClass: C, length?: ours.Size) {
      const fail = (status: NTSTATUS, returnLength = 0): ours.ObjectQueryResult<C> => ({
        status,
        objectInformation: null,
        returnLength,
      });
      const wanted = ulong(objectInformationClass);
      const object = kernel.handleOrNone(handle);
      const known = classes.get(wanted);
      if (known === undefined || wanted === undefined) {
        // The kernel looks at the handle first; of what it knows beyond this, there is no form here.
        const bytes = OBJECT_BASIC_INFORMATION.room();
        const status = kernel.call('NtQueryObject', object, ObjectBasicInformation, bytes, bytes.length, null);
        return fail(isSuccess(status) ? Status.STATUS_INVALID_INFO_CLASS : status);
      }
      const [room, read] = known;
      const given = length === undefined ? BigInt(room) : (ulong64(length) ?? 0n);
      // One byte more than there can be tells the kernel of more.
      const bytes = new Uint8Array(given > BigInt(room) ? room + 1 : Number(given));
      const returned = new Uint8Array(4);
      const status = kernel.call('NtQueryObject', object, wanted, bytes, bytes.length, returned);
      const returnLength = handleIn(returned);
      if (!isSuccess(status)) return fail(status, returnLength);
      return { status, objectInformation: read(bytes) as ours.ObjectInformation<C>, returnLength };
    },

    NtSetInformationObject(handle, objectInformationClass, objectInformation) {
      if (ulong(objectInformationClass) !== ObjectHandleFlagInformation) return Status.STATUS_INVALID_INFO_CLASS;
      const fields = fieldsOf(objectInformation, 'Inherit', 'ProtectFromClose');
      if (fields === undefined) return Status.STATUS_ACCESS_VIOLATION;
      const bytes = OBJECT_HANDLE_FLAG_INFORMATION.room();
      bytes.set([fields.Inherit === true ? 1 : 0, fields.ProtectFromClose === true ? 1 : 0]);
      return kernel.call('NtSetInformationObject', kernel.handle(handle), ObjectHandleFlagInformation, bytes, bytes.length);
    },

    NtMakeTemporaryObject: (handle) => kernel.call('NtMakeTemporaryObject', kernel.handle(handle)),
    NtMakePermanentObject: (handle) => kernel.call('NtMakePermanentObject', kernel.handle(handle)),
  };
}
