/**
 * The calls that a random sequence is made of, as data, and how they are drawn. Handles and views are
 * meant by number: of those that the process ever had, closed ones included.
 */
import fc from 'fast-check';

export const USERS = 3;
/** The number of the process that calls in kernel mode: the system process. */
export const KERNEL = USERS;

export type Kind = 'Section' | 'Event';

export interface Create {
  readonly call: 'create';
  readonly process: number;
  readonly kind: Kind;
  readonly name: string | null;
  readonly flags: readonly Flag[];
  readonly access: number;
  readonly protection: number;
  readonly attributes: number;
  readonly size: number;
  /** Which of {@link securities}. */
  readonly security: number;
}

export interface Open {
  readonly call: 'open';
  readonly process: number;
  readonly kind: Kind;
  readonly name: string;
  readonly flags: readonly Flag[];
  readonly access: number;
}

export interface Map {
  readonly call: 'map';
  readonly process: number;
  readonly handle: number;
  /** Where: anywhere, where a view is, or where none may be. */
  readonly place: 'any' | 'taken' | 'odd';
  readonly offset: number;
  readonly size: number;
  readonly commit: number;
  readonly inherit: number;
  readonly type: number;
  readonly protection: number;
}

export interface OnHandle {
  readonly call: 'close' | 'query';
  readonly process: number;
  readonly handle: number;
}

export interface Duplicate {
  readonly call: 'duplicate';
  readonly process: number;
  readonly handle: number;
  readonly access: number;
  readonly options: number;
}

export interface Unmap {
  readonly call: 'unmap';
  readonly process: number;
  readonly view: number;
  /** Bytes from the view's start. */
  readonly inside: number;
}

/** On one page of a view: its first byte, its commitment. */
export interface OnPage {
  readonly call: 'read' | 'write' | 'commit' | 'state';
  readonly process: number;
  readonly view: number;
  readonly page: number;
  readonly value: number;
}

export interface Kill {
  readonly call: 'kill';
  readonly process: number;
}

export type Call = Create | Open | Map | OnHandle | Duplicate | Unmap | OnPage | Kill;

export type Flag = 'OPENIF' | 'CASE_INSENSITIVE' | 'FORCE_ACCESS_CHECK' | 'KERNEL_HANDLE';

/** Security descriptors, and what they grant to everybody beside the owner's READ_CONTROL and WRITE_DAC; none: all. */
export const securities: readonly { readonly sddl: string | null; readonly grants?: number }[] = [
  { sddl: null },
  { sddl: 'D:(A;;0x20005;;;WD)', grants: 0x2_0005 },
  { sddl: 'D:(D;;0x2;;;WD)(A;;0x1f001f;;;WD)', grants: 0x1f_001d },
  { sddl: 'D:(A;;0x20001;;;WD)(A;IO;GA;;;WD)', grants: 0x2_0001 },
];

const anyProcess = fc.nat(USERS);
const handle = fc.nat(7);
const view = fc.nat(5);
const names = fc.constantFrom(
  'G\\a',
  'G\\a',
  'G\\A',
  'G\\b',
  'L\\a',
  'L\\a',
  'L\\A',
  'L\\b',
  'relative',
  'G\\a\\b',
  'G\\none\\',
  '\\Nowhere\\a',
);
const flags = fc.subarray<Flag>(['OPENIF', 'CASE_INSENSITIVE', 'FORCE_ACCESS_CHECK', 'KERNEL_HANDLE']);
const sectionAccess = fc.constantFrom(
  0xf_001f,
  0xf_001f,
  0x1,
  0x2,
  0x4,
  0x5,
  0x6,
  0xc,
  0x10,
  0,
  0x8000_0000,
  0x4000_0000,
  0x1000_0000,
  0x2_0000,
);
const protection = fc.constantFrom(0x02, 0x04, 0x04, 0x08, 0x20, 0x40, 0x80, 0x10, 0x01, 0x06, 0x104, 0);
const kind = fc.constantFrom<Kind>('Section', 'Section', 'Section', 'Event');

const create: fc.Arbitrary<Create> = fc.record({
  call: fc.constant('create'),
  process: anyProcess,
  kind,
  name: fc.option(names, { freq: 8 }),
  flags,
  access: sectionAccess,
  protection,
  attributes: fc.constantFrom(
    0x800_0000,
    0x800_0000,
    0x800_0000,
    0x400_0000,
    0x400_0000,
    0x1800_0000,
    0xc00_0000,
    0,
    0x2000_0000,
  ),
  size: fc.constantFrom(65_536, 65_536, 200_000, 1, 4096, 131_073, 0, -1),
  security: fc.nat(securities.length - 1),
});

const open: fc.Arbitrary<Open> = fc.record({
  call: fc.constant('open'),
  process: anyProcess,
  kind,
  name: names,
  flags,
  access: sectionAccess,
});

const map: fc.Arbitrary<Map> = fc.record({
  call: fc.constant('map'),
  process: anyProcess,
  handle,
  place: fc.constantFrom('any', 'any', 'any', 'any', 'any', 'any', 'taken', 'odd'),
  offset: fc.constantFrom(0, 0, 0, 0, 65_536, 131_072, 4096, 1),
  size: fc.constantFrom(0, 0, 0, 1, 4096, 65_536, 65_537, 300_000),
  commit: fc.constantFrom(0, 0, 0, 0, 4096, 2 ** 40),
  inherit: fc.constantFrom(1, 2, 2, 2, 2, 3),
  type: fc.constantFrom(0, 0, 0, 0, 0, 0, 0x10_0000, 0x1000, 0x2000),
  protection,
});

const page = (call: OnPage['call']): fc.Arbitrary<OnPage> =>
  fc.record({ call: fc.constant(call), process: anyProcess, view, page: fc.nat(3), value: fc.integer({ min: 1, max: 255 }) });

/** A sequence of calls; first some that make objects, so that the others have something to meet. */
export const sequences: fc.Arbitrary<readonly Call[]> = fc
  .tuple(
    fc.array(create, { minLength: 1, maxLength: 3 }),
    fc.array(
      fc.oneof(
        { weight: 3, arbitrary: create },
        { weight: 4, arbitrary: open },
        { weight: 8, arbitrary: map },
        { weight: 3, arbitrary: fc.record({ call: fc.constant('close' as const), process: anyProcess, handle }) },
        { weight: 2, arbitrary: fc.record({ call: fc.constant('query' as const), process: anyProcess, handle }) },
        {
          weight: 2,
          arbitrary: fc.record({
            call: fc.constant('duplicate' as const),
            process: anyProcess,
            handle,
            access: sectionAccess,
            options: fc.constantFrom(0, 0, 2, 1, 3),
          }),
        },
        {
          weight: 3,
          arbitrary: fc.record({
            call: fc.constant('unmap' as const),
            process: anyProcess,
            view,
            inside: fc.constantFrom(0, 0, 1, 4096),
          }),
        },
        { weight: 3, arbitrary: page('write') },
        { weight: 3, arbitrary: page('read') },
        { weight: 2, arbitrary: page('commit') },
        { weight: 2, arbitrary: page('state') },
      ),
      { minLength: 4, maxLength: 24 },
    ),
    // Ends of processes are dear: one sequence in forty has one.
    fc.oneof(
      { weight: 39, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: fc.record({ process: fc.nat(USERS - 1), at: fc.nat(20) }) },
    ),
  )
  .map(([first, rest, kill]) => {
    const calls: Call[] = [...first, ...rest];
    return kill === null ? calls : calls.toSpliced(kill.at, 0, { call: 'kill', process: kill.process });
  });
