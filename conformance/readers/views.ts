/**
 * What readers of Win32 cases share: mappings and views as the fields tell, and what is seen of them.
 */
import type { Handle, View } from 'sectile/kernel32';
import type { Suite } from '../case.js';
import type { Observation } from '../compare.js';
import { type FilePlan, filePlan, makeFile } from '../files.js';
import type { World } from '../script.js';
import { error, flags } from '../words.js';
import { closeLater, openFile } from './sections.js';

export const PAGE = 4096;

/** A call that failed: the last error. */
export function failed(world: World): Observation {
  return { ok: false, error: error(world.win32.GetLastError()) };
}

/** A file mapping's file, as the suite's environment or the row itself describes it. */
export interface Backing {
  readonly handle: Handle;
  readonly plan: FilePlan | null;
  readonly path: string;
}

/** What the environment says about a file of this name, or about `F` in `F opened GENERIC_READ only`. */
function described(suite: Suite, name: string): unknown[] {
  const files = (suite.environment['files'] ?? suite.environment) as Readonly<Record<string, unknown>>;
  const known = Object.keys(files).find((key) => name === key || name.startsWith(`${key} `));
  return known === undefined ? [name] : [files[known], name === known ? null : name];
}

/** Opens what backs a mapping: `anon` and INVALID_HANDLE_VALUE are the paging file. */
export function backingOf(world: World, suite: Suite, text: unknown): Backing {
  const name = String(text ?? 'INVALID_HANDLE_VALUE');
  const words = described(suite, name);
  if ([name, ...words].some((each) => each === 'anon' || String(each).startsWith('INVALID_HANDLE_VALUE')))
    return { handle: world.win32.INVALID_HANDLE_VALUE, plan: null, path: '' };
  const plan = filePlan(...words);
  const path = makeFile(world, plan);
  return { handle: openFile(world, 'user', plan, path), plan, path };
}

/** CreateFileMapping; the handle is closed when the sequence ends. */
export function createMapping(
  world: World,
  backing: Backing,
  protect: number,
  size: number | bigint,
  name: string | null = null,
): Handle {
  const wide = BigInt(size);
  const handle = world.win32.CreateFileMapping(
    backing.handle,
    null,
    protect,
    Number(wide >> 32n),
    Number(wide & 0xffff_ffffn),
    name,
  );
  return handle === 0 ? 0 : closeLater(world, 'user', handle);
}

/** MapViewOfFile; the view goes when the sequence ends. */
export function mapFile(world: World, handle: Handle, access: number, offset = 0, size = 0): View | null {
  const view = world.win32.MapViewOfFile(handle, access, 0, offset, size);
  if (view !== null) world.later(() => world.win32.UnmapViewOfFile(view));
  return view;
}

/** The access that MapViewOfFile needs for a protection. */
const accesses: ReadonlyMap<string, string> = new Map([
  ['PAGE_NOACCESS', '0'],
  ['PAGE_READONLY', 'FILE_MAP_READ'],
  ['PAGE_WRITECOPY', 'FILE_MAP_COPY'],
  ['PAGE_READWRITE', 'FILE_MAP_WRITE'],
  ['PAGE_EXECUTE_READ', 'FILE_MAP_READ|FILE_MAP_EXECUTE'],
  ['PAGE_EXECUTE_WRITECOPY', 'FILE_MAP_COPY|FILE_MAP_EXECUTE'],
  ['PAGE_EXECUTE_READWRITE', 'FILE_MAP_WRITE|FILE_MAP_EXECUTE'],
]);

export function accessFor(protect: unknown): number {
  const access = accesses.get(String(protect));
  if (access === undefined) throw new Error(`no access to a view means ${String(protect)}`);
  return flags(access);
}

/** VirtualQuery under the names of the rows. */
export function queried(world: World, address: bigint): Observation {
  return { ...world.win32.VirtualQuery(address) };
}

export function protectOf(world: World, address: bigint): number | undefined {
  return world.win32.VirtualQuery(address)?.Protect;
}

/** Stores a dword at the start of the view. */
export function store(view: View, value: number): void {
  new DataView(view.buffer).setUint32(0, value, true);
}

const WRITABLE = ['PAGE_READWRITE', 'PAGE_WRITECOPY', 'PAGE_EXECUTE_READWRITE', 'PAGE_EXECUTE_WRITECOPY'];

export function isWritable(protect: unknown): boolean {
  return WRITABLE.includes(String(protect));
}
