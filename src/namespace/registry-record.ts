/**
 * The record of one local name, as bytes: who it is, and a slot for each handle on it. Encodes and
 * decodes only; opens no file and takes no lock.
 *
 *   0      header   128 bytes, below
 *   128    name     UTF-16LE, then the security descriptor that the object was created with, as UTF-8 SDDL
 *   …      slots    32 bytes each, from the next multiple of 64
 *   …      spares   two places for a changed security descriptor, behind the last slot that there can be
 *
 *   header  0 magic · 8 version u32 · 12 crc32 u32 (of all before the slots, with 0 here, then of the spare in use)
 *           16 size f64 · 24 device u64 · 32 inode u64 · 40 created f64 (ms since 1970)
 *           48 kind u32 · 52 page protection u32 · 56 attributes u32 · 60 flags u32
 *           64 page size u32 · 68 name bytes u32 · 72 bytes of the descriptor in use u32 · 76 backing u32
 *           80 offset of the slots u32 · 84 place of the descriptor in use u32: 0 after the name, 1 or 2 a spare
 *           88 identity of the directory, 16 bytes, 0 for none · 104 identity, 16 bytes
 *   slot    0 pid u32 · 4 descriptor u32 · 8 PID namespace u64 · 16 granted u32 · 20 crc32 u32 (with 0 here)
 *           24 opened f64 (ms since 1970)
 *
 * A slot is written by one system call of 32 bytes that never crosses a page, the header by one after
 * what it speaks of: a writer that is killed leaves either the old or the new state, never a mixture. A
 * descriptor that changes is written to the spare that is not in use, so that the header decides.
 */
import { crc32 } from 'node:zlib';
import { type ObjectKind, objectKinds } from '../base/object-kind.js';
import type { Backing } from '../memory/memory-object.js';
import { MAXIMUM_HOLDERS } from './lock-file.js';

const MAGIC = Buffer.from('SECTILE\0', 'latin1');
const VERSION = 2;
export const HEADER_SIZE = 128;
export const SLOT_SIZE = 32;
/** The most bytes that a security descriptor can have, 1,024 entries of the longest kind. */
const SPARE_SIZE = 2 ** 19;
const IDENTITY_SIZE = 16;

const backings: readonly Backing[] = ['pagefile', 'file', 'posix', 'descriptor'];
const FLAG_SOLE_WRITER = 1;
const FLAG_EXCLUSIVE = 2;

export interface RegistryRecord {
  readonly name: string;
  /** 32 hexadecimal digits: the directory object that holds the name; null for the user's own directory. */
  readonly directory: string | null;
  /** 32 hexadecimal digits. */
  readonly identity: string;
  readonly kind: ObjectKind;
  readonly size: number;
  readonly device: bigint;
  readonly inode: bigint;
  readonly created: number;
  readonly pageProtection: number;
  readonly attributes: number;
  readonly soleWriter: boolean;
  /** One handle at a time. */
  readonly exclusive: boolean;
  readonly pageSize: number;
  readonly backing: Backing;
  readonly security: string;
}

export interface RegistrySlot {
  readonly pid: number;
  readonly descriptor: number;
  readonly pidNamespace: bigint;
  readonly granted: number;
  readonly opened: number;
}

/** Whether a text is an identity as records keep it. */
export function isIdentity(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}

/** Header, name and descriptor of a new record; the header is the first {@link HEADER_SIZE} bytes. */
export function encodeRecord(record: RegistryRecord): Buffer {
  const name = Buffer.from(record.name, 'utf16le');
  const security = Buffer.from(record.security, 'utf8');
  const slots = Math.ceil((HEADER_SIZE + name.length + security.length) / 64) * 64;
  const bytes = Buffer.alloc(slots);
  MAGIC.copy(bytes, 0);
  bytes.writeUInt32LE(VERSION, 8);
  bytes.writeDoubleLE(record.size, 16);
  bytes.writeBigUInt64LE(record.device, 24);
  bytes.writeBigUInt64LE(record.inode, 32);
  bytes.writeDoubleLE(record.created, 40);
  bytes.writeUInt32LE(objectKinds.indexOf(record.kind) + 1, 48);
  bytes.writeUInt32LE(record.pageProtection >>> 0, 52);
  bytes.writeUInt32LE(record.attributes >>> 0, 56);
  bytes.writeUInt32LE((record.soleWriter ? FLAG_SOLE_WRITER : 0) | (record.exclusive ? FLAG_EXCLUSIVE : 0), 60);
  bytes.writeUInt32LE(record.pageSize, 64);
  bytes.writeUInt32LE(name.length, 68);
  bytes.writeUInt32LE(security.length, 72);
  bytes.writeUInt32LE(backings.indexOf(record.backing), 76);
  bytes.writeUInt32LE(slots, 80);
  bytes.write(record.directory ?? '', 88, IDENTITY_SIZE, 'hex');
  bytes.write(record.identity, 104, IDENTITY_SIZE, 'hex');
  name.copy(bytes, HEADER_SIZE);
  security.copy(bytes, HEADER_SIZE + name.length);
  bytes.writeUInt32LE(crc32(bytes), 12);
  return bytes;
}

/**
 * The header of a record whose object has another size.
 *
 * @param head All before the slots, as the record has it now.
 * @param spare A changed security descriptor, if one is in use.
 */
export function changeSize(head: Buffer, spare: Buffer | null, size: number): Buffer {
  const bytes = Buffer.from(head);
  bytes.writeUInt32LE(0, 12);
  bytes.writeDoubleLE(size, 16);
  const sum = crc32(bytes);
  bytes.writeUInt32LE(spare === null ? sum : crc32(spare, sum), 12);
  return bytes.subarray(0, HEADER_SIZE);
}

/** What to write where so that a record has another security descriptor: the spare first, then the header. */
export interface SecurityChange {
  readonly spare: Buffer;
  readonly offset: number;
  readonly header: Buffer;
}

/**
 * @param head All before the slots, as the record has it now.
 * @returns null where the descriptor is longer than a record can have it
 */
export function changeSecurity(head: Buffer, security: string): SecurityChange | null {
  const spare = Buffer.from(security, 'utf8');
  if (spare.length > SPARE_SIZE) return null;
  const bytes = Buffer.from(head);
  const place = bytes.readUInt32LE(84) === 1 ? 2 : 1;
  bytes.writeUInt32LE(0, 12);
  bytes.writeUInt32LE(spare.length, 72);
  bytes.writeUInt32LE(place, 84);
  bytes.writeUInt32LE(crc32(spare, crc32(bytes)), 12);
  return { spare, offset: spareOffset(bytes.readUInt32LE(80), place), header: bytes.subarray(0, HEADER_SIZE) };
}

function spareOffset(slots: number, place: number): number {
  return slots + MAXIMUM_HOLDERS * SLOT_SIZE + (place - 1) * SPARE_SIZE;
}

/** What the first bytes of a registry file say. */
export type HeaderState =
  | { readonly state: 'empty' } // nothing, or a creation that was cut short
  | { readonly state: 'damaged'; readonly why: string }
  | {
      readonly state: 'record';
      /** Where the slots begin: all before them belongs to the record. */
      readonly slotsOffset: number;
      /** A changed security descriptor, to be read as well. */
      readonly spare: { readonly offset: number; readonly length: number } | null;
    };

/** Looks at the header alone: what there is to read. */
export function inspectHeader(bytes: Buffer): HeaderState {
  const header = bytes.subarray(0, HEADER_SIZE);
  if (header.every((byte) => byte === 0)) return { state: 'empty' };
  if (header.length < HEADER_SIZE) return { state: 'damaged', why: 'it is too short' };
  if (!header.subarray(0, 8).equals(MAGIC)) return { state: 'damaged', why: 'it does not start as a record does' };
  const version = header.readUInt32LE(8);
  if (version !== VERSION) return { state: 'damaged', why: `it has version ${version}, this Sectile knows ${VERSION}` };
  const [slotsOffset, name, security, place] = [80, 68, 72, 84].map((at) => header.readUInt32LE(at)) as [
    number,
    number,
    number,
    number,
  ];
  const inline = place === 0 ? security : 0;
  // A name has at most 65,532 bytes.
  const possible =
    name < 1 << 16 &&
    security <= SPARE_SIZE &&
    place <= 2 &&
    slotsOffset % 64 === 0 &&
    slotsOffset >= HEADER_SIZE + name + inline &&
    slotsOffset <= HEADER_SIZE + 2 * SPARE_SIZE;
  if (!possible) return { state: 'damaged', why: 'its lengths are impossible' };
  return {
    state: 'record',
    slotsOffset,
    spare: place === 0 ? null : { offset: spareOffset(slotsOffset, place), length: security },
  };
}

/**
 * The record in these bytes; null when its checksum or a field is wrong.
 *
 * @param bytes All before the slots.
 * @param spare The changed security descriptor, where the header says that there is one.
 */
export function decodeRecord(bytes: Buffer, spare: Buffer | null): RegistryRecord | null {
  const copy = Buffer.from(bytes);
  copy.writeUInt32LE(0, 12);
  const checksum = spare === null ? crc32(copy) : crc32(spare, crc32(copy));
  const backing = backings[bytes.readUInt32LE(76)];
  const kind = objectKinds[bytes.readUInt32LE(48) - 1];
  if (checksum !== bytes.readUInt32LE(12) || backing === undefined || kind === undefined) return null;
  const nameEnd = HEADER_SIZE + bytes.readUInt32LE(68);
  const flags = bytes.readUInt32LE(60);
  const directory = bytes.subarray(88, 88 + IDENTITY_SIZE);
  return {
    name: bytes.toString('utf16le', HEADER_SIZE, nameEnd),
    directory: directory.every((byte) => byte === 0) ? null : directory.toString('hex'),
    identity: bytes.toString('hex', 104, 104 + IDENTITY_SIZE),
    kind,
    size: bytes.readDoubleLE(16),
    device: bytes.readBigUInt64LE(24),
    inode: bytes.readBigUInt64LE(32),
    created: bytes.readDoubleLE(40),
    pageProtection: bytes.readUInt32LE(52),
    attributes: bytes.readUInt32LE(56),
    soleWriter: (flags & FLAG_SOLE_WRITER) !== 0,
    exclusive: (flags & FLAG_EXCLUSIVE) !== 0,
    pageSize: bytes.readUInt32LE(64),
    backing,
    security: spare === null ? bytes.toString('utf8', nameEnd, nameEnd + bytes.readUInt32LE(72)) : spare.toString('utf8'),
  };
}

export function encodeSlot(slot: RegistrySlot): Buffer {
  const bytes = Buffer.alloc(SLOT_SIZE);
  bytes.writeUInt32LE(slot.pid, 0);
  bytes.writeUInt32LE(slot.descriptor, 4);
  bytes.writeBigUInt64LE(slot.pidNamespace, 8);
  bytes.writeUInt32LE(slot.granted >>> 0, 16);
  bytes.writeDoubleLE(slot.opened, 24);
  bytes.writeUInt32LE(crc32(bytes), 20);
  return bytes;
}

/** The slot in these 32 bytes; null when its checksum is wrong. */
export function decodeSlot(bytes: Buffer): RegistrySlot | null {
  const copy = Buffer.from(bytes);
  if (copy.length !== SLOT_SIZE) return null;
  copy.writeUInt32LE(0, 20);
  if (crc32(copy) !== bytes.readUInt32LE(20)) return null;
  return {
    pid: bytes.readUInt32LE(0),
    descriptor: bytes.readUInt32LE(4),
    pidNamespace: bytes.readBigUInt64LE(8),
    granted: bytes.readUInt32LE(16),
    opened: bytes.readDoubleLE(24),
  };
}
