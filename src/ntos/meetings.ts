/**
 * What is known of the sections that the faces map, by handle: the facts of the last view, and where those meet who wait for a section's
 * words. That goes by the name that the kernel has for one; a section without a name has no such place, for nothing tells two processes
 * that they have the same.
 */
import type { ViewFacts } from '../memory/view.js';
import type { Handle } from '../nt/arguments.js';
import type { Mapping, NtSystem } from '../os/index.js';

/** Has a mapping take part. */
type Meet = (mapping: Mapping) => void;

/** What is known of a section that a view was mapped of. */
interface KnownSection {
  /** As messages name a view of it. */
  readonly object: string;
  /** Those of the view mapped last. */
  facts: ViewFacts | null;
  /** Has a mapping take part, once somebody waits for its words; undefined for a section without a name. */
  readonly lend: Meet | undefined;
}

/** By handle. */
const known = new Map<Handle, KnownSection>();

export function sectionByHandle(nt: NtSystem, section: Handle): KnownSection {
  const found = known.get(section);
  if (found !== undefined) return found;
  const meeting = nt.meetingOfSection(section);
  const lend = meeting === null ? undefined : (mapping: Mapping) => nt.mappingMeets(mapping, meeting);
  const facts = { object: `a view of section ${section}`, facts: null, lend };
  known.set(section, facts);
  return facts;
}

/** A handle was closed: its number may become another's. */
export function forgetMeeting(section: Handle): void {
  known.delete(section);
}
