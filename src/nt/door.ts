/**
 * This process's door: a socket at which other processes of its user ask it to map, unmap and take or give
 * handles. It answers when its event loop comes to it. Closed until somebody opens it: the process itself,
 * or CreateProcess for a child. It does not keep the process, and goes with it.
 */
import { isMainThread } from 'node:worker_threads';
import { SectionError } from '../base/error.js';
import { type NTSTATUS, Status } from '../base/status.js';
import type { SectionHandle } from '../memory/object-handle.js';
import type { Parcel } from '../memory/parcel.js';
import { type Descriptor, isOsError, os, type Server, type ServerEvent } from '../os/index.js';
import type { AddressRequirements } from './address-requirements.js';
import { ulong } from './arguments.js';
import { type Answer, decode, encode, MAXIMUM_DESCRIPTORS, MAXIMUM_MESSAGE, now, type Question } from './door-messages.js';
import { hold } from './duplicate-rights.js';
import { statusOf } from './failure.js';
import { sectionType } from './object-types.js';
import { pack, unpack } from './passing.js';
import { anyHandleOf } from './process-handles.js';
import { doorOf } from './process-object.js';
import type { MapOfSection } from './rules.js';
import { closeHandle } from './section-calls.js';
import { addHandle, CURRENT_PROCESS, type OpenSection } from './tables.js';
import { type MapResult, mapHere, unmapViewOfSectionEx } from './view-calls.js';

/** Connections at one time, and questions of one that wait. */
const MOST_VISITORS = 64;
const MOST_WAITING = 16;

type Fields = Readonly<Record<string, unknown>>;

interface Outcome {
  readonly answer: Answer;
  readonly parcel?: Parcel;
}

const refuse = (status: NTSTATUS): Outcome => ({ answer: { status } });

/** What can be asked for. Each takes over the descriptors that it unpacks. */
const operations: Readonly<Record<string, (fields: Fields, descriptors: readonly Descriptor[]) => Outcome>> = {
  'handle.give': ({ type, facts, object, granted, inherit, protectedFromClose }, descriptors) => {
    const rights = ulong(granted) ?? 0;
    const arrived = unpack(type, facts, descriptors, rights);
    const handle = addHandle(false, {
      ...arrived,
      object: String(object),
      granted: rights & arrived.type.rights,
      checked: true,
      inherit: inherit === true,
      protectedFromClose: protectedFromClose === true,
    });
    if (handle === null) return refuse(Status.STATUS_INSUFFICIENT_RESOURCES);
    return { answer: { status: Status.STATUS_SUCCESS, handle } };
  },

  'handle.take': ({ handle, desired }) => {
    const source = anyHandleOf('user', handle);
    if ('status' in source) return refuse(source.status);
    const held = hold('user', source, desired === null ? source.granted : (ulong(desired) ?? 0));
    if ('status' in held) return refuse(held.status);
    const { type, object, inherit, protectedFromClose } = source;
    try {
      const parcel = pack(type, held.body, held.granted);
      if ('status' in parcel) return refuse(parcel.status);
      const { granted } = held;
      const answer = { type: type.name, facts: parcel.facts, object, granted, inherit, protectedFromClose };
      return { answer: { status: Status.STATUS_SUCCESS, ...answer }, parcel };
    } finally {
      if (held.body !== source.body) held.body.close();
    }
  },

  'handle.close': ({ handle }) => refuse(closeHandle('user', handle as number)),

  'view.map': ({ facts, object, granted, request, requirements }, descriptors) => {
    const rights = ulong(granted) ?? 0;
    const { body } = unpack(sectionType.name, facts, descriptors, rights);
    try {
      const section: OpenSection = {
        type: sectionType,
        body: body as SectionHandle,
        object: String(object),
        granted: rights,
        checked: true,
        inherit: false,
        protectedFromClose: false,
        forget: () => {},
      };
      const outcome = mapHere(section, request as MapOfSection['request'], requirements as AddressRequirements | null, notMapped);
      const { status, baseAddress, sectionOffset, viewSize } = outcome;
      return { answer: { status, baseAddress, sectionOffset, viewSize } };
    } finally {
      body.close();
    }
  },

  'view.unmap': ({ base, flags }) => refuse(unmapViewOfSectionEx('user', CURRENT_PROCESS, base as bigint, flags as number)),
};

const notMapped = (status: NTSTATUS): MapResult => ({ status, baseAddress: null, sectionOffset: 0, viewSize: 0, view: null });

function answerTo(bytes: Uint8Array, descriptors: readonly Descriptor[]): Outcome {
  let done: Outcome;
  let taken = false;
  try {
    const { operation, until, fields } = decode(bytes) as Question;
    const act = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
    if (act === undefined || fields === null || typeof fields !== 'object') return refuse(Status.STATUS_INVALID_PARAMETER);
    // Whoever asked has given up: what it does not know of must not be.
    if (!(until >= now())) return refuse(Status.STATUS_IO_TIMEOUT);
    taken = operation === 'handle.give' || operation === 'view.map';
    done = act(fields, descriptors);
  } catch (error) {
    // What is no question of ours, of whatever shape: refused, and nothing else.
    done = refuse(error instanceof SectionError ? statusOf(error) : Status.STATUS_INVALID_PARAMETER);
  } finally {
    if (!taken) for (const each of descriptors) os.descriptorClose(each);
  }
  return done;
}

let door: Server | null = null;

function serve(event: ServerEvent): void {
  if (event.type !== 'message' || door === null) return;
  const { answer, parcel } = answerTo(event.message.bytes, event.message.descriptors);
  try {
    os.serverReply(door, event.client, encode(answer), parcel?.descriptors ?? []);
  } finally {
    parcel?.close();
  }
}

/**
 * Opens this process's door, for as long as it runs. Safe to call twice.
 *
 * @returns STATUS_SUCCESS, or STATUS_NOT_SUPPORTED in a Worker: the door is its process's
 */
export function openDoor(): NTSTATUS {
  if (door !== null) return Status.STATUS_SUCCESS;
  if (!isMainThread) return Status.STATUS_NOT_SUPPORTED;
  try {
    door = os.serverListen(
      {
        path: doorOf(process.pid),
        mode: 0,
        maximumMessage: MAXIMUM_MESSAGE,
        maximumDescriptors: MAXIMUM_DESCRIPTORS,
        descriptorsFromOthers: false,
        clientsFromOthers: false,
        maximumInFlight: MOST_WAITING,
        maximumClients: MOST_VISITORS,
        keepsProcess: false,
      },
      serve,
    );
    return Status.STATUS_SUCCESS;
  } catch (error) {
    if (!isOsError(error)) throw error;
    return Status.STATUS_INSUFFICIENT_RESOURCES;
  }
}
