/**
 * Where those meet who wait for words of sections that the faces map: by the name that the kernel has for one. A section without a
 * name has no such place, for nothing tells two processes that they have the same.
 */
import type { Handle } from '../nt/arguments.js';
import type { Mapping, NtSystem } from '../os/index.js';

/** Has a mapping take part. */
type Meet = (mapping: Mapping) => void;

/** Of handles that views were mapped by; null for a section without a name. */
const known = new Map<Handle, Meet | null>();

/** What has a mapping of a section take part, once somebody waits for its words; undefined for a section without a name. */
export function meetingBySection(nt: NtSystem, section: Handle): Meet | undefined {
  let meet = known.get(section);
  if (meet === undefined) {
    const meeting = nt.meetingOfSection(section);
    meet = meeting === null ? null : (mapping) => nt.mappingMeets(mapping, meeting);
    known.set(section, meet);
  }
  return meet ?? undefined;
}

/** A handle was closed: its number may become another's. */
export function forgetMeeting(section: Handle): void {
  known.delete(section);
}
