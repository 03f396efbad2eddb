/**
 * Where those meet who wait for words of sections that the faces map: by the name that the kernel has for one. A section without a
 * name has no such place, for nothing tells two processes that they have the same.
 */
import type { Handle } from '../nt/arguments.js';
import type { Mapping, Meeting, NtSystem } from '../os/index.js';

/** Of handles that views were mapped by; null for a section without a name. */
const known = new Map<Handle, Meeting | null>();

/** Has a new mapping of a section take part. */
export function meetBySection(nt: NtSystem, section: Handle, mapping: Mapping): void {
  let meeting = known.get(section);
  if (meeting === undefined) {
    meeting = nt.meetingOfSection(section);
    known.set(section, meeting);
  }
  if (meeting !== null) nt.mappingMeets(mapping, meeting);
}

/** A handle was closed: its number may become another's. */
export function forgetMeeting(section: Handle): void {
  known.delete(section);
}
