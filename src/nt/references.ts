/**
 * References: objects that a driver holds by a pointer. One pointer per driver and object, counted; the
 * object lives until the count is 0, whatever becomes of its handles. What a driver forgets is dropped when
 * it is unloaded.
 */
import { type NTSTATUS, Status } from '../base/status.js';
import { mapGeneric } from '../security/index.js';
import { kernelMode } from '../system/kernel.js';
import { type Referable, ReferencedObject } from '../system/referenced-object.js';
import { type Handle, handleValue, ulong } from './arguments.js';
import { OBJ_INHERIT, OBJ_KERNEL_HANDLE } from './constants.js';
import { eventType, mutantType, semaphoreType } from './named-types.js';
import { type NamedType, type ObjectBody, type ObjectType, sectionType } from './object-types.js';
import { addHandle, handleOf, holdBody, type Mode, mayUse, type OpenHandle, releaseBody } from './tables.js';

const kernel = kernelMode('refer to an object');

/** A pointer to an object, as drivers hold it. Nothing in it is for them but its type's name. */
export interface ObjectPointer {
  readonly Type: string;
}

interface Reference {
  readonly pointer: ObjectPointer;
  readonly type: ObjectType<ObjectBody>;
  readonly body: ObjectBody;
  /** As messages name it. */
  readonly object: string;
  readonly key: string | ObjectBody;
  readonly owner: object | null;
  readonly release: () => void;
  forget: () => void;
  count: number;
}

const byPointer = new WeakMap<object, Reference>();
/** Of each driver: by what they are on. */
const byOwner = new Map<object | null, Map<string | ObjectBody, Reference>>();

export interface ReferenceResult {
  readonly status: NTSTATUS;
  readonly object: ObjectPointer | null;
}

const refuse = (status: NTSTATUS): ReferenceResult => ({ status, object: null });

/** Kinds that can be had from an application, by their types. */
const kinds: readonly NamedType<ObjectBody>[] = [sectionType, eventType, mutantType, semaphoreType] as never;

interface Found {
  readonly type: ObjectType<ObjectBody>;
  readonly object: string;
  /** What to share; null where the handles of the type share one body. */
  readonly referable: Referable | null;
  readonly body: ObjectBody | null;
}

const isReferable = (object: object): object is Referable => 'memory' in object;

/** What a handle of the system process itself is on. */
function ownHandle(mode: Mode, handle: Handle, rights: number): (Found & { readonly entry: OpenHandle }) | NTSTATUS {
  const entry = handleOf(mode, handle);
  if ('status' in entry) return entry.status;
  const { type, body, object } = entry;
  if (!mayUse(mode, entry, mapGeneric(rights, type.mapping))) return Status.STATUS_ACCESS_DENIED;
  const managed = type.objectOf?.(body) ?? null;
  const referable = managed !== null && isReferable(managed) ? managed : null;
  return { type, object, referable, body, entry };
}

/** What a handle of the application is on for which a dispatch routine runs. */
function requestorsHandle(handle: Handle, rights: number): Found | NTSTATUS {
  const found = kernel.requestorsHandle(handle);
  const type = kinds.find(({ kind }) => kind === found?.object.kind);
  if (found === null || type === undefined) return Status.STATUS_INVALID_HANDLE;
  const wanted = mapGeneric(rights, type.mapping);
  if ((found.granted & wanted) !== wanted) return Status.STATUS_ACCESS_DENIED;
  return { type, object: `"${found.object.name.full}"`, referable: found.object, body: null };
}

/** ObReferenceObjectByHandle. */
export function referenceByHandle(mode: Mode, value: unknown, desiredAccess: unknown, typeName: string | null): ReferenceResult {
  const [handle, rights] = [handleValue(value), ulong(desiredAccess)];
  if (rights === undefined) return refuse(Status.STATUS_INVALID_PARAMETER);
  const found = mode === 'user' && kernel.isInDispatch() ? requestorsHandle(handle, rights) : ownHandle(mode, handle, rights);
  if (typeof found === 'number') return refuse(found);
  if (typeName !== null && found.type.name !== typeName) return refuse(Status.STATUS_OBJECT_TYPE_MISMATCH);
  return { status: Status.STATUS_SUCCESS, object: referTo(found).pointer };
}

function referTo({ type, object, referable, body }: Found): Reference {
  const owner = kernel.currentDriver();
  // A handle on memory that can only be read gives no pointer to memory that can be written.
  const key = referable === null ? (body as ObjectBody) : `${referable.identity} ${referable.memory.writable}`;
  const references = byOwner.get(owner) ?? new Map<string | ObjectBody, Reference>();
  byOwner.set(owner, references);
  const known = references.get(key);
  if (known !== undefined) {
    known.count++;
    return known;
  }
  const own = referable === null ? null : (type as NamedType<ObjectBody>).bodyOf(new ReferencedObject(referable, 0));
  const kept = own ?? (body as ObjectBody);
  if (own === null) holdBody(kept);
  const reference: Reference = {
    pointer: Object.freeze({ Type: type.name }),
    type,
    body: kept,
    object,
    key,
    owner,
    release: () => (own === null ? releaseBody(kept) : kept.close()),
    forget: () => {},
    count: 1,
  };
  references.set(key, reference);
  byPointer.set(reference.pointer, reference);
  reference.forget = owner?.onUnload('reference', () => drop(reference)) ?? (() => {});
  return reference;
}

function drop(reference: Reference): void {
  const { owner, key, pointer } = reference;
  const references = byOwner.get(owner);
  references?.delete(key);
  if (references?.size === 0) byOwner.delete(owner);
  byPointer.delete(pointer);
  reference.forget();
  reference.release();
}

/** What a pointer is on, while anybody holds it. */
export function referenceOf(pointer: unknown): Reference | undefined {
  return typeof pointer === 'object' && pointer !== null ? byPointer.get(pointer) : undefined;
}

/** ObReferenceObject: false for what is no pointer. */
export function reference(pointer: unknown): boolean {
  const found = referenceOf(pointer);
  if (found !== undefined) found.count++;
  return found !== undefined;
}

/** ObDereferenceObject: false for what is no pointer, or none any more. */
export function dereference(pointer: unknown): boolean {
  const found = referenceOf(pointer);
  if (found === undefined) return false;
  if (--found.count === 0) drop(found);
  return true;
}

/** How many pointers drivers hold on what a handle is on. */
export function pointerCount(identity: string): number {
  let count = 0;
  for (const references of byOwner.values())
    for (const { key, count: held } of references.values())
      if (typeof key === 'string' && key.startsWith(`${identity} `)) count += held;
  return count;
}

/** ObOpenObjectByPointer: a handle on what a pointer is on. */
export function openByPointer(
  pointer: unknown,
  handleAttributes: unknown,
  desiredAccess: unknown,
  typeName: string | null,
): { readonly status: NTSTATUS; readonly handle: Handle } {
  const fail = (status: NTSTATUS) => ({ status, handle: 0 });
  const found = referenceOf(pointer);
  const [flags, rights] = [ulong(handleAttributes), ulong(desiredAccess)];
  if (found === undefined || flags === undefined || rights === undefined) return fail(Status.STATUS_INVALID_PARAMETER);
  const { type, body, object } = found;
  if (typeName !== null && type.name !== typeName) return fail(Status.STATUS_OBJECT_TYPE_MISMATCH);
  const granted = (mapGeneric(rights, type.mapping) & type.rights) >>> 0;
  const handle = addHandle((flags & OBJ_KERNEL_HANDLE) !== 0, {
    type,
    body: type.duplicate?.(body, granted) ?? body,
    object,
    granted,
    checked: false,
    inherit: (flags & OBJ_INHERIT) !== 0,
  });
  return handle === null ? fail(Status.STATUS_INSUFFICIENT_RESOURCES) : { status: Status.STATUS_SUCCESS, handle };
}
