/**
 * Sections over open files: what a file handle is asked before a section is made of it, and the memory
 * that the section then has. The order is NT's own (nt-semantics 1.2, rows 6 to 12).
 */
import { MAXIMUM_SECTION_SIZE } from '../base/checks.js';
import { type NTSTATUS, Status } from '../base/status.js';
import { attempt } from '../files/errors.js';
import type { FileObject } from '../files/file-object.js';
import { keepFile } from '../memory/file-keeper.js';
import { growFile } from '../memory/grow-file.js';
import { MemoryObject } from '../memory/memory-object.js';
import { type Descriptor, os } from '../os/index.js';
import type { Handle } from './arguments.js';
import { SEC_BASED, SEC_FILE, SEC_IMAGE, SEC_NOCACHE, SEC_WRITECOMBINE } from './constants.js';
import { fileType } from './object-types.js';
import { fileRightsFor, isWritable } from './protection.js';
import { firstBroken, type Rule } from './rules.js';
import { isOtherFile, type Mode, mayUse, type OpenHandle, objectOf } from './tables.js';

/** What of a call's parameters concerns the file. */
export interface FileSectionRequest {
  /** SEC_… */
  readonly attributes: number;
  /** PAGE_… */
  readonly protection: number;
  /** Bytes; 0 for the file's length. */
  readonly size: bigint;
}

/** What a section over the file is to be made of. */
export interface FileBacking {
  readonly size: number;
  readonly reserve: false;
  readonly largePages: false;
  readonly soleWriter: false;
  readonly pageProtection: number;
  readonly attributes: number;
  readonly over: () => MemoryObject;
}

interface Judged extends FileSectionRequest {
  readonly mode: Mode;
  readonly file: OpenHandle<FileObject>;
  readonly length: number;
}

const wantsImage = ({ attributes }: Judged): boolean => (attributes & SEC_IMAGE) !== 0;

/* The headers of an executable image: Microsoft's page "PE Format". */
const MZ = 0x5a4d;
const DOS_HEADER = 64;
const AT_PE_OFFSET = 60;
const PE_SIGNATURE = 0x0000_4550;

/** What is wrong with a file as an image. Images are recognized, not loaded: STATUS_NOT_SUPPORTED for a good one. */
function imageStatus({ file, length }: Judged): NTSTATUS {
  if (length === 0) return Status.STATUS_INVALID_FILE_FOR_SECTION;
  const header = Buffer.alloc(DOS_HEADER);
  const signature = Buffer.alloc(4);
  const failure = attempt(() => {
    const descriptor = file.body.descriptorFor(true, false);
    os.descriptorRead(descriptor, header, 0);
    os.descriptorRead(descriptor, signature, header.readUInt32LE(AT_PE_OFFSET));
  });
  if (failure !== Status.STATUS_SUCCESS) return failure;
  if (header.readUInt16LE(0) !== MZ) return Status.STATUS_INVALID_IMAGE_NOT_MZ;
  return signature.readUInt32LE(0) === PE_SIGNATURE ? Status.STATUS_NOT_SUPPORTED : Status.STATUS_INVALID_IMAGE_FORMAT;
}

/** The rules that have one status each. */
const accessRules: readonly Rule<Judged>[] = [
  [({ mode, file, protection }) => !mayUse(mode, file, fileRightsFor(protection)), Status.STATUS_ACCESS_DENIED],
  [({ file }) => file.body.facts.kind !== 'file', Status.STATUS_INVALID_FILE_FOR_SECTION],
];

const dataRules: readonly Rule<Judged>[] = [
  [({ length, size }) => length === 0 && size === 0n, Status.STATUS_MAPPED_FILE_SIZE_ZERO],
  [({ length }) => length > MAXIMUM_SECTION_SIZE, Status.STATUS_SECTION_TOO_BIG],
  [({ length, size, protection }) => size > BigInt(length) && !isWritable(protection), Status.STATUS_SECTION_TOO_BIG],
  [({ file, protection }) => file.body.locksForbidSections(isWritable(protection)), Status.STATUS_FILE_LOCK_CONFLICT],
];

/**
 * What a section over a file would be made of; nothing is changed yet, the file is grown by `over`.
 *
 * @returns it, or the first of STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH, STATUS_ACCESS_DENIED (the
 * handle's rights), STATUS_INVALID_FILE_FOR_SECTION, STATUS_INVALID_IMAGE_NOT_MZ,
 * STATUS_INVALID_IMAGE_FORMAT, STATUS_NOT_SUPPORTED (a good image), STATUS_MAPPED_FILE_SIZE_ZERO,
 * STATUS_SECTION_TOO_BIG, STATUS_FILE_LOCK_CONFLICT
 */
export function fileBacking(
  mode: Mode,
  fileHandle: Handle,
  request: FileSectionRequest,
): FileBacking | { readonly status: NTSTATUS } {
  if (isOtherFile(mode, fileHandle)) return { status: Status.STATUS_INVALID_FILE_FOR_SECTION };
  const file = objectOf(mode, fileHandle, fileType);
  if ('status' in file) return file;
  const judged: Judged = { ...request, mode, file, length: file.body.stat.size };
  const unfit = firstBroken(accessRules, judged);
  if (unfit !== Status.STATUS_SUCCESS) return { status: unfit };
  const wrong = wantsImage(judged) ? imageStatus(judged) : firstBroken(dataRules, judged);
  if (wrong !== Status.STATUS_SUCCESS) return { status: wrong };
  const { attributes, protection, size } = request;
  return {
    size: size === 0n ? judged.length : Number(size),
    reserve: false,
    largePages: false,
    soleWriter: false,
    pageProtection: protection,
    // SEC_COMMIT and SEC_RESERVE have no meaning for files.
    attributes: (SEC_FILE | (attributes & (SEC_BASED | SEC_NOCACHE | SEC_WRITECOMBINE))) >>> 0,
    over: () => memoryOver(file.body, Number(size), isWritable(protection)),
  };
}

/** A descriptor of the section's own: with the handle's, its locks would live as long as the section. */
function ownDescriptor(file: FileObject, writable: boolean): Descriptor {
  const capable = file.descriptorFor(true, writable);
  let own: Descriptor | null = null;
  const status = attempt(() => {
    own = os.descriptorReopen(capable, writable);
  });
  // The file's rights may have been narrowed since it was opened: what was granted then goes on.
  if (status === Status.STATUS_ACCESS_DENIED || own === null) return os.descriptorFromNumber(os.descriptorNumber(capable));
  return own;
}

/** Makes the memory; a file that is too short grows now, or the section fails. */
function memoryOver(file: FileObject, size: number, writable: boolean): MemoryObject {
  const operation = 'ZwCreateSection';
  const descriptor = ownDescriptor(file, writable);
  try {
    const lease = keepFile(operation, os.descriptorStat(descriptor), writable);
    try {
      if (writable) growFile(operation, file.description, descriptor, size);
      const facts = { size: size === 0 ? os.descriptorStat(descriptor).size : size, writable, description: file.description };
      return MemoryObject.adopt(descriptor, { backing: 'file', ...facts }, lease);
    } catch (error) {
      lease.release();
      throw error;
    }
  } catch (error) {
    os.descriptorClose(descriptor);
    throw error;
  }
}
