/**
 * Rows of Wine's virtual.c that use the NT face: sections of files, what is asked about them, their
 * views, and whether two addresses are of one file.
 */
import { readFileSync } from 'node:fs';
import type { Case, Suite } from '../case.js';
import type { Observation } from '../compare.js';
import type { World } from '../script.js';
import { flags, status } from '../words.js';
import { heldBy, hold, viewOf } from './held.js';
import { queryObservation } from './query-section.js';
import type { Read } from './reader.js';
import { allocated, closeLater, createSection, mapView, skipImages } from './sections.js';
import { backingOf, createMapping, mapFile } from './views.js';

const create: Read = (world, testCase, suite) => {
  const { inputs } = testCase;
  const backing = backingOf(world, suite, inputs['file'] ?? 'INVALID_HANDLE_VALUE');
  const file = backing.plan === null ? null : backing.handle;
  const section = createSection(world, 'user', inputs, file);
  if (testCase.expect['status'] === 'STATUS_SUCCESS') skipImages(world, inputs['allocationAttributes'], section.status);
  if (section.handle === 0) return { status: status(section.status) };
  closeLater(world, 'user', section.handle);
  hold(world, testCase, { handle: section.handle, backing });
  return { ...queryObservation(world, 'user', section.handle), status: status(section.status) };
};

const map: Read = (world, testCase) => {
  const held = heldBy(world, testCase);
  const mapped = mapView(world, 'user', held.handle, testCase.inputs);
  if (mapped.view !== null) {
    const { view } = mapped;
    held.views.push(view);
    world.later(() => void world.win32.UnmapViewOfFile(view));
  }
  return { status: status(mapped.status) };
};

/** `size 0x100000 over a 4096-byte file` in the call itself, for a row that has nothing before it. */
function madeFor(world: World, suite: Suite, call: string): number {
  const [, size = '0x100000', file = '4096'] = /size (0x[\da-f]+|\d+) over an? (\d+)-byte file/i.exec(call) ?? [];
  const backing = backingOf(world, suite, `${file}-byte file opened read/write`);
  return createMapping(world, backing, world.win32.PAGE_READWRITE, Number(size));
}

const query: Read = (world, testCase, suite) => {
  const { call, inputs, after } = testCase;
  if (after === undefined) return queryObservation(world, 'user', madeFor(world, suite, call));
  const held = heldBy(world, testCase);
  let { handle } = held;
  // Rows that say the handle's access, and come after one that made a name, open it so.
  if (inputs['handleAccess'] !== undefined && held.name !== null) {
    handle = world.win32.OpenFileMapping(flags(inputs['handleAccess']), false, held.name);
    closeLater(world, 'user', handle);
  }
  return queryObservation(world, 'user', handle, flags(inputs['class'] ?? 0), inputs['length']);
};

/** The first address of a mapping of this process, as the host has it. */
function hostAddress(fits: (line: string) => boolean): bigint {
  const line = readFileSync('/proc/self/maps', 'latin1').split('\n').find(fits);
  if (line === undefined) throw new Error('the process has no such mapping');
  return BigInt(`0x${line.split('-')[0]}`);
}

function dataViews(world: World, suite: Suite): readonly [bigint, bigint] {
  const backing = backingOf(world, suite, '4096-byte file opened read/write');
  const handle = createMapping(world, backing, world.win32.PAGE_READWRITE, 4096);
  const [first, second] = [0, 1].map(() => mapFile(world, handle, world.win32.FILE_MAP_READ));
  if (!first || !second) throw new Error(`MapViewOfFile: error ${world.win32.GetLastError()}`);
  return [first.address, second.address];
}

/** Addresses by what the rows call them. An image of Windows is no part of a Linux process: its own program stands for it. */
function addressNamed(world: World, suite: Suite, word: string): bigint | null {
  if (word === 'NULL') return null;
  if (/\bview\b/.test(word)) return dataViews(world, suite)[0];
  if (/image base/.test(word)) return hostAddress((line) => / r-xp .*\//.test(line));
  if (/heap/.test(word)) return hostAddress((line) => line.endsWith('[heap]'));
  if (/VirtualAlloc/.test(word)) return allocated(world, 'user');
  throw new Error(`"${word}" is no address`);
}

const areTheSame: Read = (world, { inputs }, suite) => {
  const text = String(inputs['addresses']);
  const [first, second] = text.startsWith('two data views')
    ? dataViews(world, suite)
    : text.split(',').map((word) => addressNamed(world, suite, word.trim()));
  return { status: status(world.nt.NtAreMappedFilesTheSame(first ?? null, second ?? null)) };
};

/** By what the row calls. */
export const ntRows: readonly (readonly [call: RegExp, read: Read])[] = [
  [/^NtCreateSection$/, create],
  [/^NtMapViewOfSection$/, map],
  [/^NtQuerySection\b/, query],
  [/^NtAreMappedFilesTheSame$/, areTheSame],
];

const sizeIn = (text: unknown): number => Number(/\d+/.exec(String(text))?.[0] ?? 0);

/** Files that a section makes larger; the environment says how large an existing one is. */
const grow: Read = (world, testCase, suite) => {
  const { inputs } = testCase;
  const text = String(inputs['file']);
  const before = Number(inputs['fileSizeBefore'] ?? (/\bnew\b/.test(text) ? 0 : sizeIn(suite.environment['existing file'])));
  const backing = backingOf(world, suite, `${text}, opened read/write, ${before} bytes`);
  const section = createSection(
    world,
    'user',
    { ...inputs, sectionPageProtection: 'PAGE_READWRITE', allocationAttributes: 'SEC_COMMIT' },
    backing.handle,
  );
  if (section.handle !== 0) hold(world, testCase, { handle: section.handle, backing });
  return { status: status(section.status) };
};

const writeGrown: Read = (world, testCase) => {
  const held = heldBy(world, testCase);
  const path = held.backing?.path ?? '';
  const content = readFileSync(path);
  const { status: result, view } = mapView(world, 'user', held.handle, testCase.inputs);
  if (view === null) return { status: status(result) };
  held.views.push(view);
  const first = view.bytes[0];
  view.bytes.fill(0x5a, 0, content.length);
  const written = readFileSync(path).every((byte) => byte === 0x5a) && view.fault === null;
  const size = sizeIn(testCase.expect['writeAll']);
  return {
    status: status(result),
    firstByte: typeof testCase.expect['firstByte'] === 'string' && first === content[0] ? testCase.expect['firstByte'] : first,
    writeAll: `${content.length} bytes ${written && content.length === size ? 'ok' : 'written in part'}`,
  };
};

const giveUp: Read = (world, testCase): Observation => {
  const { nt } = world;
  const held = heldBy(world, testCase);
  const statuses = [
    nt.NtUnmapViewOfSection(nt.NtCurrentProcess(), viewOf(held).address),
    nt.NtClose(held.handle),
    nt.NtClose(held.backing?.handle ?? 0),
  ];
  return { status: status(statuses.find((each) => each !== 0) ?? 0) };
};

/** Rows of ReactOS's test of sections that grow files. */
export const growthRows: readonly (readonly [call: RegExp, read: Read])[] = [
  [/^NtCreateSection$/, grow],
  [/^NtMapViewOfSection$/, writeGrown],
  [/^NtUnmapViewOfSection, ?NtClose\b/, giveUp],
];

export const isGrowth = (_: Case, { name, path }: Suite): boolean =>
  name.startsWith('reactos-ntcreatesection') || /\bNtCreateSection_(?:user|drv)\.c/.test(path);
