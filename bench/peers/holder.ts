/**
 * Peer of the open benchmark: holds named sections and shows what is in them.
 */
import { Section, type View } from 'sectile';
import { withDescriptor } from '../descriptors.js';
import { answer, serve } from '../peer.js';

export type HolderRequest = { readonly hold: string; readonly size: number; readonly mark: number } | { readonly look: string };

export interface HolderAnswer {
  /** Where C can take a local section from; a global one has no such place here. */
  readonly path?: string;
  /** The second word of the section. */
  readonly second?: number;
}

const held = new Map<string, { section: Section; view: View }>();

function hold(name: string, size: number, mark: number): HolderAnswer {
  const { made: section, descriptor } = withDescriptor(() => Section.create({ name, size }));
  const view = section.map();
  view.as(Uint32Array)[0] = mark;
  held.set(name, { section, view });
  return name.startsWith('Global\\') ? {} : { path: `/proc/${process.pid}/fd/${descriptor}` };
}

serve<HolderRequest>((request) =>
  answer(
    'hold' in request
      ? hold(request.hold, request.size, request.mark)
      : { second: held.get(request.look)?.view.as(Uint32Array)[1] },
  ),
);
