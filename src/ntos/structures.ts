/**
 * Structures of the system without pointers in them: tables of what stands where, as x64 has it, and how they are read
 * and written.
 */
const kinds = {
  u8: { read: (view: DataView, at: number): number => view.getUint8(at) },
  u16: { read: (view: DataView, at: number): number => view.getUint16(at, true) },
  u32: { read: (view: DataView, at: number): number => view.getUint32(at, true) },
  i32: { read: (view: DataView, at: number): number => view.getInt32(at, true) },
  /** A size or an offset: as a number. */
  size: { read: (view: DataView, at: number): number => Number(view.getBigUint64(at, true)) },
  /** An address. */
  address: { read: (view: DataView, at: number): bigint => view.getBigUint64(at, true) },
} as const;

type Kind = keyof typeof kinds;
type Fields = Readonly<Record<string, readonly [offset: number, kind: Kind]>>;
type Values<F extends Fields> = { readonly [Name in keyof F]: ReturnType<(typeof kinds)[F[Name][1]]['read']> };

export class Structure<F extends Fields> {
  /** sizeof */
  readonly bytes: number;
  readonly #fields: F;

  constructor(bytes: number, fields: F) {
    this.bytes = bytes;
    this.#fields = fields;
  }

  /** Room for one. */
  room(): Uint8Array {
    return new Uint8Array(this.bytes);
  }

  /** @param at Where in the bytes it starts. */
  read(bytes: Uint8Array, at = 0): Values<F> {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const entries = Object.entries(this.#fields).map(([name, [offset, kind]]) => [name, kinds[kind].read(view, at + offset)]);
    return Object.fromEntries(entries) as Values<F>;
  }
}

/** 64 bits that a call reads, fills, or both. */
export function words64(...values: readonly bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values).buffer);
}

export function wordAt(bytes: Uint8Array, index = 0): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(index * 8, true);
}

/** A handle that a call filled in: 32 bits, sign-extended. */
export function handleIn(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getInt32(0, true);
}

/** 32 bits that a call filled in, signed. */
export const longIn = handleIn;

/** Text of so many bytes. */
export function textIn(bytes: Uint8Array, at: number, length: number): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = '';
  for (let offset = 0; offset + 1 < length; offset += 2) text += String.fromCharCode(view.getUint16(at + offset, true));
  return text;
}

/** What NtQueryVirtualMemory and VirtualQuery tell of pages. */
export const MEMORY_BASIC_INFORMATION = new Structure(48, {
  BaseAddress: [0, 'address'],
  AllocationBase: [8, 'address'],
  AllocationProtect: [16, 'u32'],
  RegionSize: [24, 'size'],
  State: [32, 'u32'],
  Protect: [36, 'u32'],
  Type: [40, 'u32'],
});
