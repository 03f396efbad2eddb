/**
 * What cases of kernel mode need again and again: files, sections and views of the system process.
 */
import assert from 'node:assert/strict';
import type * as k from 'sectile/ntddk';
import * as n from 'sectile/ntdll';
import { attributes } from './kinds.js';
import type { Trial } from './trial.js';

const FILE_ALL = n.FILE_READ_DATA | n.FILE_WRITE_DATA | n.FILE_EXECUTE;

/** A kernel handle on a file, until the case ends. */
export function openKernelFile(t: Trial, path: string, access: number = FILE_ALL): number {
  const oa = attributes(`\\??\\unix${path.replaceAll('/', '\\')}`, n.OBJ_CASE_INSENSITIVE | n.OBJ_KERNEL_HANDLE);
  const { status, fileHandle } = t.k.ZwOpenFile(
    access,
    oa,
    t.k.FILE_SHARE_READ | t.k.FILE_SHARE_WRITE | t.k.FILE_SHARE_DELETE,
    0,
  );
  t.is(status, 'STATUS_SUCCESS', `open ${path}`);
  return t.keep(fileHandle);
}

/** A kernel handle on a new file: so many zeros, or these bytes. */
export function kernelFile(t: Trial, content: number | Uint8Array, access?: number): number {
  return openKernelFile(t, t.file(typeof content === 'number' ? new Uint8Array(content) : content), access);
}

/** A kernel handle on a section, until the case ends. */
export function kernelSection(t: Trial, size: number | null, options: Partial<SectionOptions> = {}): number {
  const {
    protection = n.PAGE_READWRITE,
    attributes: sec = n.SEC_COMMIT,
    file = null,
    name = null,
    flags = 0,
    security = null,
  } = options;
  const { status, sectionHandle } = t.k.ZwCreateSection(
    n.SECTION_ALL_ACCESS,
    attributes(name, flags | n.OBJ_KERNEL_HANDLE, null, security),
    size,
    protection,
    sec,
    file,
  );
  t.is(status, 'STATUS_SUCCESS', 'create the section');
  return t.keep(sectionHandle);
}

interface SectionOptions {
  readonly protection: number;
  readonly attributes: number;
  readonly file: number | null;
  readonly name: string | null;
  readonly flags: number;
  readonly security: string | null;
}

interface ViewOptions {
  readonly base: bigint | null;
  readonly zeroBits: number;
  readonly commit: number;
  readonly offset: number | null;
  readonly size: number;
  readonly inherit: number;
  readonly type: number;
  readonly protection: number;
}

/** Maps a section into the system process; a view goes when the case ends. */
export function mapKernel(t: Trial, section: number, options: Partial<ViewOptions> = {}): k.MapResult {
  const { base = null, zeroBits = 0, commit = 0, offset = null, size = 0, inherit = n.ViewUnmap, type = 0 } = options;
  const { protection = n.PAGE_READWRITE } = options;
  const self = t.k.ZwCurrentProcess();
  const result = t.k.ZwMapViewOfSection(section, self, base, zeroBits, commit, offset, size, inherit, type, protection);
  const { view } = result;
  if (view !== null) t.after(() => view.closed || t.k.ZwUnmapViewOfSection(self, view.address));
  return result;
}

/** A view of the system process that must come to be. */
export function kernelView(t: Trial, section: number, options: Partial<ViewOptions> = {}): k.View {
  const { status, view } = mapKernel(t, section, options);
  t.is(status, 'STATUS_SUCCESS', 'map the view');
  assert.ok(view !== null);
  return view;
}
