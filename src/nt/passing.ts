/**
 * Handles on their way to another process, by type: how what stands behind one is packed, and made again
 * at the other end. A type without a row here stays in its process.
 */
import { SectionError } from '../base/error.js';
import { type NTSTATUS, Status } from '../base/status.js';
import { FileObject } from '../files/file-object.js';
import type { Parcel } from '../memory/parcel.js';
import { type Descriptor, os } from '../os/index.js';
import { FILE_APPEND_DATA, FILE_WRITE_DATA } from '../security/index.js';
import { unpackObject } from '../system/parcels.js';
import { directoryType, eventType, mutantType, semaphoreType, symbolicLinkType } from './named-types.js';
import {
  fileType,
  isHandle,
  type NamedType,
  type ObjectBody,
  type ObjectType,
  type ProcessBody,
  processType,
  sectionType,
} from './object-types.js';
import { thisProcess } from './process-handles.js';
import { OtherProcess } from './process-object.js';

interface Passing<B extends ObjectBody = ObjectBody> {
  readonly type: ObjectType<B>;
  /** A hold on the same object, with rights that the caller has checked. Throws a SectionError when it cannot. */
  pack(body: B, granted: number): Parcel;
  /** What a parcel held. Takes its descriptors over, on failure too; throws for what is no such parcel. */
  unpack(facts: unknown, descriptors: readonly Descriptor[], granted: number): B;
}

function packProcess(body: ProcessBody): Parcel {
  const descriptor =
    body instanceof OtherProcess ? os.descriptorFromNumber(os.descriptorNumber(body.descriptor)) : os.processOpen(body.pid);
  return { facts: { pid: body.pid }, descriptors: [descriptor], close: () => os.descriptorClose(descriptor) };
}

function unpackProcess(facts: unknown, [descriptor, ...others]: readonly Descriptor[]): ProcessBody {
  for (const each of others) os.descriptorClose(each);
  const pid = (facts as { readonly pid?: unknown } | null)?.pid;
  if (descriptor === undefined) throw new TypeError('no process');
  if (typeof pid !== 'number' || !OtherProcess.isMeantBy(pid, descriptor)) {
    os.descriptorClose(descriptor);
    throw new TypeError('no process, or another one');
  }
  if (pid !== process.pid) return OtherProcess.adopt(pid, descriptor);
  os.descriptorClose(descriptor);
  return thisProcess;
}

const row = <B extends ObjectBody>(each: Passing<B>): Passing => each as unknown as Passing;

/** A kind of the namespace: what travels is the handle on the object that it is about. */
function namedRow<B extends ObjectBody>(type: NamedType<B>): Passing {
  return row({
    type,
    pack: (body, granted) => {
      const object = type.objectOf(body);
      if (isHandle(object)) return object.pack(granted);
      throw new SectionError('ERR_SECTION_ACCESS_DENIED', {
        operation: 'hand an object on',
        object: object.path ?? type.name,
        rule: 'it is there in every process without being handed on',
        status: Status.STATUS_NOT_SUPPORTED,
      });
    },
    unpack: (facts, descriptors) => type.bodyOf(unpackObject(facts, descriptors)),
  });
}

const rows: readonly Passing[] = [
  namedRow(sectionType),
  namedRow(eventType),
  namedRow(mutantType),
  namedRow(semaphoreType),
  namedRow(directoryType),
  namedRow(symbolicLinkType),
  row({
    type: fileType,
    pack: (body, granted) => body.pack((granted & (FILE_WRITE_DATA | FILE_APPEND_DATA)) !== 0),
    unpack: (facts, descriptors) => FileObject.unpack(facts, descriptors),
  }),
  row({ type: processType, pack: packProcess, unpack: unpackProcess }),
];

const byName = new Map(rows.map((each) => [each.type.name, each]));

/**
 * Packs what stands behind a handle.
 *
 * @returns the parcel, or STATUS_NOT_SUPPORTED for a type that stays in its process
 */
export function pack(type: ObjectType<ObjectBody>, body: ObjectBody, granted: number): Parcel | { readonly status: NTSTATUS } {
  const found = byName.get(type.name);
  // By name, a device's file is a file as well; it stays in its process.
  return found?.type === type ? found.pack(body, granted) : { status: Status.STATUS_NOT_SUPPORTED };
}

/** What arrived. */
export interface Arrived {
  readonly type: ObjectType<ObjectBody>;
  readonly body: ObjectBody;
}

/**
 * Makes what stands behind a handle of what another process has packed; takes over the descriptors.
 *
 * @throws SectionError, or a TypeError for what is no parcel
 */
export function unpack(typeName: unknown, facts: unknown, descriptors: readonly Descriptor[], granted: number): Arrived {
  const found = typeof typeName === 'string' ? byName.get(typeName) : undefined;
  if (found === undefined) {
    for (const each of descriptors) os.descriptorClose(each);
    throw new TypeError('no type');
  }
  return { type: found.type, body: found.unpack(facts, descriptors, granted) };
}
