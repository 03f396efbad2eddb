/**
 * The roles of a ring's producers: one, or one of 64. Knows nothing of messages.
 */
import { SectionError } from '../base/error.js';
import { Long, MAXIMUM_PRODUCERS, type RingMemory } from './ring-layout.js';
import { FREE, holderHasEnded, roleTaken, takeRole } from './role.js';

/** Takes the producer's role, or one of several; returns its index. */
export function takeSlot(operation: string, { roles, home, many, object }: RingMemory): number {
  for (let index = Long.producers; index < Long.producers + (many ? MAXIMUM_PRODUCERS : 1); index++) {
    if (takeRole(roles, index, home) !== null) return index;
  }
  if (!many) throw roleTaken(operation, object, 'producer', Atomics.load(roles, Long.producers));
  throw new SectionError('ERR_SECTION_LIMIT', {
    operation,
    object,
    rule: `it has ${MAXIMUM_PRODUCERS} producers, as many as there can be`,
    wayOut: 'Close one, or use a ring for each and several consumers',
  });
}

/** Whether a process that lives is one of several producers. */
export function anyProducerLives({ roles, home }: RingMemory): boolean {
  for (let index = Long.producers; index < Long.producers + MAXIMUM_PRODUCERS; index++) {
    const word = Atomics.load(roles, index);
    if (word !== FREE && !holderHasEnded(word, home)) return true;
  }
  return false;
}
