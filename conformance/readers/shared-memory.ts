/**
 * Rows of Wine's tests of shared memory: two processes and one name.
 */
import type { Parent, World } from '../script.js';
import { error, flags } from '../words.js';
import type { Read } from './reader.js';
import { createMapping, mapFile, store } from './views.js';

const DWORD = 0x1a2b3c4d;
const dwordOf = (bytes: Uint8Array): number => new DataView(bytes.buffer).getUint32(0, true);

/** In the other process: the same call by name. */
export function createAndRead(
  world: World,
  _: Parent,
  name: string,
  protect: number,
  size: number,
): readonly [string, number | null] {
  const { win32 } = world;
  const handle = win32.CreateFileMapping(win32.INVALID_HANDLE_VALUE, null, protect, 0, size, name);
  const last = error(win32.GetLastError());
  const view = win32.MapViewOfFile(handle, win32.FILE_MAP_READ, 0, 0, size);
  return [last, view === null ? null : dwordOf(view.bytes)];
}

/** In the other process: a view with some access, and a store through it. */
export function openAndStore(world: World, _: Parent, name: string, access: number): readonly [map: string, write: string] {
  const { win32 } = world;
  const handle = win32.OpenFileMapping(access, false, name);
  const view = win32.MapViewOfFile(handle, access, 0, 0, 4096);
  if (view === null) return [error(win32.GetLastError()), 'no view'];
  store(view, DWORD);
  return ['ok', view.fault === null && dwordOf(view.bytes) === DWORD ? 'ok' : 'did not go through'];
}

const parentAndChild: Read = async (world, { inputs }) => {
  const { win32 } = world;
  const [name, protect, size] = [String(inputs['name']), flags(inputs['protect']), Number(inputs['size'])];
  const handle = win32.CreateFileMapping(win32.INVALID_HANDLE_VALUE, null, protect, 0, size, name);
  world.later(() => void win32.CloseHandle(handle));
  const view = mapFile(world, handle, win32.FILE_MAP_WRITE, 0, size);
  if (view === null) throw new Error(`MapViewOfFile: error ${win32.GetLastError()}`);
  store(view, DWORD);
  const [childLastError, seen] = (await world.child(import.meta.url, 'createAndRead', { args: [name, protect, size] })
    .result) as [string, number | null];
  return { childLastError, childSeesParentDword: seen };
};

const readerAndWriter: Read = async (world, { inputs }) => {
  const { win32 } = world;
  const name = 'shared memory, read by its maker';
  const backing = { handle: win32.INVALID_HANDLE_VALUE, plan: null, path: '' };
  const handle = createMapping(world, backing, flags(inputs['sectionProtect'] ?? 'PAGE_READWRITE'), 4096, name);
  const view = mapFile(world, handle, win32.FILE_MAP_READ, 0, 4096);
  if (view === null) throw new Error(`MapViewOfFile: error ${win32.GetLastError()}`);
  const peer = world.child(import.meta.url, 'openAndStore', { args: [name, flags(inputs['childAccess'])] });
  const [childMap, childWrite] = (await peer.result) as [string, string];
  return { childMap, childWrite, parentSeesWrite: dwordOf(view.bytes) === DWORD };
};

/** By what the row calls. */
export const sharedMemoryRows: readonly (readonly [call: RegExp, read: Read])[] = [
  [/^CreateFileMapping\w? in parent, child repeats the same call by name$/, parentAndChild],
  [/^child maps with access X and stores a dword; parent holds a FILE_MAP_READ view$/, readerAndWriter],
];
