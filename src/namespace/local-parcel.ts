/**
 * Local objects on their way to another process of this user: the memory, and the registry file with a slot
 * locked. The lock belongs to the open file, so it holds the object wherever the file is open: no moment
 * passes without a holder, even if the sender dies.
 */
import { SectionError } from '../base/error.js';
import { MemoryObject } from '../memory/memory-object.js';
import type { Parcel } from '../memory/parcel.js';
import { type Descriptor, os } from '../os/index.js';
import { needsWriting, ownPidNamespace, ownSlot } from './local-access.js';
import { fileOf } from './local-files.js';
import type { LocalHandleParts } from './local-handle.js';
import { damaged } from './lock-file.js';
import type { ObjectName } from './name.js';
import { requireShareable } from './object-rules.js';
import { RegistryFile } from './registry-file.js';
import type { RegistryRecord } from './registry-record.js';
import { registryDirectoryIfAny } from './runtime-directory.js';

const OPERATION = 'hand an object on';

interface LocalFacts {
  readonly place: 'local';
  readonly name: ObjectName;
  readonly identity: string;
  readonly slot: number;
  readonly granted: number;
}

/** The file of a name that a handle of this process, or one on its way to it, keeps alive; locked. */
function fileFor(operation: string, name: ObjectName): RegistryFile {
  const folder = registryDirectoryIfAny();
  const file = folder === null ? null : RegistryFile.open(operation, fileOf(folder, name), false);
  if (file !== null) return file;
  throw new SectionError('ERR_SECTION_NOT_FOUND', {
    operation,
    object: `"${name.full}"`,
    rule: "its registry file is not in this process's runtime directory",
    wayOut: 'Give both processes the same SECTILE_RUNTIME_DIR',
  });
}

export function packLocal(name: ObjectName, record: RegistryRecord, memory: MemoryObject, granted: number): Parcel {
  const file = fileFor(OPERATION, name);
  let descriptor: Descriptor | null = null;
  try {
    const found = file.read();
    if (found === null || found.identity !== record.identity) throw damaged(OPERATION, file.path, 'it names another object');
    requireShareable(OPERATION, name, { exclusive: found.exclusive, handles: 1 }, false);
    descriptor = memory.descriptorFor(needsWriting(found, granted));
    const slot = file.claimSlot({ ...ownSlot(memory, granted), descriptor: os.descriptorNumber(descriptor) });
    file.unlock();
    return new LocalParcel(file, descriptor, { place: 'local', name, identity: record.identity, slot, granted });
  } catch (error) {
    if (descriptor !== null) os.descriptorClose(descriptor);
    file.close();
    throw error;
  }
}

class LocalParcel implements Parcel {
  readonly facts: LocalFacts;
  readonly descriptors: readonly Descriptor[];
  readonly #file: RegistryFile;

  constructor(file: RegistryFile, memory: Descriptor, facts: LocalFacts) {
    this.facts = facts;
    this.descriptors = [memory, file.descriptor];
    this.#file = file;
  }

  sentTo(pid: number, [memory = -1]: readonly number[]): void {
    const { slot, granted } = this.facts;
    this.#file.rewriteSlot(slot, { pid, descriptor: memory, pidNamespace: ownPidNamespace(), granted, opened: Date.now() });
  }

  close(): void {
    for (const each of this.descriptors) os.descriptorClose(each);
  }
}

function isLocal(facts: unknown): facts is LocalFacts {
  const { name, slot, granted, identity } = (facts ?? {}) as Partial<LocalFacts>;
  return (
    typeof name === 'object' &&
    typeof name.leaf === 'string' &&
    typeof name.full === 'string' &&
    Number.isInteger(slot) &&
    Number.isInteger(granted) &&
    typeof identity === 'string'
  );
}

/**
 * What a handle is made of that another process has packed. Takes over the descriptors, on failure too.
 *
 * @throws SectionError ERR_SECTION_NOT_FOUND (another runtime directory), ERR_SECTION_REGISTRY_DAMAGED; TypeError
 */
export function unpackLocal(
  operation: string,
  facts: unknown,
  [memory, opened, ...others]: readonly Descriptor[],
): Omit<LocalHandleParts, 'again' | 'pack' | 'created'> {
  let taken = false;
  try {
    if (!isLocal(facts) || memory === undefined || opened === undefined || others.length > 0)
      throw new TypeError('no local object');
    const { name, slot, granted, identity } = facts;
    const file = adopt(operation, name, opened);
    const record = file.read();
    const stat = os.descriptorStat(memory);
    const isIt = record?.identity === identity && stat.device === record.device && stat.inode === record.inode;
    if (record === null || !isIt) throw damaged(operation, file.path, 'it names another object than the one that was handed on');
    const { backing, size, pageSize } = record;
    const writable = stat.writable && !record.soleWriter;
    const own = MemoryObject.adopt(memory, { backing, size, pageSize, writable });
    file.rewriteSlot(slot, ownSlot(own, granted));
    file.unlock();
    taken = true;
    return { name, record, file, slot, memory: own, granted };
  } finally {
    if (!taken) for (const each of [memory, opened, ...others]) if (each !== undefined) os.descriptorClose(each);
  }
}

/** The registry file that came with the parcel, which must be the one of the name; locked. */
function adopt(operation: string, name: ObjectName, opened: Descriptor): RegistryFile {
  const there = fileFor(operation, name);
  const { path } = there;
  const [one, other] = [os.descriptorStat(there.descriptor), os.descriptorStat(opened)];
  there.close();
  const file = new RegistryFile(operation, path, opened);
  const isIt = one.device === other.device && one.inode === other.inode;
  if (!isIt || !file.lockAndCheck()) throw damaged(operation, path, 'it is not the one that was handed on');
  return file;
}
