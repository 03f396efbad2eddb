/**
 * The child's side of inheritance: takes over what this process was born with, once, when a face is
 * imported: handles under the values that they had in the parent, views at their addresses. Then it opens
 * the door that the parent expects.
 */
import { isMainThread } from 'node:worker_threads';
import { SectionError } from '../base/error.js';
import { isSuccess, statusName } from '../base/status.js';
import { type Descriptor, isOsError, os } from '../os/index.js';
import { openDoor } from './door.js';
import { decode } from './door-messages.js';
import {
  DESCRIPTION_HEAD,
  DESCRIPTION_SEALS,
  type Description,
  INHERITANCE_VARIABLE,
  type SentHandle,
  type SentView,
} from './inheritance.js';
import { unpack } from './passing.js';
import { addHandleAs } from './tables.js';
import { mapInherited } from './view-parcels.js';

/** Whether a descriptor is of a description: memory that nobody can change any more, and begins as one does. */
function isDescription(descriptor: Descriptor): boolean {
  const { links } = os.descriptorStat(descriptor);
  const sealed = !os.sealsMemory || (os.memorySeals(descriptor) & DESCRIPTION_SEALS) === DESCRIPTION_SEALS;
  if (links !== 0 || !sealed) return false;
  const head = Buffer.alloc(DESCRIPTION_HEAD.length);
  os.descriptorRead(descriptor, head, 0);
  return head.equals(DESCRIPTION_HEAD);
}

/** The description, if this process was born with one: the variable alone proves nothing, it may have come from further up. */
function ownDescription(number: number): Descriptor | null {
  let look: Descriptor | null = null;
  try {
    look = os.descriptorFromNumber(number);
    return isDescription(look) ? os.descriptorAdopt(number) : null;
  } catch (error) {
    // Nothing is open there, or nothing that can be read.
    if (!isOsError(error)) throw error;
    return null;
  } finally {
    if (look !== null) os.descriptorClose(look);
  }
}

function readDescription(descriptor: Descriptor): Description {
  const bytes = new Uint8Array(os.descriptorStat(descriptor).size);
  os.descriptorRead(descriptor, bytes, 0);
  os.descriptorClose(descriptor);
  return decode(bytes.subarray(DESCRIPTION_HEAD.length)) as Description;
}

function failure(what: string, rule: string, cause?: unknown): SectionError {
  return new SectionError('ERR_SECTION_SYSTEM_CALL', {
    operation: 'inherit from the parent process',
    object: what,
    rule,
    ...(cause === undefined ? {} : { cause }),
  });
}

const adopt = (numbers: readonly number[]): Descriptor[] => numbers.map((each) => os.descriptorAdopt(each));

function takeHandle({ handle, type, object, granted, protectedFromClose, facts, numbers }: SentHandle): void {
  const arrived = unpack(type, facts, adopt(numbers), granted);
  const entered = addHandleAs(handle, { ...arrived, object, granted, checked: true, inherit: true, protectedFromClose });
  if (entered === null) throw failure(`handle ${handle} on ${object}`, 'its value is taken in this process');
}

function takeView({ view, facts, numbers }: SentView): void {
  const status = mapInherited(view, facts, adopt(numbers));
  if (!isSuccess(status)) {
    throw failure(
      `the view of ${view.object} at 0x${view.base.toString(16)}`,
      `it cannot be mapped here (${statusName(status)})`,
    );
  }
}

/** Takes over what the parent left, if this process was made to inherit. */
function inherit(): void {
  const text = process.env[INHERITANCE_VARIABLE];
  if (text === undefined || !isMainThread) return;
  // Not for children of this process that are made without Sectile.
  delete process.env[INHERITANCE_VARIABLE];
  const descriptor = /^\d{1,9}$/.test(text) ? ownDescription(Number(text)) : null;
  if (descriptor === null) return;
  const { handles, views } = readDescription(descriptor);
  // Views first: the longer this process runs, the more of its addresses are taken.
  for (const each of views) takeView(each);
  for (const each of handles) takeHandle(each);
  // Anybody may have taken the door's name, for any process to come: that shall not keep this one from running.
  openDoor();
}

inherit();
