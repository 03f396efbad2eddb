/**
 * Memory of local names where no process can reach into another: a file beside the name's. It is there as long as
 * somebody holds the name; what a killed holder leaves, whoever looks next removes. A section over a file or an
 * object that is there already has a link to its path instead.
 *
 *   NAME.object                      the record and its locks
 *   NAME.memory                      the memory, or a link to it
 *   PID-START-SPACE-RANDOM.new       memory on its way there
 */
import { randomBytes } from 'node:crypto';
import { renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { SectionError } from '../base/error.js';
import { kindText } from '../base/object-kind.js';
import { MemoryObject } from '../memory/memory-object.js';
import { sectionErrorFrom } from '../memory/system-errors.js';
import { type Descriptor, isOsError, OpenFlag, os } from '../os/index.js';
import { ownPidNamespace } from './local-access.js';
import type { FreshMemory, LocalMemory } from './local-memory.js';
import { damaged } from './lock-file.js';
import type { ObjectName } from './name.js';
import type { RegistryFile } from './registry-file.js';
import type { RegistryRecord } from './registry-record.js';

const fresh = /^(\d+)-(\d+)-(\d+)-[0-9a-f]+\.new$/;

/** What is made by a process is told from what later ones with its number make by when it started. */
function freshPath(folder: string): string {
  const start = os.processStart(process.pid) ?? 0n;
  return join(folder, `${process.pid}-${start}-${ownPidNamespace()}-${randomBytes(8).toString('hex')}.new`);
}

function isLeftOver(entry: string): boolean {
  const [, pid, start, space] = fresh.exec(entry) ?? [];
  if (pid === undefined || space !== String(ownPidNamespace())) return false;
  const alive = os.processStart(Number(pid));
  return alive !== undefined && String(alive) !== start;
}

/** Where the memory of a name's file is. */
function memoryPath(path: string): string {
  return path.replace(/\.object$/, '.memory');
}

const isSame = (descriptor: Descriptor, { device, inode }: { readonly device: bigint; readonly inode: bigint }): boolean => {
  const stat = os.descriptorStat(descriptor);
  return stat.device === device && stat.inode === inode;
};

/** The path of what is open already, if it still leads there. */
function pathOf(operation: string, memory: MemoryObject): string {
  let again: Descriptor | null = null;
  try {
    const path = os.descriptorPath(memory.descriptor);
    again = os.descriptorOpen(path, OpenFlag.nonBlocking, 0);
    if (isSame(again, os.descriptorStat(memory.descriptor))) return path;
  } catch (error) {
    if (!isOsError(error)) throw error;
  } finally {
    if (again !== null) os.descriptorClose(again);
  }
  throw new SectionError('ERR_SECTION_FILE', {
    operation,
    object: memory.description,
    rule: 'it has no path that other processes could open it by, and on this system local names need one',
    wayOut: 'Leave out the name, and hand the section to other processes',
  });
}

function make(folder: string, makeMemory: (path?: string) => MemoryObject): FreshMemory {
  const path = freshPath(folder);
  const remove = () => rmSync(path, { force: true });
  let memory: MemoryObject;
  try {
    memory = makeMemory(path);
  } catch (error) {
    remove();
    throw error;
  }
  return {
    memory,
    publish: (operation, file) => {
      if (memory.backing !== 'pagefile') symlinkSync(pathOf(operation, memory), path);
      renameSync(path, memoryPath(file.path));
    },
    discard: () => {
      memory.close();
      remove();
    },
  };
}

const mayOnlyRead: readonly string[] = ['EACCES', 'EPERM', 'EROFS'];

/** Opens the memory; for reading where writing is refused: then its views cannot write. */
function open(path: string, flags: number, write: boolean): { readonly descriptor: Descriptor; readonly writable: boolean } {
  if (write) {
    try {
      return { descriptor: os.descriptorOpen(path, flags | OpenFlag.write, 0), writable: true };
    } catch (error) {
      if (!isOsError(error) || !mayOnlyRead.includes(error.code)) throw error;
    }
  }
  return { descriptor: os.descriptorOpen(path, flags, 0), writable: false };
}

/** Needs the file's mutex. */
function take(
  operation: string,
  name: ObjectName,
  file: RegistryFile,
  record: RegistryRecord,
  write: boolean,
): MemoryObject | null {
  const { value: holder } = file.livingSlots().next();
  if (holder === undefined) return null;
  file.readSlot(holder); // damage is to be told of, though nothing is needed from there
  const { backing, size, pageSize } = record;
  const path = memoryPath(file.path);
  const flags = OpenFlag.nonBlocking | (backing === 'pagefile' ? OpenFlag.noFollow : 0);
  let opened: ReturnType<typeof open>;
  try {
    opened = open(path, flags, write);
  } catch (error) {
    if (isOsError(error) && error.code === 'ENOENT') throw unreachable(operation, name, record, 'its file is not there any more');
    throw sectionErrorFrom(error, operation, `memory ${path}`);
  }
  const { descriptor, writable } = opened;
  if (isSame(descriptor, record)) return MemoryObject.adopt(descriptor, { backing, size, pageSize, writable });
  os.descriptorClose(descriptor);
  if (backing === 'pagefile') throw damaged(operation, path, 'it is another file than the record names');
  throw unreachable(operation, name, record, 'another file has its path by now');
}

function unreachable(operation: string, name: ObjectName, record: RegistryRecord, why: string): SectionError {
  return new SectionError('ERR_SECTION_HOLDER_UNREACHABLE', {
    operation,
    object: `"${name.full}"`,
    rule: `${kindText(record.kind)} of that name exists, but ${why}`,
    wayOut: 'End the processes that hold it, and keep its file where it is',
  });
}

export const memoryInFiles: LocalMemory = {
  make,
  take,
  forget: (path) => rmSync(memoryPath(path), { force: true }),
  isLeftOver,
};
