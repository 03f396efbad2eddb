/**
 * What looks at a host: at Sectile's own objects and /proc, or at the kernel's where it is NT.
 */
import type { Content } from './content.js';
import type { FindingGroup } from './host/doctor.js';
import type { ObjectFacts } from './object-facts.js';
import type { Listing, ObjectScope } from './objects.js';
import type { Target } from './target.js';

/** Objects that are listed together. */
export interface ObjectGroup {
  readonly scope: ObjectScope;
  /** `Local: this user's names` */
  readonly heading: string;
  /** What stands there where the group is empty. */
  none(listing: Listing): string;
}

export interface Inspector {
  /** The groups that there can be here, in the order in which they are listed. */
  readonly groups: readonly ObjectGroup[];
  /** All objects that can be seen from here. @param operation The command, for messages. */
  listObjects(operation: string, scopes: ReadonlySet<ObjectScope>): Listing;
  /**
   * The facts of one object.
   *
   * @throws SectionError ERR_SECTION_NOT_FOUND; what kept us from looking, where that was it
   */
  findObject(operation: string, target: Target): ObjectFacts;
  /**
   * Opens memory of any kind for reading.
   *
   * @throws SectionError ERR_SECTION_NOT_FOUND, ERR_SECTION_ACCESS_DENIED and what the kind brings
   */
  openContent(operation: string, target: Target, object: string): Content;
  /** Runs every check once. Changes nothing on the host. */
  examineHost(): readonly FindingGroup[];
}
