/**
 * Rows of Wine's test_MapViewOfFile that use the Win32 face: mappings of files and of the paging file,
 * views of them, and what VirtualQuery and VirtualAlloc then say.
 */
import type { Case } from '../case.js';
import type { Observation } from '../compare.js';
import type { World } from '../script.js';
import { error, flags, quantity } from '../words.js';
import { type Held, heldBy, hold, viewOf } from './held.js';
import { queryObservation } from './query-section.js';
import type { Read } from './reader.js';
import { allocated } from './sections.js';
import { backingOf, createMapping, failed, mapFile, queried } from './views.js';

type Inputs = Case['inputs'];

const nameIn = (inputs: Inputs): string | null => (typeof inputs['name'] === 'string' ? inputs['name'] : null);

const create: Read = (world, testCase, suite) => {
  const { inputs, after } = testCase;
  const before = after === undefined ? null : heldBy(world, testCase);
  const backing = backingOf(world, suite, inputs['file'] ?? inputs['hFile']);
  const protect = flags(inputs['protect'] ?? 'PAGE_READWRITE');
  const handle = createMapping(world, backing, protect, quantity(inputs['size'] ?? 4096) ?? 0, nameIn(inputs));
  if (handle === 0) return failed(world);
  const lastError = error(world.win32.GetLastError());
  // A row after another makes a second object and gives it up: what is held stays the first.
  if (before !== null) world.win32.CloseHandle(handle);
  else hold(world, testCase, { handle, backing, name: nameIn(inputs) });
  return { ok: true, lastError, ...(before === null ? queryObservation(world, 'user', handle) : {}) };
};

function mapInto(world: World, held: Held, inputs: Inputs, handle = held.handle): Observation {
  const access = flags(inputs['desiredAccess'] ?? inputs['access'] ?? 'FILE_MAP_WRITE');
  const view = mapFile(world, handle, access, Number(inputs['offset'] ?? 0), Number(inputs['size'] ?? 0));
  if (view === null) return failed(world);
  held.views.push(view);
  return { ok: true };
}

const map: Read = (world, testCase) => mapInto(world, heldBy(world, testCase), testCase.inputs);

const mapTwice: Read = (world, testCase) => {
  const held = heldBy(world, testCase);
  const seen = [mapInto(world, held, testCase.inputs), mapInto(world, held, testCase.inputs)];
  const wrong = seen.find(({ ok }) => ok !== true);
  return wrong ?? { ok: true, distinctAddresses: viewOf(held, 'view1').address !== viewOf(held, 'view2').address };
};

const mapAndQuery: Read = (world, testCase) => {
  const held = heldBy(world, testCase);
  const mapped = mapInto(world, held, testCase.inputs);
  return mapped['ok'] === true ? { ...mapped, ...queried(world, viewOf(held).address) } : mapped;
};

const duplicateAndMap: Read = (world, testCase) => {
  const { win32 } = world;
  const held = heldBy(world, testCase);
  const self = win32.GetCurrentProcess();
  const handle = win32.DuplicateHandle(self, held.handle, self, flags(testCase.inputs['dupAccess']), false, 0);
  if (handle === 0) throw new Error(`DuplicateHandle: error ${win32.GetLastError()}`);
  world.later(() => void win32.CloseHandle(handle));
  return mapInto(world, held, testCase.inputs, handle);
};

const open: Read = (world, testCase) => {
  const { inputs } = testCase;
  const name = nameIn(inputs) ?? '';
  const handle = world.win32.OpenFileMapping(flags(inputs['access'] ?? 'FILE_MAP_READ'), inputs['inherit'] === true, name);
  if (handle === 0) return failed(world);
  world.later(() => void world.win32.CloseHandle(handle));
  hold(world, testCase, { handle, name });
  return { ok: true };
};

/** Addresses are told in the row's words: `view`, or where else they are. */
function inWords(seen: Observation, view: { readonly address: bigint }): Observation {
  const word = (address: unknown): unknown => (address === view.address ? 'view' : address);
  return { ...seen, BaseAddress: word(seen['BaseAddress']), AllocationBase: word(seen['AllocationBase']) };
}

const query: Read = (world, testCase) => {
  const view = viewOf(heldBy(world, testCase), /view\d?/.exec(testCase.call)?.[0]);
  return inWords(queried(world, view.address), view);
};

/** Each view must look alike; the first that differs from the one before it is what counts. */
const queryEach: Read = (world, testCase) => {
  const seen = heldBy(world, testCase).views.map((view) => ({ view, seen: queried(world, view.address) }));
  const [first] = seen;
  if (first === undefined) throw new Error('there is no view');
  const alike = (each: Observation): boolean =>
    ['RegionSize', 'State', 'Protect', 'AllocationProtect', 'Type'].every((key) => each[key] === first.seen[key]);
  const other = seen.find((each) => !alike(each.seen)) ?? first;
  return inWords(other.seen, other.view);
};

const ALLOCATE = /^VirtualAlloc\((view\d?)(?:, ?(0x[\da-f]+|\d+))?, ?(MEM_\w+)(?:, ?(PAGE_\w+))?\)( \+ VirtualQuery)?$/i;

const allocate: Read = (world, testCase) => {
  const { win32 } = world;
  const [, word = 'view', size = '0x10000', type, protect = 'PAGE_NOACCESS', andQuery] = ALLOCATE.exec(testCase.call) ?? [];
  const view = viewOf(heldBy(world, testCase), word);
  const address = win32.VirtualAlloc(view.address, Number(size), flags(type), flags(protect));
  if (address === null) return failed(world);
  const seen = inWords(queried(world, view.address), view);
  return { ok: true, returns: address === view.address ? word : address, ...(andQuery === undefined ? {} : seen) };
};

const FREE = /^VirtualFree\((view\d?), ?(0x[\da-f]+|\d+), ?(MEM_\w+)\)$/i;

const free: Read = (world, testCase) => {
  const [, word, size, type] = FREE.exec(testCase.call) ?? [];
  const view = viewOf(heldBy(world, testCase), word);
  return world.win32.VirtualFree(view.address, Number(size), flags(type)) ? { ok: true } : failed(world);
};

const unmapEach: Read = (world, testCase) => {
  const held = heldBy(world, testCase);
  const words = testCase.call.match(/view\d/g) ?? [];
  const views = words.map((word) => viewOf(held, word));
  return views.every((view) => world.win32.UnmapViewOfFile(view.address)) ? { ok: true } : failed(world);
};

/** Addresses that are no view's. */
const unmapElsewhere: Read = (world, { inputs }) => {
  const text = String(inputs['address']);
  const [, offset = '0'] = /(0x[\da-f]+) inside/.exec(text) ?? [];
  const address = /VirtualAlloc region/.test(text) ? allocated(world, 'user') + BigInt(offset) : BigInt(quantity(text) ?? 0);
  return world.win32.UnmapViewOfFile(address) ? { ok: true } : failed(world);
};

/** A view of which any address inside is unmapped. */
const unmapInside: Read = (world, { call, inputs }, suite) => {
  const size = Number(inputs['size'] ?? inputs['viewSize']);
  const backing = backingOf(world, suite, `${size}-byte file opened read/write`);
  const handle = createMapping(world, backing, flags(inputs['sectionProtect'] ?? 'PAGE_READONLY'), size);
  const view = mapFile(world, handle, flags('FILE_MAP_READ'), 0, Number(inputs['viewSize'] ?? 0));
  if (view === null) return failed(world);
  const offset = /\+ ?(0x[\da-f]+|\d+)/i.exec(call)?.[1] ?? '0';
  return world.win32.UnmapViewOfFile(view.address + BigInt(offset)) && view.closed ? { ok: true } : failed(world);
};

/** A named section of which only a view is left. */
const viewAlone: Read = (world, testCase, suite) => {
  const { win32 } = world;
  const { call, inputs } = testCase;
  const name = /named "([^"]+)"/.exec(call)?.[1] ?? 'Foo';
  const text = String(inputs['backing'] ?? 'page-file');
  const backing = backingOf(world, suite, /page-?file/.test(text) ? 'INVALID_HANDLE_VALUE' : text);
  const size = quantity(inputs['size']) ?? 0;
  const handle = win32.CreateFileMapping(backing.handle, null, win32.PAGE_READWRITE, 0, Number(size), name);
  if (handle === 0) return failed(world);
  const held = hold(world, testCase, { handle: 0, name, backing });
  const mapped = mapInto(world, held, { desiredAccess: 'FILE_MAP_WRITE' }, handle);
  const opened = win32.OpenFileMapping(win32.FILE_MAP_READ, false, name);
  const closed = win32.CloseHandle(opened) && win32.CloseHandle(handle);
  return mapped['ok'] === true && !closed ? failed(world) : mapped;
};

const readAll: Read = (world, testCase) => {
  const view = viewOf(heldBy(world, testCase));
  const total = view.bytes.reduce((sum, byte) => sum + byte, 0);
  return { accessible: total >= 0 && view.fault === null, ...queried(world, view.address) };
};

const unmapAndTouch: Read = (world, testCase) => {
  const view = viewOf(heldBy(world, testCase));
  const { address, buffer } = view;
  const ok = world.win32.UnmapViewOfFile(view);
  return { ok, accessible: buffer.byteLength > 0, ...queried(world, address) };
};

/** By what the row calls. */
export const win32Rows: readonly (readonly [call: RegExp, read: Read])[] = [
  [/^CreateFileMapping\w?(?: \+ NtQuerySection)?$/, create],
  [/^MapViewOfFile$/, map],
  [/^MapViewOfFile x2$/, mapTwice],
  [/^MapViewOfFile \+ VirtualQuery$/, mapAndQuery],
  [/^DuplicateHandle\(section, ?desiredAccess=[^)]*\) then MapViewOfFile$/, duplicateAndMap],
  [/^OpenFileMapping\w?$/, open],
  [/^VirtualQuery(?: view\d?)?$/, query],
  [/^VirtualQuery on each view$/, queryEach],
  [ALLOCATE, allocate],
  [FREE, free],
  [/^UnmapViewOfFile\(view\d\)(?:, ?UnmapViewOfFile\(view\d\))*$/, unmapEach],
  [/^UnmapViewOfFile$/, unmapElsewhere],
  [/^UnmapViewOfFile\(view ?\+ ?\w+\)$/, unmapInside],
  [/^CreateFileMapping\w? named "[^"]+" \+ MapViewOfFile\(FILE_MAP_WRITE\)/, viewAlone],
  [/^read whole view\b/, readAll],
  [/^UnmapViewOfFile, then touch/, unmapAndTouch],
];
