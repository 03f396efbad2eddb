/**
 * The record of one local name, as bytes: who it is, and a slot for each handle on it. Encodes and
 * decodes only; opens no file and takes no lock.
 *
 *   0      header   128 bytes, below
 *   128    name     UTF-16LE, then the security descriptor as UTF-8 SDDL
 *   …      slots    32 bytes each, from the next multiple of 64
 *
 *   header  0 magic · 8 version u32 · 12 crc32 u32 (of header with 0 here, name, security)
 *           16 size f64 · 24 device u64 · 32 inode u64 · 40 created f64 (ms since 1970)
 *           48 type u32 · 52 page protection u32 · 56 attributes u32 · 60 flags u32
 *           64 page size u32 · 68 name bytes u32 · 72 security bytes u32 · 76 backing u32
 *   slot    0 pid u32 · 4 descriptor u32 · 8 PID namespace u64 · 16 granted u32 · 20 crc32 u32 (with 0 here)
 *           24 opened f64 (ms since 1970)
 *
 * A slot is written by one system call of 32 bytes that never crosses a page, the header by one after
 * the name: a writer that is killed leaves either the old or the new state, never a mixture.
 */
import { crc32 } from 'node:zlib';
import type { Backing } from '../memory/memory-object.js';

const MAGIC = Buffer.from('SECTILE\0', 'latin1');
const VERSION = 1;
export const HEADER_SIZE = 128;
export const SLOT_SIZE = 32;

/** One namespace for all kinds of objects. */
export const ObjectType = { section: 1 } as const;
const backings: readonly Backing[] = ['pagefile', 'file', 'posix', 'descriptor'];
const FLAG_SOLE_WRITER = 1;

export interface RegistryRecord {
  readonly name: string;
  readonly type: number;
  readonly size: number;
  readonly device: bigint;
  readonly inode: bigint;
  readonly created: number;
  readonly pageProtection: number;
  readonly attributes: number;
  readonly soleWriter: boolean;
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

export function slotsOffset(nameBytes: number, securityBytes: number): number {
  return Math.ceil((HEADER_SIZE + nameBytes + securityBytes) / 64) * 64;
}

/** Header and body in one; the header is the first {@link HEADER_SIZE} bytes. */
export function encodeRecord(record: RegistryRecord): Buffer {
  const name = Buffer.from(record.name, 'utf16le');
  const security = Buffer.from(record.security, 'utf8');
  const bytes = Buffer.alloc(slotsOffset(name.length, security.length));
  MAGIC.copy(bytes, 0);
  bytes.writeUInt32LE(VERSION, 8);
  bytes.writeDoubleLE(record.size, 16);
  bytes.writeBigUInt64LE(record.device, 24);
  bytes.writeBigUInt64LE(record.inode, 32);
  bytes.writeDoubleLE(record.created, 40);
  bytes.writeUInt32LE(record.type, 48);
  bytes.writeUInt32LE(record.pageProtection >>> 0, 52);
  bytes.writeUInt32LE(record.attributes >>> 0, 56);
  bytes.writeUInt32LE(record.soleWriter ? FLAG_SOLE_WRITER : 0, 60);
  bytes.writeUInt32LE(record.pageSize, 64);
  bytes.writeUInt32LE(name.length, 68);
  bytes.writeUInt32LE(security.length, 72);
  bytes.writeUInt32LE(backings.indexOf(record.backing), 76);
  name.copy(bytes, HEADER_SIZE);
  security.copy(bytes, HEADER_SIZE + name.length);
  bytes.writeUInt32LE(crc32(bytes), 12);
  return bytes;
}

/** What the first bytes of a registry file say. */
export type HeaderState =
  | { readonly state: 'empty' } // nothing, or a creation that was cut short
  | { readonly state: 'damaged'; readonly why: string }
  | { readonly state: 'record'; readonly slotsOffset: number };

/** Looks at the header alone: how much there is to read. */
export function inspectHeader(bytes: Buffer): HeaderState {
  const header = bytes.subarray(0, HEADER_SIZE);
  if (header.every((byte) => byte === 0)) return { state: 'empty' };
  if (header.length < HEADER_SIZE) return { state: 'damaged', why: 'it is too short' };
  if (!header.subarray(0, 8).equals(MAGIC)) return { state: 'damaged', why: 'it does not start as a record does' };
  const version = header.readUInt32LE(8);
  if (version !== VERSION) return { state: 'damaged', why: `it has version ${version}, this Sectile knows ${VERSION}` };
  const end = slotsOffset(header.readUInt32LE(68), header.readUInt32LE(72));
  // A name has at most 65,532 bytes and a descriptor 64 KiB characters.
  if (end > 1 << 20) return { state: 'damaged', why: 'its lengths are impossible' };
  return { state: 'record', slotsOffset: end };
}

/** The record in `bytes`, which reach to the slots; null when its checksum or a field is wrong. */
export function decodeRecord(bytes: Buffer): RegistryRecord | null {
  const copy = Buffer.from(bytes);
  copy.writeUInt32LE(0, 12);
  const backing = backings[bytes.readUInt32LE(76)];
  if (crc32(copy) !== bytes.readUInt32LE(12) || backing === undefined) return null;
  const nameEnd = HEADER_SIZE + bytes.readUInt32LE(68);
  return {
    name: bytes.toString('utf16le', HEADER_SIZE, nameEnd),
    type: bytes.readUInt32LE(48),
    size: bytes.readDoubleLE(16),
    device: bytes.readBigUInt64LE(24),
    inode: bytes.readBigUInt64LE(32),
    created: bytes.readDoubleLE(40),
    pageProtection: bytes.readUInt32LE(52),
    attributes: bytes.readUInt32LE(56),
    soleWriter: (bytes.readUInt32LE(60) & FLAG_SOLE_WRITER) !== 0,
    pageSize: bytes.readUInt32LE(64),
    backing,
    security: bytes.toString('utf8', nameEnd, nameEnd + bytes.readUInt32LE(72)),
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
