/**
 * Where each field of a driver's two records stands: the rules of C on x64 and ARM64, where every type is aligned to
 * its own size.
 */
import { type Field, fieldTypes } from './field.js';

export interface PlacedField extends Field {
  /** Bytes from the record's start. */
  readonly at: number;
}

export interface RecordLayout {
  readonly fields: readonly PlacedField[];
  readonly bytes: number;
}

export interface DriverLayout {
  /** The driver writes, applications read. */
  readonly sample: RecordLayout;
  /** Applications write under the lock. */
  readonly controls: RecordLayout;
  /** A number that another layout has not: driver and application compare it. */
  readonly id: number;
}

/** In every sample, before the fields of the driver's own. */
export const sampleFields: readonly Field[] = [
  { name: 'number', type: 'u64', length: null, comment: 'counts samples, from 1' },
  { name: 'time', type: 'u64', length: null, comment: '100 ns since the machine started' },
  { name: 'request', type: 'u32', length: null, comment: 'the last request that the driver looked at' },
  { name: 'status', type: 'u32', length: null, comment: 'what it made of it: an NTSTATUS' },
  { name: 'interval', type: 'u32', length: null, comment: 'ms between samples' },
  { name: 'leases', type: 'u32', length: null, comment: 'locks that were taken from whoever kept them' },
];

/** In all controls, before the fields of the driver's own. */
export const controlFields: readonly Field[] = [
  { name: 'request', type: 'u32', length: null, comment: 'one more than before says: look at these values' },
];

/** A record as large as this is not for a sequence lock, which is copied as a whole. */
export const MAXIMUM_RECORD_BYTES = 65536;

/** Both records start at a multiple of this. */
const RECORD_ALIGNMENT = 8;

const up = (bytes: number, alignment: number): number => Math.ceil(bytes / alignment) * alignment;

function place(fields: readonly Field[]): RecordLayout {
  let end = 0;
  const placed = fields.map((field) => {
    const { bytes } = fieldTypes[field.type];
    const at = up(end, bytes);
    end = at + bytes * (field.length ?? 1);
    return { ...field, at };
  });
  const largest = Math.max(...fields.map(({ type }) => fieldTypes[type].bytes));
  return { fields: placed, bytes: up(end, Math.min(largest, RECORD_ALIGNMENT)) };
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value;
}

const spell = ({ fields }: RecordLayout): string =>
  fields.map(({ name, type, length, at }) => `${at} ${name}:${type}${length === null ? '' : `[${length}]`}`).join(';');

/** The layout of a driver with these fields of its own. */
export function layOut(fields: readonly Field[], controls: readonly Field[]): DriverLayout {
  const sample = place([...sampleFields, ...fields]);
  const placedControls = place([...controlFields, ...controls]);
  return { sample, controls: placedControls, id: hash(`${spell(sample)}|${spell(placedControls)}`) };
}
