/**
 * The child's side of inheritance: takes over what this process was born with, once, when a face is
 * imported: handles under the values that they had in the parent, views at their addresses. Then it opens
 * the door that the parent expects.
 */
import { readlinkSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { SectionError } from '../base/error.js';
import { isSuccess, statusName } from '../base/status.js';
import { type Descriptor, isOsError, os } from '../os/index.js';
import { openDoor } from './door.js';
import { decode } from './door-messages.js';
import {
  DESCRIPTION_LABEL,
  DESCRIPTION_SEALS,
  type Description,
  INHERITANCE_VARIABLE,
  type SentHandle,
  type SentView,
} from './inheritance.js';
import { unpack } from './passing.js';
import { addHandleAs } from './tables.js';
import { mapInherited } from './view-parcels.js';

/** The description, if this process was born with one: the variable alone proves nothing, it may have come from further up. */
function ownDescription(number: number): Descriptor | null {
  try {
    if (!readlinkSync(`/proc/self/fd/${number}`).startsWith(`/memfd:${DESCRIPTION_LABEL}`)) return null;
    const descriptor = os.descriptorAdopt(number);
    if ((os.memorySeals(descriptor) & DESCRIPTION_SEALS) === DESCRIPTION_SEALS) return descriptor;
    os.descriptorClose(descriptor);
  } catch (error) {
    // Nothing is open there.
    if (!isOsError(error) && (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return null;
}

function readDescription(descriptor: Descriptor): Description {
  const bytes = new Uint8Array(os.descriptorStat(descriptor).size);
  os.descriptorRead(descriptor, bytes, 0);
  os.descriptorClose(descriptor);
  return decode(bytes) as Description;
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
