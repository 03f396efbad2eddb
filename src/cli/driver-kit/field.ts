/**
 * What a field of a driver's layout may be, and how users write one: `temperature:f64`, `samples:f32[16]`.
 */
import { InvalidArgumentError } from 'commander';

/** Types of fields: bytes, and what C calls them. */
export const fieldTypes = {
  u8: { bytes: 1, c: 'uint8_t' },
  i8: { bytes: 1, c: 'int8_t' },
  u16: { bytes: 2, c: 'uint16_t' },
  i16: { bytes: 2, c: 'int16_t' },
  u32: { bytes: 4, c: 'uint32_t' },
  i32: { bytes: 4, c: 'int32_t' },
  u64: { bytes: 8, c: 'uint64_t' },
  i64: { bytes: 8, c: 'int64_t' },
  f32: { bytes: 4, c: 'float' },
  f64: { bytes: 8, c: 'double' },
} as const;

export type FieldType = keyof typeof fieldTypes;

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  /** How many of them; null for a plain value. */
  readonly length: number | null;
  /** What stands beside it in the files that are made. */
  readonly comment?: string;
}

const MAXIMUM_ELEMENTS = 8192;
const MAXIMUM_NAME = 40;

/** Words that C, C++, JavaScript or the headers of Windows have taken. */
const taken = new Set(
  (
    'alignas alignof and asm auto bool break case catch char class const constructor continue default delete do double else ' +
    'enum environ errno explicit export extern false far float for friend goto huge hyper if inline int interface linux long ' +
    'max min mutable near new not operator or private protected prototype public register restrict return short signed ' +
    'sizeof small static stderr stdin stdout struct switch template this throw true try typedef typename union unix unsigned ' +
    'using virtual void volatile while xor'
  ).split(' '),
);

/**
 * Whether C takes it as a name, as far as one can tell without a compiler. Words in capitals are not taken: that is how
 * headers write what the preprocessor replaces.
 */
export const isIdentifier = (text: string): boolean =>
  /^[A-Za-z][A-Za-z0-9_]*$/.test(text) && !/^[A-Z0-9_]{2,}$/.test(text) && !taken.has(text);

/**
 * Reads a field as users write it.
 *
 * @throws InvalidArgumentError that says what is wrong with it
 */
export function parseField(text: string): Field {
  const [, name = '', type = '', count] = /^([^:]*):([^[\]]*)(?:\[(\d+)\])?$/.exec(text) ?? [];
  if (type === '') throw new InvalidArgumentError('It must have the form NAME:TYPE or NAME:TYPE[COUNT], such as speed:f64.');
  if (!isIdentifier(name) || name.length > MAXIMUM_NAME)
    throw new InvalidArgumentError(
      `"${name}" is no name for a field: letters, digits and "_" from a letter on, at most ${MAXIMUM_NAME}, no word of C, not all in capitals.`,
    );
  if (!Object.hasOwn(fieldTypes, type))
    throw new InvalidArgumentError(`"${type}" is no type: it must be one of ${Object.keys(fieldTypes).join(', ')}.`);
  const length = count === undefined ? null : Number(count);
  if (length !== null && !(length >= 1 && length <= MAXIMUM_ELEMENTS))
    throw new InvalidArgumentError(`An array has 1 to ${MAXIMUM_ELEMENTS} elements.`);
  return { name, type: type as FieldType, length };
}

/** Collects fields of a repeatable option, each name once. */
export function collectFields(text: string, before: readonly Field[]): readonly Field[] {
  const field = parseField(text);
  if (before.some(({ name }) => name === field.name)) throw new InvalidArgumentError(`There is a field "${field.name}" already.`);
  return [...before, field];
}
