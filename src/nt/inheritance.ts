/**
 * What a child process inherits: handles that were made inheritable, and views with ViewShare. Packed here,
 * it travels as descriptors that the child is born with, and a sealed memory object that says what they are;
 * inherited.ts unpacks it in the child.
 */
import type { ChildProcess } from 'node:child_process';
import type { NTSTATUS } from '../base/status.js';
import type { Parcel } from '../memory/parcel.js';
import { Commit, type Descriptor, os, Seal } from '../os/index.js';
import type { Handle } from './arguments.js';
import { encode } from './door-messages.js';
import { pack } from './passing.js';
import { inheritableHandles } from './tables.js';
import { packViews, type ViewFacts } from './view-parcels.js';

/** In the child's environment: the number of the descriptor of the description. */
export const INHERITANCE_VARIABLE = 'SECTILE_INHERITANCE';
const DESCRIPTION_LABEL = 'sectile:inheritance';
/** What a description begins with: tells it from other memory. */
export const DESCRIPTION_HEAD = Buffer.from(`${DESCRIPTION_LABEL}\0`, 'latin1');
export const DESCRIPTION_SEALS = Seal.seal | Seal.shrink | Seal.grow | Seal.write;

/** The numbers that a parcel's descriptors have in the child. */
interface Sent {
  readonly facts: unknown;
  readonly numbers: readonly number[];
}

/** A handle on its way. */
export interface SentHandle extends Sent {
  readonly handle: Handle;
  readonly type: string;
  readonly object: string;
  readonly granted: number;
  readonly protectedFromClose: boolean;
}

/** A view on its way. */
export interface SentView extends Sent {
  readonly view: ViewFacts;
}

export interface Description {
  readonly handles: readonly SentHandle[];
  readonly views: readonly SentView[];
}

/** What a child is to be born with. */
export interface Legacy {
  /** Descriptors of this process, in the order that they have in the child. */
  readonly descriptors: readonly Descriptor[];
  /** The number of the first of them there was to be. */
  readonly first: number;
  /** The description's number, for {@link INHERITANCE_VARIABLE}. */
  readonly description: number;
  /** Says whose the descriptors are now. */
  sentTo(child: ChildProcess): void;
  /** Gives up this side's holds. Safe to call twice. */
  close(): void;
}

/**
 * Packs what a child shall inherit.
 *
 * @param first The number of the first descriptor that the child gets by it.
 * @param everything Handles and views; otherwise only the door.
 * @throws SectionError, OsError where something cannot be packed; nothing is held then
 */
export function packLegacy(first: number, everything: boolean): Legacy | { readonly status: NTSTATUS } {
  const parcels: { readonly parcel: Parcel; readonly numbers: readonly number[] }[] = [];
  const descriptors: Descriptor[] = [];
  let description: Descriptor | null = null;
  const close = () => {
    for (const { parcel } of parcels.splice(0)) parcel.close();
    if (description !== null) os.descriptorClose(description);
  };
  const send = (parcel: Parcel): Sent => {
    const numbers = parcel.descriptors.map((each) => first + descriptors.push(each) - 1);
    parcels.push({ parcel, numbers });
    return { facts: parcel.facts, numbers };
  };
  let packed = false;
  try {
    const handles: SentHandle[] = [];
    for (const [handle, { type, body, object, granted, protectedFromClose }] of everything ? inheritableHandles() : []) {
      const parcel = pack(type, body, granted);
      if ('status' in parcel) return parcel;
      handles.push({ handle, type: type.name, object, granted, protectedFromClose, ...send(parcel) });
    }
    const views: SentView[] = [];
    for (const { parcel, view } of everything ? packViews() : []) views.push({ view, ...send(parcel) });
    description = describe({ handles, views });
    packed = true;
    return {
      descriptors: [...descriptors, description],
      first,
      description: first + descriptors.length,
      sentTo: ({ pid = -1 }) => {
        for (const { parcel, numbers } of parcels) parcel.sentTo?.(pid, numbers);
      },
      close,
    };
  } finally {
    if (!packed) close();
  }
}

function describe(description: Description): Descriptor {
  const bytes = Buffer.concat([DESCRIPTION_HEAD, encode(description)]);
  const memory = os.memoryCreate(DESCRIPTION_LABEL, bytes.length, Commit.now, 0);
  try {
    os.descriptorWrite(memory, bytes, 0);
    if (os.sealsMemory) os.memorySeal(memory, DESCRIPTION_SEALS);
    return memory;
  } catch (error) {
    os.descriptorClose(memory);
    throw error;
  }
}
