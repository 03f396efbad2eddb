/**
 * What a client and the system process say to each other: one request, one answer, each one message of
 * JSON on a socket that keeps message boundaries; descriptors travel beside the bytes. Both sides read
 * with the same tables; whatever does not fit them exactly is not a request.
 *
 * JSON because a request is read by a privileged process from a hostile one: the parser is the
 * runtime's own, numbers cannot be pointers, and a name with any UTF-16 in it survives.
 */

import { MAXIMUM_SECTION_SIZE } from '../base/checks.js';
import { isSectionErrorCode, SectionError, type SectionErrorCode } from '../base/error.js';
import { type ObjectKind, objectKinds } from '../base/object-kind.js';
import { MAXIMUM_CONTENT } from '../memory/object-content.js';
import { MAXIMUM_NAME_LENGTH, type ObjectEntry } from '../namespace/name.js';
import type { DeviceEntry } from './devices.js';
import { MAXIMUM_DEVICE_BUFFER, MAXIMUM_HANDLES_IN_INPUT } from './io-rules.js';

/** Client and system process must mean the same by every field. */
export const PROTOCOL = 2;

/** Longest request: a name of 32,766 units, each as \uXXXX, a security descriptor and a link's target. */
export const MAXIMUM_MESSAGE = 384 * 1024;
export const MAXIMUM_DESCRIPTORS = 2;

const UINT32 = 2 ** 32 - 1;

/** A field's type: the check that a value passes, and how a refusal describes it. */
interface Field<T> {
  readonly is: (value: unknown) => value is T;
  readonly rule: string;
}

const text = (maximum: number): Field<string> => ({
  is: (value): value is string => typeof value === 'string' && value.length >= 1 && value.length <= maximum,
  rule: `a text of 1 to ${maximum} characters`,
});
const whole = (minimum: number, maximum: number): Field<number> => ({
  is: (value): value is number => Number.isInteger(value) && (value as number) >= minimum && (value as number) <= maximum,
  rule: `a whole number from ${minimum} to ${maximum}`,
});
const yesNo: Field<boolean> = { is: (value): value is boolean => typeof value === 'boolean', rule: 'true or false' };
const orNull = <T>(field: Field<T>): Field<T | null> => ({
  is: (value): value is T | null => value === null || field.is(value),
  rule: `${field.rule}, or null`,
});
const parameters: Field<Record<string, string>> = {
  is: (value): value is Record<string, string> =>
    value !== null &&
    typeof value === 'object' &&
    !Array.isArray(value) &&
    Object.keys(value).length <= 64 &&
    Object.values(value).every((each) => typeof each === 'string' && each.length <= 4096),
  rule: 'at most 64 texts',
};

const oneOf = <T extends string>(words: readonly T[]): Field<T> => ({
  is: (value): value is T => words.includes(value as T),
  rule: `one of ${words.join(', ')}`,
});
const base64 = (maximum: number): Field<string> => ({
  is: (value): value is string =>
    typeof value === 'string' &&
    value.length <= Math.ceil(maximum / 3) * 4 &&
    value.length % 4 === 0 &&
    /^[A-Za-z0-9+/]*={0,2}$/.test(value),
  rule: `base64 of at most ${maximum} bytes`,
});

const mask = whole(0, UINT32);
const handle = whole(1, UINT32);
const kind = oneOf(objectKinds);
const security = text(65_536);
/** Identity of a directory object; null for the one that all names begin in. */
const directory: Field<string | null> = orNull({
  is: (value): value is string => typeof value === 'string' && /^[0-9a-f]{32}$/.test(value),
  rule: '32 hexadecimal digits',
});

/** How a name is looked up. */
const lookup = { name: text(MAXIMUM_NAME_LENGTH), directory, caseInsensitive: yesNo, exclusive: yesNo, desired: mask } as const;
/** What every kind of object is created with. */
const creation = { ...lookup, security: orNull(security), openExisting: yesNo, permanent: yesNo } as const;
const deviceEntryKind = oneOf(['device', 'link']);
/** Milliseconds that an answer may be put off while a driver works: less than a client waits for any answer. */
export const LONGEST_PATIENCE = 20_000;
const patience = whole(0, LONGEST_PATIENCE);
/** Handles that stand in a device's input: as their process writes them, as the system process knows them, and their rights. */
const handles: Field<readonly (readonly [value: number, handle: number, granted: number])[]> = {
  is: (value): value is [number, number, number][] =>
    Array.isArray(value) &&
    value.length <= MAXIMUM_HANDLES_IN_INPUT &&
    value.every((each) => Array.isArray(each) && each.length === 3 && each.every((number) => mask.is(number))),
  rule: `at most ${MAXIMUM_HANDLES_IN_INPUT} triples of whole numbers`,
};

/** Every request, with exactly the fields that it has. */
const requests = {
  hello: { protocol: whole(0, UINT32) },
  'section.create': {
    ...creation,
    size: whole(1, MAXIMUM_SECTION_SIZE),
    reserve: yesNo,
    largePages: yesNo,
    soleWriter: yesNo,
    pageProtection: mask,
    attributes: mask,
    /** Whether descriptors of a file travel beside: one to read, and one to write where needed. */
    fileBacked: yesNo,
  },
  /** Any other kind. */
  'object.create': {
    ...creation,
    kind: oneOf(objectKinds.filter((each) => each !== 'Section')),
    content: base64(MAXIMUM_CONTENT),
  },
  'object.open': { ...lookup, kind: orNull(kind) },
  'object.find': { directory, name: text(MAXIMUM_NAME_LENGTH), caseInsensitive: yesNo },
  /** `after`: the last name that was told, null at first. */
  'object.entries': { directory, after: orNull(text(MAXIMUM_NAME_LENGTH)) },
  'handle.duplicate': { handle, granted: mask },
  'handle.reopen': { handle, desired: mask },
  'handle.query': { handle },
  /** After the client has made the section's file as long. */
  'handle.extend': { handle, size: whole(1, MAXIMUM_SECTION_SIZE) },
  'handle.security': { handle },
  'handle.set-security': { handle, security },
  'handle.set-permanent': { handle, permanent: yesNo },
  'handle.close': { handle },
  /** Sets a handle aside for another process of the same user, which takes it by the ticket. */
  'handle.pass': { handle, granted: mask },
  'handle.take': { ticket: text(64) },
  'system.status': {},
  'system.stop': {},
  /** `from`: how many have been told. */
  'object.list': { from: whole(0, UINT32) },
  'driver.load': { file: text(4096), parameters },
  'driver.unload': { name: text(256) },
  'driver.list': {},
  'device.find': { kind: deviceEntryKind, name: text(MAXIMUM_NAME_LENGTH), caseInsensitive: yesNo },
  'device.list': { kind: deviceEntryKind },
  'device.open': { path: text(MAXIMUM_NAME_LENGTH), desired: mask, share: mask, options: mask, attributes: mask, patience },
  'device.control': {
    handle,
    code: mask,
    input: base64(MAXIMUM_DEVICE_BUFFER),
    outputLength: whole(0, MAXIMUM_DEVICE_BUFFER),
    direct: orNull(base64(MAXIMUM_DEVICE_BUFFER)),
    handles,
    patience,
  },
  'device.wait': { request: handle, patience },
  'device.collect': {},
  'device.close': { handle },
} as const satisfies Record<string, Record<string, Field<unknown>>>;

type Requests = typeof requests;
export type Operation = keyof Requests;
type ValueOf<F> = F extends Field<infer T> ? T : never;
export type RequestOf<O extends Operation> = { readonly [K in keyof Requests[O]]: ValueOf<Requests[O][K]> };
export type Request = { [O in Operation]: { readonly operation: O } & RequestOf<O> }[Operation];

/** What comes back beside a descriptor: a handle. */
export interface HandleReply {
  readonly handle: number;
  readonly kind: ObjectKind;
  readonly identity: string;
  /** The name as it was spelt when the object was created. */
  readonly leaf: string;
  readonly created: boolean;
  readonly granted: number;
  readonly size: number;
  readonly pageSize: number;
  readonly backing: 'pagefile' | 'file';
  readonly pageProtection: number;
  readonly attributes: number;
  readonly soleWriter: boolean;
  /** Whether the descriptor beside was opened for writing. */
  readonly writable: boolean;
}

export interface SystemStatus {
  readonly protocol: number;
  readonly version: string;
  readonly pid: number;
  readonly uid: number;
  readonly started: number;
  readonly clients: number;
  readonly objects: number;
  readonly drivers: number;
}

export interface ObjectListing {
  readonly name: string;
  readonly kind: ObjectKind;
  readonly permanent: boolean;
  readonly size: number;
  readonly backing: 'pagefile' | 'file';
  readonly pageProtection: number;
  readonly attributes: number;
  readonly soleWriter: boolean;
  /** Null for those who may not read it (READ_CONTROL). */
  readonly security: string | null;
  readonly resident: number;
  /** Device and inode of the memory, as decimal texts, to find its views in /proc. */
  readonly device: string;
  readonly inode: string;
  readonly holders: readonly {
    readonly pid: number;
    readonly handles: number;
    readonly granted: number;
    readonly kernel: boolean;
  }[];
}

export interface DriverListing {
  readonly name: string;
  readonly file: string;
  readonly loaded: number;
  readonly handles: number;
  readonly views: number;
}

/** What has become of a request to a device. */
export interface DeviceReply {
  /** Not 0: its driver is still at work, and this is what to ask for. */
  readonly request: number;
  readonly status: number;
  readonly information: number;
  /** base64 */
  readonly output: string;
  /** The open file, and its rights, where one was opened; else 0. */
  readonly handle: number;
  readonly granted: number;
}

export interface Replies {
  hello: SystemStatus;
  'section.create': HandleReply;
  'object.create': HandleReply;
  'object.open': HandleReply;
  'object.find': { readonly entry: ObjectEntry | null };
  /** `more`: ask again, after the last of these. */
  'object.entries': { readonly entries: readonly ObjectEntry[]; readonly more: boolean };
  'handle.duplicate': HandleReply;
  'handle.reopen': HandleReply;
  'handle.query': { readonly handles: number; readonly permanent: boolean; readonly size: number };
  'handle.extend': { readonly size: number };
  'handle.security': { readonly security: string };
  'handle.set-security': Record<string, never>;
  'handle.set-permanent': Record<string, never>;
  'handle.close': Record<string, never>;
  'handle.pass': { readonly ticket: string };
  'handle.take': HandleReply;
  'system.status': SystemStatus;
  'system.stop': Record<string, never>;
  'object.list': { readonly objects: readonly ObjectListing[]; readonly more: boolean };
  'driver.load': DriverListing;
  'driver.unload': Record<string, never>;
  'driver.list': { readonly drivers: readonly DriverListing[] };
  'device.find': { readonly entry: DeviceEntry | null };
  'device.list': { readonly entries: readonly DeviceEntry[] };
  'device.open': DeviceReply;
  'device.control': DeviceReply;
  'device.wait': DeviceReply;
  /** Requests that are through; where none is, a pipe travels beside that ends when one is. */
  'device.collect': { readonly ready: readonly number[] };
  'device.close': Record<string, never>;
}

/** An error as it crosses the socket. */
export interface ErrorReply {
  readonly code: SectionErrorCode;
  readonly status: number;
  readonly object?: string;
  readonly rule: string;
  readonly wayOut?: string;
}

export function errorReply({ code, status, object, rule, wayOut }: SectionError): ErrorReply {
  return { code, status, rule, ...(object === undefined ? {} : { object }), ...(wayOut === undefined ? {} : { wayOut }) };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export function encode(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    return undefined;
  }
}

function refuse(rule: string): SectionError {
  return new SectionError('ERR_SECTION_PROTOCOL', { operation: 'read a request', rule });
}

/**
 * The request in these bytes.
 *
 * @throws SectionError ERR_SECTION_PROTOCOL for anything that is not exactly one of the requests.
 */
export function decodeRequest(bytes: Uint8Array): Request {
  const value = parse(bytes);
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw refuse('a request is a JSON object');
  const given = value as Record<string, unknown>;
  const { operation } = given;
  if (typeof operation !== 'string' || !Object.hasOwn(requests, operation)) throw refuse('there is no such operation');
  const fields: Record<string, Field<unknown>> = requests[operation as Operation];
  for (const [name, field] of Object.entries(fields)) {
    if (!Object.hasOwn(given, name) || !field.is(given[name])) throw refuse(`${operation}: ${name} must be ${field.rule}`);
  }
  if (Object.keys(given).length !== Object.keys(fields).length + 1) throw refuse(`${operation} has fields that nobody asked for`);
  return given as unknown as Request;
}

/** The answer in these bytes: a value, or the error that the system process reports. */
export function decodeReply(bytes: Uint8Array): { readonly value: unknown } | { readonly error: ErrorReply } {
  const reply = parse(bytes);
  if (reply !== null && typeof reply === 'object') {
    if ('value' in reply) return { value: reply.value };
    if ('error' in reply && reply.error !== null && typeof reply.error === 'object') {
      const error = reply.error as Record<string, unknown>;
      const isText = (value: unknown) => value === undefined || typeof value === 'string';
      const isError =
        isSectionErrorCode(error['code']) &&
        typeof error['status'] === 'number' &&
        typeof error['rule'] === 'string' &&
        isText(error['object']) &&
        isText(error['wayOut']);
      if (isError) return { error: error as unknown as ErrorReply };
    }
  }
  throw new SectionError('ERR_SECTION_PROTOCOL', {
    operation: 'read an answer of the system process',
    rule: 'it is not an answer',
    wayOut: 'Client and system process may come from different versions: "sectile system stop", then start it again',
  });
}
