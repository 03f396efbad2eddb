/**
 * Private memory and placeholders as the table of areas holds them: entered, released, cut and joined.
 */
import { os } from '../os/index.js';
import { Pages } from './pages.js';
import { heldByDriver, views } from './tables.js';
import type { PrivateRegion } from './view-table.js';

/** Enters what is reserved or allocated at an address. It belongs to the driver that is running, if one is. */
export function enterRegion(
  base: bigint,
  pages: Pages,
  protection: number,
  placeholder: boolean,
  fromPlaceholder = false,
): PrivateRegion {
  let forget = () => {};
  const region: PrivateRegion = {
    view: null,
    base,
    end: base + BigInt(pages.length),
    protection,
    pages,
    placeholder,
    fromPlaceholder,
    forget: () => forget(),
  };
  views.add(region);
  forget = heldByDriver('view', () => releaseRegion(region));
  return region;
}

/** Gives memory and addresses back. */
export function releaseRegion(region: PrivateRegion): void {
  views.remove(region);
  os.mappingClose(region.pages.mapping);
}

/** Cuts a region at an address within it; returns both parts. */
function cut(region: PrivateRegion, address: bigint): readonly [PrivateRegion, PrivateRegion] {
  const [head, tail] = region.pages.split(Number(address - region.base));
  views.remove(region);
  const enter = (base: bigint, pages: Pages) =>
    enterRegion(base, pages, region.protection, region.placeholder, region.fromPlaceholder);
  return [enter(region.base, head), enter(address, tail)];
}

/** Makes a part of a region, which the caller has found within it, one of its own. */
export function cutOut(region: PrivateRegion, start: bigint, end: bigint): PrivateRegion {
  let part = region;
  if (start > part.base) part = cut(part, start)[1];
  if (end < part.end) part = cut(part, end)[0];
  return part;
}

/** Makes neighbouring placeholders one. */
export function coalesce(placeholders: readonly PrivateRegion[]): void {
  const [first, ...others] = placeholders as [PrivateRegion, ...PrivateRegion[]];
  let length = first.pages.length;
  for (const each of others) {
    os.mappingJoin(first.pages.mapping, each.pages.mapping);
    length += each.pages.length;
  }
  for (const each of placeholders) views.remove(each);
  enterRegion(first.base, Pages.reserved(first.pages.mapping, length), first.protection, true);
}
