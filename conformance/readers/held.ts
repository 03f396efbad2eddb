/**
 * What the rows of a sequence hand on: a section's handle, its views, its file. A row finds it by the id
 * in its `after`, and leaves it under its own.
 */
import type { Handle, View } from 'sectile/kernel32';
import type { Case } from '../case.js';
import type { World } from '../script.js';
import type { Backing } from './views.js';

export interface Held {
  handle: Handle;
  /** In the order that they were mapped. */
  readonly views: View[];
  name: string | null;
  backing: Backing | null;
}

export function hold(world: World, { id }: Case, held: Partial<Held> & { readonly handle: Handle }): Held {
  const whole = { views: [], name: null, backing: null, ...held };
  world.kept.set(id, whole);
  return whole;
}

/** @throws Error when the row before it left nothing, as it does when it failed */
export function heldBy(world: World, { id, after }: Case): Held {
  const before = after?.at(-1);
  const held = world.kept.get(before ?? '');
  if (held === undefined) throw new Error(`the case before it, ${before}, left nothing`);
  world.kept.set(id, held);
  return held as Held;
}

/** `view`, `view1`, `view2`: the last one, or by number. */
export function viewOf({ views }: Held, word = 'view'): View {
  const number = /\d+$/.exec(word)?.[0];
  const view = number === undefined ? views.at(-1) : views[Number(number) - 1];
  if (view === undefined) throw new Error(`there is no ${word}`);
  return view;
}
