/**
 * Rows of Wine's test of CreateFileMapping's SEC_ flags and of its names. The environment says the
 * protection, the size and the name of every row that does not say its own.
 */
import type { Case, Suite } from '../case.js';
import type { Observation } from '../compare.js';
import type { World } from '../script.js';
import { error, flags } from '../words.js';
import type { Read, Reader } from './reader.js';
import { skipImages, skipWithoutLargePages } from './sections.js';
import { backingOf, createMapping, failed } from './views.js';

const text = (value: unknown): string => String(value ?? '').replace(/^"|"$/g, '');

/** `PAGE_READWRITE (PAGE_READONLY for the PE file)` */
function protectFor(suite: Suite, isImage: boolean): number {
  const [usual = 'PAGE_READWRITE', image = usual] = text(suite.environment['protect']).match(/PAGE_\w+/g) ?? [];
  return flags(isImage ? image : usual);
}

const create: Read = (world, { inputs, expect }, suite) => {
  const secFlags = flags(inputs['secFlags'] ?? 'SEC_COMMIT');
  if (expect['ok'] === true && (secFlags & world.win32.SEC_LARGE_PAGES) !== 0)
    skipWithoutLargePages(world, Number(suite.environment['size'] ?? 4096));
  const backing = backingOf(world, suite, inputs['file']);
  const protect = (protectFor(suite, backing.plan?.isImage === true) | secFlags) >>> 0;
  const handle = createMapping(world, backing, protect, Number(suite.environment['size'] ?? 4096), nameOf(suite, inputs));
  if (handle === 0) {
    const isRefused = world.win32.GetLastError() === world.win32.ERROR_NOT_SUPPORTED;
    if (isRefused && expect['ok'] === true) skipImages(world, inputs['secFlags'], world.nt.STATUS_NOT_SUPPORTED);
    return failed(world);
  }
  const last = world.win32.GetLastError();
  const { sectionInformation } = world.nt.NtQuerySection(handle, world.nt.SectionBasicInformation);
  return { ok: true, lastError: error(last), attributes: sectionInformation?.AllocationAttributes };
};

function nameOf(suite: Suite, inputs: Case['inputs']): string | null {
  return text(inputs['name'] ?? suite.environment['name']) || null;
}

/** The section that the name rows find there: their `given` is that it is still open. */
function first(world: World, suite: Suite): void {
  const name = text(suite.environment['name']);
  if (createMapping(world, backingOf(world, suite, null), protectFor(suite, false), 4096, name) === 0)
    throw new Error(`CreateFileMapping: error ${world.win32.GetLastError()}`);
}

function createAgain(world: World, { inputs }: Case, suite: Suite): Observation {
  first(world, suite);
  const name = nameOf(suite, inputs);
  const handle = createMapping(world, backingOf(world, suite, null), protectFor(suite, false), 4096, name);
  return handle === 0 ? failed(world) : { ok: true, lastError: world.win32.GetLastError() };
}

function open(world: World, { inputs, given = '' }: Case, suite: Suite): Observation {
  const { win32 } = world;
  first(world, suite);
  if (/was closed/.test(given)) {
    const other = win32.CreateFileMapping(-1, null, protectFor(suite, false), 0, 4096, nameOf(suite, inputs));
    win32.CloseHandle(other);
  }
  const handle = win32.OpenFileMapping(flags(inputs['access'] ?? 'FILE_MAP_ALL_ACCESS'), false, nameOf(suite, inputs) ?? '');
  if (handle === 0) return failed(world);
  win32.CloseHandle(handle);
  return { ok: true };
}

const rows: readonly (readonly [call: RegExp, fields: readonly string[], read: Read])[] = [
  [/^CreateFileMapping\w?$/, [], create],
  [/^CreateFileMapping\w?, upper-case name$|^CreateFileMapping\w? again\b/, ['name'], createAgain],
  [/^OpenFileMapping\w?$/, ['name'], open],
];

export const mappingFlags: readonly Reader[] = rows.map(([call, fields, read]) => ({
  reads: ({ fn, call: made, inputs }, { name }) =>
    (name.startsWith('wine-kernel32-createfilemapping') || fn === 'test_CreateFileMapping') &&
    call.test(made) &&
    fields.every((each) => each in inputs),
  read,
}));
