/**
 * Records of fixed layout in bytes: C's struct as an object and back. Little-endian, as everything shared is.
 */

type FieldType = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'u64' | 'i64' | 'f32' | 'f64';

interface Field {
  /** Bytes from the record's start. */
  readonly at: number;
  readonly type: FieldType;
  /** Elements; without it the field is a plain value. */
  readonly length?: number;
}

export type Layout = Readonly<Record<string, Field>>;

type ValueOf<T extends FieldType> = T extends 'u64' | 'i64' ? bigint : number;

/** The object for a layout: bigint for 64-bit integers, number for the rest, arrays where the field has a length. */
export type RecordOf<L extends Layout> = {
  readonly [K in keyof L]: L[K] extends { readonly length: number } ? readonly ValueOf<L[K]['type']>[] : ValueOf<L[K]['type']>;
};

interface Access {
  readonly bytes: number;
  get(view: DataView, at: number): number | bigint;
  set(view: DataView, at: number, value: number | bigint): void;
}

const numeric = (
  bytes: number,
  get: (view: DataView, at: number) => number,
  set: (view: DataView, at: number, value: number) => void,
): Access => ({ bytes, get, set: (view, at, value) => set(view, at, Number(value)) });

const accesses: Readonly<Record<FieldType, Access>> = {
  u8: numeric(
    1,
    (view, at) => view.getUint8(at),
    (view, at, value) => view.setUint8(at, value),
  ),
  i8: numeric(
    1,
    (view, at) => view.getInt8(at),
    (view, at, value) => view.setInt8(at, value),
  ),
  u16: numeric(
    2,
    (view, at) => view.getUint16(at, true),
    (view, at, value) => view.setUint16(at, value, true),
  ),
  i16: numeric(
    2,
    (view, at) => view.getInt16(at, true),
    (view, at, value) => view.setInt16(at, value, true),
  ),
  u32: numeric(
    4,
    (view, at) => view.getUint32(at, true),
    (view, at, value) => view.setUint32(at, value, true),
  ),
  i32: numeric(
    4,
    (view, at) => view.getInt32(at, true),
    (view, at, value) => view.setInt32(at, value, true),
  ),
  f32: numeric(
    4,
    (view, at) => view.getFloat32(at, true),
    (view, at, value) => view.setFloat32(at, value, true),
  ),
  f64: numeric(
    8,
    (view, at) => view.getFloat64(at, true),
    (view, at, value) => view.setFloat64(at, value, true),
  ),
  u64: {
    bytes: 8,
    get: (view, at) => view.getBigUint64(at, true),
    set: (view, at, value) => view.setBigUint64(at, BigInt(value), true),
  },
  i64: {
    bytes: 8,
    get: (view, at) => view.getBigInt64(at, true),
    set: (view, at, value) => view.setBigInt64(at, BigInt(value), true),
  },
};

/** The record that lies in these bytes. */
export function decode<L extends Layout>(layout: L, view: DataView): RecordOf<L> {
  const values = Object.entries(layout).map(([name, { at, type, length }]) => {
    const { bytes, get } = accesses[type];
    const value = length === undefined ? get(view, at) : Array.from({ length }, (_, index) => get(view, at + index * bytes));
    return [name, value];
  });
  return Object.fromEntries(values) as RecordOf<L>;
}

/** Puts values into these bytes; fields that are not named stay as they are. */
export function encode<L extends Layout>(layout: L, view: DataView, values: Partial<RecordOf<L>>): void {
  for (const [name, value] of Object.entries(values) as [string, number | bigint | readonly (number | bigint)[]][]) {
    const field = layout[name];
    if (field === undefined) throw new RangeError(`there is no field "${name}": ${Object.keys(layout).join(', ')}`);
    const { bytes, set } = accesses[field.type];
    const elements = Array.isArray(value) ? value : [value];
    if (elements.length !== (field.length ?? 1))
      throw new RangeError(`"${name}" has ${field.length ?? 1} elements, not ${elements.length}`);
    elements.forEach((element, index) => {
      set(view, field.at + index * bytes, element);
    });
  }
}
