/**
 * The calls that open files: which one is meant, what may be asked, and the handle. The faces differ in
 * the mode that they call in and in the names they give these functions.
 */
import { type NTSTATUS, Status } from '../base/status.js';
import { FILE_OPEN, isDisposition, type Opened, openFileObject } from '../files/open-file.js';
import {
  ACCESS_SYSTEM_SECURITY,
  DELETE,
  FILE_ALL_ACCESS,
  FILE_APPEND_DATA,
  FILE_GENERIC_EXECUTE,
  FILE_GENERIC_READ,
  fileMapping,
  MAXIMUM_ALLOWED,
  mapGeneric,
  SYNCHRONIZE,
} from '../security/index.js';
import { type Handle, handleValue, type Size, ulong, ulong64OrNull } from './arguments.js';
import {
  FILE_ATTRIBUTE_READONLY,
  FILE_DELETE_ON_CLOSE,
  FILE_DIRECTORY_FILE,
  FILE_NO_INTERMEDIATE_BUFFERING,
  FILE_NON_DIRECTORY_FILE,
  FILE_OPEN_REPARSE_POINT,
  FILE_SHARE_DELETE,
  FILE_SHARE_READ,
  FILE_SHARE_WRITE,
  FILE_SYNCHRONOUS_IO_ALERT,
  FILE_SYNCHRONOUS_IO_NONALERT,
  OBJ_FORCE_ACCESS_CHECK,
  OBJ_INHERIT,
  OBJ_KERNEL_HANDLE,
  OBJ_PROTECT_CLOSE,
} from './constants.js';
import { type Captured, capture, nameOf, type ObjectAttributes, textOf } from './object-attributes.js';
import { rootOf } from './object-opening.js';
import { fileType } from './object-types.js';
import { firstBroken, type Rule } from './rules.js';
import { addHandle, handleOf, type Mode, objectOf } from './tables.js';

/** IO_STATUS_BLOCK */
export interface IO_STATUS_BLOCK {
  readonly Status: NTSTATUS;
  readonly Information: number;
}

/** What opening gives back; the handle is 0 on failure. Information is FILE_OPENED, FILE_CREATED, … */
export interface FileResult {
  readonly status: NTSTATUS;
  readonly fileHandle: Handle;
  readonly ioStatus: IO_STATUS_BLOCK;
}

export function fileResult(status: NTSTATUS, information = 0, fileHandle: Handle = 0): FileResult {
  return { status, fileHandle, ioStatus: { Status: status, Information: information } };
}

/** Parameters of ZwCreateFile. Undefined stands for what is no number of the right kind. */
interface CreateFileRequest {
  /** Generic rights mapped. */
  readonly access: number | undefined;
  readonly allocationSize: bigint | undefined;
  readonly fileAttributes: number | undefined;
  readonly share: number | undefined;
  readonly disposition: number | undefined;
  readonly options: number | undefined;
}

const SHARE_KNOWN = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
const OPTIONS_KNOWN = 0x00ff_ffff;
const SYNCHRONOUS = FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT;
const KIND = FILE_DIRECTORY_FILE | FILE_NON_DIRECTORY_FILE;
const has = (value: number | undefined, bits: number): boolean => ((value ?? 0) & bits) !== 0;
const hasAll = (value: number | undefined, bits: number): boolean => ((value ?? 0) & bits) === bits;

/** ZwCreateFile, before the name is looked at. Source: Microsoft's page NtCreateFile. */
const createFileRules: readonly Rule<CreateFileRequest>[] = [
  [({ access }) => access === undefined, Status.STATUS_INVALID_PARAMETER],
  [({ allocationSize, fileAttributes }) => (allocationSize ?? fileAttributes) === undefined, Status.STATUS_INVALID_PARAMETER],
  [({ share }) => share === undefined || has(share, ~SHARE_KNOWN), Status.STATUS_INVALID_PARAMETER],
  [({ disposition }) => disposition === undefined || !isDisposition(disposition), Status.STATUS_INVALID_PARAMETER],
  [({ options }) => options === undefined || has(options, ~OPTIONS_KNOWN), Status.STATUS_INVALID_PARAMETER],
  [({ options }) => hasAll(options, SYNCHRONOUS) || hasAll(options, KIND), Status.STATUS_INVALID_PARAMETER],
  [
    ({ options, access }) => has(options, SYNCHRONOUS) && !has(access, SYNCHRONIZE | MAXIMUM_ALLOWED),
    Status.STATUS_INVALID_PARAMETER,
  ],
  [
    ({ options, access }) => has(options, FILE_DELETE_ON_CLOSE) && !has(access, DELETE | MAXIMUM_ALLOWED),
    Status.STATUS_INVALID_PARAMETER,
  ],
  [
    ({ options, access }) =>
      has(options, FILE_NO_INTERMEDIATE_BUFFERING) && has(access, FILE_APPEND_DATA) && access !== FILE_ALL_ACCESS,
    Status.STATUS_INVALID_PARAMETER,
  ],
];

/** Opens what a path into the I/O system names that is no file of the host. */
export type DeviceOpener = (
  mode: Mode,
  device: string,
  rest: string,
  request: { readonly access: number; readonly share: number; readonly attributes: number },
) => FileResult;

let openDevice: DeviceOpener = () => fileResult(Status.STATUS_OBJECT_NAME_NOT_FOUND);

/** Hands over the opening of devices. */
export function setDeviceOpener(opener: DeviceOpener): void {
  openDevice = opener;
}

type Target = { readonly path: string } | { readonly device: string; readonly rest: string } | { readonly status: NTSTATUS };

/** Where a path leads that is relative to an open directory of the host. */
function relativePath(mode: Mode, root: Handle, given: unknown): Target {
  const directory = objectOf(mode, root, fileType);
  if ('status' in directory) return directory;
  const name = textOf(given) ?? '';
  if (typeof name !== 'string') return name;
  if (directory.body.facts.kind !== 'directory') return { status: Status.STATUS_NOT_A_DIRECTORY };
  if (name.startsWith('\\') || name.startsWith('/')) return { status: Status.STATUS_OBJECT_PATH_SYNTAX_BAD };
  return { path: `${directory.body.path}/${name.replaceAll('\\', '/')}` };
}

/** What the attributes name. */
function targetOf(mode: Mode, captured: Captured): Target {
  const { RootDirectory: root, ObjectName: name } = captured.given;
  if (typeof root === 'number' && root !== 0) {
    const found = handleOf(mode, root);
    if (!('status' in found) && found.type.name === fileType.name) return relativePath(mode, root, name);
  }
  const found = nameOf(captured, 'open', (handle) => rootOf(mode, handle));
  if (found === null) return { status: Status.STATUS_OBJECT_PATH_SYNTAX_BAD };
  if ('status' in found || 'device' in found) return found;
  return 'file' in found ? { path: found.file } : { status: Status.STATUS_OBJECT_TYPE_MISMATCH };
}

/** How a caller wants its handle, beside its rights. */
interface HandleWish {
  readonly attributes: number;
}

/** ZwCreateFile and NtCreateFile. */
export function createFile(
  mode: Mode,
  desiredAccess: number,
  objectAttributes: ObjectAttributes,
  allocationSize: Size | null,
  fileAttributes: number,
  shareAccess: number,
  createDisposition: number,
  createOptions: number,
): FileResult {
  const desired = ulong(desiredAccess);
  const request: CreateFileRequest = {
    access: desired === undefined ? undefined : mapGeneric(desired, fileMapping),
    allocationSize: ulong64OrNull(allocationSize),
    fileAttributes: ulong(fileAttributes),
    share: ulong(shareAccess),
    disposition: ulong(createDisposition),
    options: ulong(createOptions),
  };
  const broken = firstBroken(createFileRules, request);
  if (broken !== Status.STATUS_SUCCESS) return fileResult(broken);
  const captured = capture(objectAttributes);
  if ('status' in captured) return fileResult(captured.status);
  const target = targetOf(mode, captured);
  if ('status' in target) return fileResult(target.status);
  const { attributes } = captured;
  if ('path' in target) return openPath(mode, target.path, request as KnownRequest, { attributes });
  const { access = 0, share = 0 } = request;
  return openDevice(mode, target.device, target.rest, { access, share, attributes });
}

type KnownRequest = { readonly [K in keyof CreateFileRequest]-?: Exclude<CreateFileRequest[K], undefined> };

/** As {@link createFile}, with a path of the host instead of attributes that name it: for Win32, in user mode. */
export function createFileAt(
  path: string,
  given: {
    readonly access: number;
    readonly fileAttributes: number;
    readonly share: number;
    readonly disposition: number;
    readonly options: number;
    readonly inherit?: boolean;
  },
): FileResult {
  const request: KnownRequest = { ...given, access: mapGeneric(given.access, fileMapping), allocationSize: 0n };
  const broken = firstBroken(createFileRules, request);
  if (broken !== Status.STATUS_SUCCESS) return fileResult(broken);
  return openPath('user', path, request, { attributes: given.inherit === true ? OBJ_INHERIT : 0 });
}

/** ZwOpenFile and NtOpenFile. */
export function openFile(
  mode: Mode,
  desiredAccess: number,
  objectAttributes: ObjectAttributes,
  shareAccess: number,
  openOptions: number,
): FileResult {
  return createFile(mode, desiredAccess, objectAttributes, null, 0, shareAccess, FILE_OPEN, openOptions);
}

/** What MAXIMUM_ALLOWED may turn out to be: the most that the system lets this user have. */
const mostRights: readonly number[] = [FILE_ALL_ACCESS, FILE_GENERIC_READ | FILE_GENERIC_EXECUTE | DELETE];

/** What the system answers when that is too much. */
const tooMuch: readonly NTSTATUS[] = [Status.STATUS_ACCESS_DENIED, Status.STATUS_MEDIA_WRITE_PROTECTED];

function openPath(mode: Mode, path: string, request: KnownRequest, { attributes }: HandleWish): FileResult {
  const { access, share, disposition, options, fileAttributes } = request;
  if (path === '' || path.includes('\0')) return fileResult(Status.STATUS_OBJECT_NAME_INVALID);
  const checked = mode === 'user' || has(attributes, OBJ_FORCE_ACCESS_CHECK);
  if (checked && has(access, ACCESS_SYSTEM_SECURITY)) return fileResult(Status.STATUS_PRIVILEGE_NOT_HELD);
  const wishes = has(access, MAXIMUM_ALLOWED) ? mostRights.map((rights) => (access & ~MAXIMUM_ALLOWED) | rights) : [access];
  let opened: Opened = { status: Status.STATUS_ACCESS_DENIED, information: 0 };
  let granted = 0;
  for (granted of wishes) {
    opened = openFileObject({
      operation: 'ZwCreateFile',
      path,
      access: granted,
      share,
      disposition,
      wants: has(options, FILE_DIRECTORY_FILE) ? 'directory' : has(options, FILE_NON_DIRECTORY_FILE) ? 'file' : undefined,
      deletesOnClose: has(options, FILE_DELETE_ON_CLOSE),
      synchronous: has(options, SYNCHRONOUS),
      openLink: has(options, FILE_OPEN_REPARSE_POINT),
      readOnly: has(fileAttributes, FILE_ATTRIBUTE_READONLY),
    });
    if (!('status' in opened) || !tooMuch.includes(opened.status)) break;
  }
  if ('status' in opened) return fileResult(opened.status, opened.information);
  const handle = addHandle(mode === 'kernel' && has(attributes, OBJ_KERNEL_HANDLE), {
    type: fileType,
    body: opened.file,
    object: opened.file.description,
    granted: (granted & fileType.rights) >>> 0,
    checked,
    inherit: has(attributes, OBJ_INHERIT),
    protectedFromClose: has(attributes, OBJ_PROTECT_CLOSE),
  });
  if (handle === null) return fileResult(Status.STATUS_INSUFFICIENT_RESOURCES);
  return fileResult(Status.STATUS_SUCCESS, opened.information, handleValue(handle));
}
