/**
 * The calls for objects of every type: what an object and a handle are, how long the object stays, and
 * who may do what with it.
 *
 * Source: Microsoft's pages of NtQueryObject, ZwMakeTemporaryObject, ZwQuerySecurityObject and
 * ZwSetSecurityObject; PUBLIC_OBJECT_BASIC_INFORMATION.
 */
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import {
  ACCESS_SYSTEM_SECURITY,
  DELETE,
  holdsPrivilege,
  READ_CONTROL,
  tokenOfThisProcess,
  WRITE_DAC,
  WRITE_OWNER,
} from '../security/index.js';
import { fieldsOf, type Handle, type Size, ulong, ulong64 } from './arguments.js';
import {
  DACL_SECURITY_INFORMATION,
  GROUP_SECURITY_INFORMATION,
  LABEL_SECURITY_INFORMATION,
  OBJ_INHERIT,
  OBJ_PERMANENT,
  OBJ_PROTECT_CLOSE,
  ObjectBasicInformation,
  ObjectHandleFlagInformation,
  ObjectNameInformation,
  ObjectTypeInformation,
  ObjectTypesInformation,
  OWNER_SECURITY_INFORMATION,
  SACL_SECURITY_INFORMATION,
} from './constants.js';
import { setHandleFlags } from './duplicate-calls.js';
import { statusOf } from './failure.js';
import { directoryType, eventType, mutantType, semaphoreType, symbolicLinkType } from './named-types.js';
import { pathOf } from './object-directory.js';
import {
  fileType,
  type ManagedObject,
  type ObjectBody,
  type ObjectType,
  processType,
  sectionType,
  threadType,
} from './object-types.js';
import { anyHandleOf } from './process-handles.js';
import { OtherProcess } from './process-object.js';
import { bytesOf, type Parts, partsOf } from './security-text.js';
import { type Mode, mayUse, type OpenHandle, openHandles } from './tables.js';

/* ------------------------------------------------------------------------------ querying ---- */

/** PUBLIC_OBJECT_BASIC_INFORMATION */
export interface OBJECT_BASIC_INFORMATION {
  /** OBJ_INHERIT and OBJ_PROTECT_CLOSE of the handle, OBJ_PERMANENT of the object. */
  readonly Attributes: number;
  readonly GrantedAccess: number;
  /** Open handles in all processes. */
  readonly HandleCount: number;
  /** The same, in the system process the pointers that its drivers hold, and one for this call. */
  readonly PointerCount: number;
}

/** OBJECT_NAME_INFORMATION */
export interface OBJECT_NAME_INFORMATION {
  /** From the root of the namespace, every character of it; empty for an object without a name. */
  readonly Name: string;
}

export interface GENERIC_MAPPING {
  readonly GenericRead: number;
  readonly GenericWrite: number;
  readonly GenericExecute: number;
  readonly GenericAll: number;
}

/** OBJECT_TYPE_INFORMATION */
export interface OBJECT_TYPE_INFORMATION {
  readonly TypeName: string;
  readonly GenericMapping: GENERIC_MAPPING;
  readonly ValidAccessMask: number;
  /** Objects and handles of the type that this process has. */
  readonly TotalNumberOfObjects: number;
  readonly TotalNumberOfHandles: number;
}

/** OBJECT_HANDLE_FLAG_INFORMATION */
export interface OBJECT_HANDLE_FLAG_INFORMATION {
  readonly Inherit: boolean;
  readonly ProtectFromClose: boolean;
}

interface InformationOfClass {
  readonly [ObjectBasicInformation]: OBJECT_BASIC_INFORMATION;
  readonly [ObjectNameInformation]: OBJECT_NAME_INFORMATION;
  readonly [ObjectTypeInformation]: OBJECT_TYPE_INFORMATION;
  readonly [ObjectTypesInformation]: readonly OBJECT_TYPE_INFORMATION[];
  readonly [ObjectHandleFlagInformation]: OBJECT_HANDLE_FLAG_INFORMATION;
}

/** What each class of information is. */
export type ObjectInformation<C extends number = keyof InformationOfClass> = C extends keyof InformationOfClass
  ? InformationOfClass[C]
  : never;

export interface ObjectQueryResult<C extends number = keyof InformationOfClass> {
  readonly status: NTSTATUS;
  readonly objectInformation: ObjectInformation<C> | null;
  /** Bytes that the information takes on x64, also where the caller's were too few. */
  readonly returnLength: number;
}

/** Every type that a handle can be on, in the order that they are told. */
const allTypes: readonly ObjectType<ObjectBody>[] = [
  directoryType,
  symbolicLinkType,
  processType,
  threadType,
  eventType,
  mutantType,
  semaphoreType,
  sectionType,
  fileType,
].map((type) => type as unknown as ObjectType<ObjectBody>);

const managed = ({ type, body }: OpenHandle): ManagedObject | null => type.objectOf?.(body) ?? null;

/** What makes two handles ones on the same object. */
const identityOf = (entry: OpenHandle): unknown => managed(entry)?.identity ?? entry.body;

/** NtCompareObjects. */
export function compareObjects(mode: Mode, first: Handle, second: Handle): NTSTATUS {
  const [one, other] = [anyHandleOf(mode, first), anyHandleOf(mode, second)];
  if ('status' in one) return one.status;
  if ('status' in other) return other.status;
  // Each opening of a process has a body of its own.
  const sameProcess = one.body instanceof OtherProcess && other.body instanceof OtherProcess && one.body.isSameAs(other.body);
  return sameProcess || identityOf(one) === identityOf(other) ? Status.STATUS_SUCCESS : Status.STATUS_NOT_SAME_OBJECT;
}

let countPointers: (identity: string) => number = () => 0;

/** Hands over the count of the pointers that drivers hold on an object. */
export function setPointerCounter(count: (identity: string) => number): void {
  countPointers = count;
}

const pointersTo = (object: ManagedObject | null): number => (object === null ? 0 : countPointers(object.identity));

function basicInformation(entry: OpenHandle): OBJECT_BASIC_INFORMATION {
  const object = managed(entry);
  const identity = identityOf(entry);
  const ofThisProcess = (): number => Math.max(1, openHandles().filter((each) => identityOf(each) === identity).length);
  const HandleCount = object?.handleCount?.() ?? ofThisProcess();
  const flags = (entry.inherit ? OBJ_INHERIT : 0) | (entry.protectedFromClose ? OBJ_PROTECT_CLOSE : 0);
  const Attributes = flags | (object?.permanent() === true ? OBJ_PERMANENT : 0);
  // The query holds the object, and so does its name.
  const PointerCount = HandleCount + pointersTo(object) + 1 + (object?.name ? 1 : 0);
  return { Attributes, GrantedAccess: entry.granted, HandleCount, PointerCount };
}

function nameInformation(entry: OpenHandle): OBJECT_NAME_INFORMATION {
  const object = managed(entry);
  if (object === null) return { Name: '' };
  return { Name: object.path ?? (object.name === null ? '' : pathOf(object.name)) };
}

function typeInformation({ name, mapping, valid, rights }: ObjectType<ObjectBody>): OBJECT_TYPE_INFORMATION {
  const handles = openHandles().filter(({ type }) => type.name === name);
  return {
    TypeName: name,
    GenericMapping: {
      GenericRead: mapping.read,
      GenericWrite: mapping.write,
      GenericExecute: mapping.execute,
      GenericAll: mapping.all,
    },
    ValidAccessMask: (valid ?? rights) >>> 0,
    TotalNumberOfObjects: new Set(handles.map(identityOf)).size,
    TotalNumberOfHandles: handles.length,
  };
}

/** sizeof(UNICODE_STRING) on x64, and what follows it. */
const STRING_LENGTH = 16;
const textLength = (text: string): number => (text === '' ? 0 : 2 * (text.length + 1));
/** sizeof(OBJECT_TYPE_INFORMATION) on x64. */
const TYPE_LENGTH = 104;
const roundedTypeLength = ({ TypeName }: OBJECT_TYPE_INFORMATION): number =>
  TYPE_LENGTH + Math.ceil(textLength(TypeName) / 8) * 8;

interface InformationClass {
  /** Bytes that every caller must have, and whether more are as wrong as fewer. */
  readonly least: number;
  readonly exact?: boolean;
  /** What is answered to a buffer that has the least and not all. */
  readonly tooShort?: NTSTATUS;
  readonly of: (entry: OpenHandle) => ObjectInformation;
  readonly length: (information: ObjectInformation) => number;
}

const row = <I extends ObjectInformation>(given: {
  readonly least: number;
  readonly exact?: boolean;
  readonly tooShort?: NTSTATUS;
  readonly of: (entry: OpenHandle) => I;
  readonly length: (information: I) => number;
}): InformationClass => given as unknown as InformationClass;

const BASIC_LENGTH = 56;
const FLAGS_LENGTH = 2;

const informationClasses: ReadonlyMap<number | undefined, InformationClass> = new Map([
  [ObjectBasicInformation, row({ least: BASIC_LENGTH, exact: true, of: basicInformation, length: () => BASIC_LENGTH })],
  [
    ObjectNameInformation,
    row({
      least: STRING_LENGTH,
      tooShort: Status.STATUS_BUFFER_OVERFLOW,
      of: nameInformation,
      length: ({ Name }) => STRING_LENGTH + textLength(Name),
    }),
  ],
  [ObjectTypeInformation, row({ least: TYPE_LENGTH, of: ({ type }) => typeInformation(type), length: roundedTypeLength })],
  [
    ObjectTypesInformation,
    row({
      least: 0,
      of: () => allTypes.map(typeInformation),
      length: (types) => types.reduce((sum, each) => sum + roundedTypeLength(each), 8),
    }),
  ],
  [
    ObjectHandleFlagInformation,
    row({
      least: FLAGS_LENGTH,
      exact: true,
      of: ({ inherit, protectedFromClose }) => ({ Inherit: inherit, ProtectFromClose: protectedFromClose }),
      length: () => FLAGS_LENGTH,
    }),
  ],
]);

/** ZwQueryObject and NtQueryObject. */
export function queryObject<C extends number>(
  mode: Mode,
  handle: Handle | null,
  objectInformationClass: C,
  length?: Size,
): ObjectQueryResult<C> {
  const fail = (status: NTSTATUS, returnLength = 0): ObjectQueryResult<C> => ({ status, objectInformation: null, returnLength });
  const asked = ulong(objectInformationClass);
  // The list of types is about no object.
  const found = asked === ObjectTypesInformation ? null : anyHandleOf(mode, handle);
  if (found !== null && 'status' in found) return fail(found.status);
  const information = informationClasses.get(asked);
  if (information === undefined) return fail(Status.STATUS_INVALID_INFO_CLASS);
  try {
    const objectInformation = information.of(found as OpenHandle);
    const returnLength = information.length(objectInformation);
    const status = length === undefined ? Status.STATUS_SUCCESS : lengthStatus(information, ulong64(length) ?? 0n, returnLength);
    if (!isSuccess(status)) return fail(status, returnLength);
    return { status, objectInformation: objectInformation as ObjectInformation<C>, returnLength };
  } catch (error) {
    return fail(statusOf(error));
  }
}

function lengthStatus({ least, exact = false, tooShort }: InformationClass, given: bigint, needed: number): NTSTATUS {
  const fits = exact ? given === BigInt(needed) : given >= BigInt(needed);
  if (fits) return Status.STATUS_SUCCESS;
  return given >= BigInt(least) && tooShort !== undefined ? tooShort : Status.STATUS_INFO_LENGTH_MISMATCH;
}

/* --------------------------------------------------------------------- handles, lifetime ---- */

/** ZwSetInformationObject and NtSetInformationObject. */
export function setInformationObject(
  mode: Mode,
  handle: Handle,
  objectInformationClass: number,
  objectInformation: Partial<OBJECT_HANDLE_FLAG_INFORMATION>,
): NTSTATUS {
  if (ulong(objectInformationClass) !== ObjectHandleFlagInformation) return Status.STATUS_INVALID_INFO_CLASS;
  const fields = fieldsOf(objectInformation, 'Inherit', 'ProtectFromClose');
  if (fields === undefined) return Status.STATUS_ACCESS_VIOLATION;
  return setHandleFlags(mode, handle, { inherit: fields.Inherit === true, protectedFromClose: fields.ProtectFromClose === true });
}

/** Does something with the object behind a handle, of types that have any; the others keep as they are. */
function withObject(mode: Mode, handle: Handle, rights: number, act: (object: ManagedObject) => void): NTSTATUS {
  const found = anyHandleOf(mode, handle);
  if ('status' in found) return found.status;
  if (!mayUse(mode, found, rights)) return Status.STATUS_ACCESS_DENIED;
  const object = managed(found);
  try {
    if (object !== null) act(object);
    return Status.STATUS_SUCCESS;
  } catch (error) {
    return statusOf(error);
  }
}

/** ZwMakeTemporaryObject and NtMakeTemporaryObject. */
export function makeTemporaryObject(mode: Mode, handle: Handle): NTSTATUS {
  return withObject(mode, handle, DELETE, (object) => {
    if (object.permanent()) object.setPermanent(false);
  });
}

/** ZwMakePermanentObject and NtMakePermanentObject. */
export function makePermanentObject(mode: Mode, handle: Handle): NTSTATUS {
  if (mode === 'user' && !holdsPrivilege(tokenOfThisProcess(), 'SeCreatePermanentPrivilege')) {
    return Status.STATUS_PRIVILEGE_NOT_HELD;
  }
  return withObject(mode, handle, 0, (object) => object.setPermanent(true));
}

/* ------------------------------------------------------------------------------ security ---- */

export interface SecurityQueryResult {
  readonly status: NTSTATUS;
  /** SDDL, of the parts that were asked for. */
  readonly securityDescriptor: string | null;
  /** Bytes of the descriptor in its self-relative form. */
  readonly lengthNeeded: number;
}

/** The rights that each part of a descriptor takes. */
const partRights: readonly (readonly [part: number, read: number, write: number])[] = [
  [OWNER_SECURITY_INFORMATION, READ_CONTROL, WRITE_OWNER],
  [GROUP_SECURITY_INFORMATION, READ_CONTROL, WRITE_OWNER],
  [DACL_SECURITY_INFORMATION, READ_CONTROL, WRITE_DAC],
  [SACL_SECURITY_INFORMATION, ACCESS_SYSTEM_SECURITY, ACCESS_SYSTEM_SECURITY],
  [LABEL_SECURITY_INFORMATION, READ_CONTROL, WRITE_OWNER],
];

function rightsFor(parts: number, which: 'read' | 'write'): number {
  return partRights.reduce(
    (rights, [part, read, write]) => ((parts & part) === 0 ? rights : rights | (which === 'read' ? read : write)),
    0,
  );
}

const wanted = (parts: number): Parts => ({
  owner: (parts & OWNER_SECURITY_INFORMATION) !== 0,
  group: (parts & GROUP_SECURITY_INFORMATION) !== 0,
  dacl: (parts & DACL_SECURITY_INFORMATION) !== 0,
});

/** ZwQuerySecurityObject and NtQuerySecurityObject. */
export function querySecurityObject(mode: Mode, handle: Handle, securityInformation: number, length?: Size): SecurityQueryResult {
  const fail = (status: NTSTATUS, lengthNeeded = 0): SecurityQueryResult => ({ status, securityDescriptor: null, lengthNeeded });
  const parts = ulong(securityInformation);
  if (parts === undefined) return fail(Status.STATUS_INVALID_PARAMETER);
  let text: string | null = null;
  const status = withObject(mode, handle, rightsFor(parts, 'read'), (object) => {
    text = partsOf(object.security(), wanted(parts));
  });
  if (!isSuccess(status)) return fail(status);
  // A type without security of its own has none to tell.
  if (text === null) return fail(Status.STATUS_NOT_SUPPORTED);
  const lengthNeeded = bytesOf(text);
  if (length !== undefined && (ulong64(length) ?? 0n) < BigInt(lengthNeeded)) {
    return fail(Status.STATUS_BUFFER_TOO_SMALL, lengthNeeded);
  }
  return { status, securityDescriptor: text, lengthNeeded };
}

/** Parts that are asked for must be in the text; an audit list or a label is kept for nobody. */
function missingPart(parts: number, sddl: string): NTSTATUS {
  if ((parts & (SACL_SECURITY_INFORMATION | LABEL_SECURITY_INFORMATION)) !== 0) return Status.STATUS_NOT_SUPPORTED;
  const { owner, group, dacl } = wanted(parts);
  const has = (part: Partial<Parts>): boolean => partsOf(sddl, { owner: false, group: false, dacl: false, ...part }) !== '';
  if (owner && !has({ owner })) return Status.STATUS_INVALID_OWNER;
  if (group && !has({ group })) return Status.STATUS_INVALID_PRIMARY_GROUP;
  return dacl && !has({ dacl }) ? Status.STATUS_INVALID_ACL : Status.STATUS_SUCCESS;
}

/** ZwSetSecurityObject and NtSetSecurityObject. */
export function setSecurityObject(mode: Mode, handle: Handle, securityInformation: number, securityDescriptor: string): NTSTATUS {
  const parts = ulong(securityInformation);
  if (parts === undefined) return Status.STATUS_INVALID_PARAMETER;
  if (securityDescriptor === null || securityDescriptor === undefined) return Status.STATUS_ACCESS_VIOLATION;
  if (typeof securityDescriptor !== 'string') return Status.STATUS_INVALID_SECURITY_DESCR;
  let status: NTSTATUS = Status.STATUS_SUCCESS;
  const done = withObject(mode, handle, rightsFor(parts, 'write'), (object) => {
    status = missingPart(parts, securityDescriptor);
    const text = partsOf(securityDescriptor, wanted(parts));
    if (isSuccess(status) && text !== '') object.setSecurity(text);
  });
  return isSuccess(done) ? status : done;
}
