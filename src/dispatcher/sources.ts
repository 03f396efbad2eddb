/**
 * Where objects come from, chosen once: the kernel where it is NT, else Sectile; and the words of objects that are placed in a
 * section, which are ours everywhere.
 */
import { byteCount, show } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import { beforeClose, mappingOf, View } from '../memory/view.js';
import { kernelDispatcher } from '../ntos/dispatcher-source.js';
import { nt } from '../os/index.js';
import type { DispatcherSource } from '../sync/dispatcher-source.js';
import { ownDispatcher, type Words } from '../sync/own-dispatcher.js';

export const dispatcher: DispatcherSource = nt === null ? ownDispatcher : kernelDispatcher(nt);

/**
 * Where an object is placed in a view.
 *
 * @param bytes That it has.
 * @param alignment Of its first byte, in the section and in the view.
 * @throws SectionError ERR_SECTION_INVALID_ARGUMENT, ERR_SECTION_CLOSED, ERR_SECTION_OUT_OF_RANGE, ERR_SECTION_MISALIGNED
 */
export function placeIn(operation: string, view: View, offset: number | bigint, bytes: number, alignment: number): Words {
  if (!View.is(view)) {
    throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
      operation,
      rule: `view must be a view of a section, not ${show(view)}`,
    });
  }
  if (view.closed) throw new SectionError('ERR_SECTION_CLOSED', { operation, rule: 'the view is closed' });
  if (view.access === 'copy') {
    throw new SectionError('ERR_SECTION_ACCESS_DENIED', {
      operation,
      rule: 'the view is copy-on-write: what is done in it, nobody else sees, so nobody could be woken',
      wayOut: "Map with access 'readwrite', or 'read' to look and to wait for manual-reset events",
    });
  }
  const start = byteCount(operation, 'offset', offset, { maximum: view.length, code: 'ERR_SECTION_OUT_OF_RANGE' });
  if (bytes > view.length - start) {
    throw new SectionError('ERR_SECTION_OUT_OF_RANGE', {
      operation,
      rule: `it has ${bytes} bytes, and from offset ${start} the view has ${view.length - start}`,
    });
  }
  if ((view.offset + start) % alignment !== 0 || (view.address + BigInt(start)) % BigInt(alignment) !== 0n) {
    throw new SectionError('ERR_SECTION_MISALIGNED', {
      operation,
      rule: `it must start at a multiple of ${alignment} bytes of the section, not at ${view.offset + start}`,
    });
  }
  return { mapping: view[mappingOf], offset: start, writable: view.access === 'readwrite', close: () => {} };
}

/** Has an object that is placed in a view closed right before the view is. */
export function closeWithView(view: View, close: () => void): () => void {
  return view[beforeClose](close);
}
