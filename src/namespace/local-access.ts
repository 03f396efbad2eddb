/**
 * What an opener of a local object may do with it: the access check against the record. Also what a slot says
 * of its owner.
 */
import { SectionError } from '../base/error.js';
import type { ObjectKind } from '../base/object-kind.js';
import { isSuccess } from '../base/status.js';
import type { MemoryObject } from '../memory/memory-object.js';
import { sharedWritable } from '../memory/section-masks.js';
import { os } from '../os/index.js';
import {
  type AccessDecision,
  accessCheck,
  fromSddl,
  holdable,
  modifiesMemory,
  objectTypes,
  tokenOfThisProcess,
} from '../security/index.js';
import type { RegistryRecord, RegistrySlot } from './registry-record.js';

let pidNamespace: bigint | undefined;

/** This process's PID namespace: a process number means something only inside it. */
export function ownPidNamespace(): bigint {
  if (pidNamespace === undefined) {
    try {
      pidNamespace = os.processNamespace();
    } catch (cause) {
      throw new SectionError('ERR_SECTION_HOLDER_UNREACHABLE', {
        operation: 'use a local name',
        object: '/proc',
        rule: `it cannot be read: ${(cause as Error).message}`,
        wayOut: 'Local names need /proc mounted in this container',
        cause,
      });
    }
  }
  return pidNamespace;
}

/** The last decisions: most objects of a process have the same descriptor, and parsing it is the dear part. */
const decisions = new Map<string, AccessDecision>();
const REMEMBERED_DECISIONS = 64;

function decide(operation: string, kind: ObjectKind, security: string, desired: number): AccessDecision {
  const who = `${process.geteuid?.()}:${process.getegid?.()}:${process.getgroups?.()}`;
  const question = `${who} ${kind} ${desired} ${security}`;
  let decision = decisions.get(question);
  if (decision === undefined) {
    const token = tokenOfThisProcess();
    decision = accessCheck(fromSddl(security, token, operation), token, desired, objectTypes[kind].mapping);
    if (decisions.size >= REMEMBERED_DECISIONS) decisions.clear();
    decisions.set(question, decision);
  }
  return decision;
}

/**
 * Checks desired access (it may hold MAXIMUM_ALLOWED) against a security descriptor.
 *
 * @returns what a handle then holds
 * @throws SectionError ERR_SECTION_ACCESS_DENIED
 */
export function grant(operation: string, object: string, kind: ObjectKind, security: string, desired: number): number {
  const decision = decide(operation, kind, security, desired);
  if (isSuccess(decision.status)) return holdable(kind, decision.granted);
  throw new SectionError('ERR_SECTION_ACCESS_DENIED', {
    operation,
    object,
    rule: `its security descriptor ${security} does not grant access 0x${desired.toString(16)}`,
    wayOut: 'Ask for less, or have its creator grant it',
    status: decision.status,
  });
}

/** A slot for a handle of this process. */
export function ownSlot(memory: MemoryObject, granted: number): RegistrySlot {
  return {
    pid: process.pid,
    descriptor: os.descriptorNumber(memory.descriptor),
    pidNamespace: ownPidNamespace(),
    granted,
    opened: Date.now(),
  };
}

/** Whether a handle with these rights needs memory that writes; for events that stay signalled it is given without need. */
export function needsWriting({ kind, pageProtection, soleWriter }: RegistryRecord, granted: number): boolean {
  return modifiesMemory(kind, granted, true) && sharedWritable(pageProtection) && !soleWriter;
}
