/**
 * What the system process does for each request of a client: the table of handlers, and those about
 * sections, drivers and the system process itself.
 */
import { SectionError } from '../base/error.js';
import { MemoryObject } from '../memory/memory-object.js';
import { areSectionAttributes, isSectionProtection } from '../memory/section-masks.js';
import { memoryLabel, type ObjectName } from '../namespace/name.js';
import { type Descriptor, os } from '../os/index.js';
import { holdsPrivilege, privilegeNotHeld } from '../security/index.js';
import { type Answer, answer, type Client, type Handler, requireAdministrator, type SystemContext } from './clients.js';
import { deviceHandlers } from './device-requests.js';
import { createObject, globalName, objectHandlers } from './object-requests.js';
import type { Operation, RequestOf } from './protocol.js';

export const handlers: { readonly [O in Operation]: Handler<O> } = {
  ...objectHandlers,
  ...deviceHandlers,
  hello: (context, client) => {
    client.greeted = true;
    return answer<'hello'>(context.status());
  },
  'section.create': createSection,
  'system.status': (context) => answer<'system.status'>(context.status()),
  'system.stop': (context, client) => {
    requireAdministrator(client, 'stop the system process');
    context.stop();
    return answer<'system.stop'>({});
  },
  'driver.load': async (context, client, { file, parameters }) => {
    requireAdministrator(client, 'load a driver');
    context.requireRunning('load a driver');
    return answer<'driver.load'>(await context.drivers.load(file, parameters));
  },
  'driver.unload': async (context, client, { name }) => {
    requireAdministrator(client, 'unload a driver');
    await context.drivers.unload(name);
    return answer<'driver.unload'>({});
  },
  'driver.list': (context) => answer<'driver.list'>({ drivers: context.drivers.list() }),
};

/* ------------------------------------------------------------------------------- sections ---- */

function createSection(
  context: SystemContext,
  client: Client,
  request: RequestOf<'section.create'>,
  descriptors: readonly Descriptor[],
): Promise<Answer> {
  const operation = 'create a section';
  const name = globalName(context, operation, request);
  const { pageProtection, attributes, soleWriter, size, fileBacked } = request;
  if (!isSectionProtection(pageProtection) || !areSectionAttributes(attributes, request)) {
    throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
      operation,
      object: `"${name.full}"`,
      rule: `no section like that has page protection 0x${pageProtection.toString(16)} and attributes 0x${attributes.toString(16)}`,
    });
  }
  return createObject(context, client, operation, name, 'Section', request, fileBacked ? 0 : size, async () => {
    if (request.largePages && !holdsPrivilege(client.token, 'SeLockMemoryPrivilege'))
      throw privilegeNotHeld(operation, 'SeLockMemoryPrivilege', client.token, `"${name.full}"`);
    const { memory, reader } = fileBacked
      ? memoryOfFile(operation, name, request, descriptors)
      : { memory: await newMemory(operation, name, request), reader: undefined };
    return { memory, reader, facts: { size: memory.size, pageProtection, attributes, soleWriter } };
  });
}

function newMemory(operation: string, name: ObjectName, request: RequestOf<'section.create'>): Promise<MemoryObject> {
  const { size, reserve, largePages, soleWriter } = request;
  // A sole writer seals the memory itself, after its one mapping.
  return MemoryObject.createPagefileAsync(operation, `"${name.full}"`, {
    label: memoryLabel(name.full),
    size,
    reserve,
    largePages,
    leaveSealable: soleWriter,
  });
}

const REGULAR = 0o100000;
const FILE_TYPE = 0o170000;

/** A client's file: one descriptor that reads, and one that writes where the section does. */
function memoryOfFile(
  operation: string,
  name: ObjectName,
  request: RequestOf<'section.create'>,
  [reader, writer]: readonly Descriptor[],
): { memory: MemoryObject; reader: Descriptor } {
  const refuse = (rule: string): never => {
    throw new SectionError('ERR_SECTION_FILE', { operation, object: `"${name.full}"`, rule });
  };
  if (reader === undefined) return refuse('no descriptor of its file came with the request');
  const stat = os.descriptorStat(reader);
  if ((stat.mode & FILE_TYPE) !== REGULAR || stat.writable || !stat.readable)
    return refuse('the first descriptor must be a regular file, opened for reading');
  if (request.size > stat.size) return refuse(`its size ${request.size} is beyond the file's ${stat.size} bytes`);
  if (writer !== undefined) {
    const other = os.descriptorStat(writer);
    if (other.device !== stat.device || other.inode !== stat.inode || !other.writable || !other.readable) {
      return refuse('the second descriptor must be the same file, opened for reading and writing');
    }
  }
  // The message's descriptors are closed when it is answered: keep duplicates.
  const kept = os.descriptorFromNumber(os.descriptorNumber(reader));
  const memory = MemoryObject.adopt(os.descriptorFromNumber(os.descriptorNumber(writer ?? reader)), {
    backing: 'file',
    size: request.size,
    writable: writer !== undefined,
  });
  return { memory, reader: kept };
}
