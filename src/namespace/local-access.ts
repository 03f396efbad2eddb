/**
 * How an opener comes to a local object: the access check against the record, and the memory, taken from a
 * process that holds it, through /proc. Needs the mutex of the name's file.
 */
import { readlinkSync } from 'node:fs';
import { SectionError } from '../base/error.js';
import { kindText, type ObjectKind } from '../base/object-kind.js';
import { isSuccess } from '../base/status.js';
import { MemoryObject } from '../memory/memory-object.js';
import { sharedWritable } from '../memory/section-masks.js';
import { type Descriptor, isOsError, OpenFlag, os } from '../os/index.js';
import { type AccessDecision, accessCheck, fromSddl, holdable, objectTypes, tokenOfThisProcess } from '../security/index.js';
import { damaged } from './lock-file.js';
import type { ObjectName } from './name.js';
import type { RegistryFile } from './registry-file.js';
import type { RegistryRecord, RegistrySlot } from './registry-record.js';

/** Milliseconds that a process which ends may take from losing its descriptors to losing its locks. */
const ENDING_TIME = 1000;

let pidNamespace: bigint | undefined;

/** This process's PID namespace: a process number means something only inside it. */
export function ownPidNamespace(): bigint {
  if (pidNamespace === undefined) {
    try {
      pidNamespace = BigInt(/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? 0);
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

/** Whether a handle with these rights needs memory that writes. */
export function needsWriting({ kind, pageProtection, soleWriter }: RegistryRecord, granted: number): boolean {
  return (granted & objectTypes[kind].modifies) !== 0 && sharedWritable(pageProtection) && !soleWriter;
}

function openThrough(slot: RegistrySlot, write: boolean): Descriptor {
  const path = `/proc/${slot.pid === process.pid ? 'self' : slot.pid}/fd/${slot.descriptor}`;
  return os.descriptorOpen(path, OpenFlag.nonBlocking | (write ? OpenFlag.write : 0), 0);
}

/**
 * Takes the memory from any living holder; null when none lives any more. Needs the file's mutex.
 *
 * @throws SectionError ERR_SECTION_HOLDER_UNREACHABLE, ERR_SECTION_REGISTRY_DAMAGED
 */
export function takeFromHolders(
  operation: string,
  name: ObjectName,
  file: RegistryFile,
  record: RegistryRecord,
  write: boolean,
): MemoryObject | null {
  const refusals: string[] = [];
  for (const index of file.livingSlots()) {
    const slot = file.readSlot(index);
    if (slot.pidNamespace !== ownPidNamespace()) {
      refusals.push(`process ${slot.pid} lives in another PID namespace`);
      continue;
    }
    let descriptor: Descriptor;
    let writable = write;
    try {
      try {
        descriptor = openThrough(slot, write);
      } catch (error) {
        // A file that this user may only read: its section can be opened, its views cannot write.
        if (!write || !isOsError(error) || !['EACCES', 'EPERM', 'EROFS'].includes(error.code)) throw error;
        writable = false;
        descriptor = openThrough(slot, false);
      }
    } catch (error) {
      const vanished = isOsError(error) && ['ENOENT', 'ESRCH'].includes(error.code);
      if (vanished && file.ownerEnds(index, ENDING_TIME)) continue;
      refusals.push(
        `process ${slot.pid} does not let its descriptors be opened (${isOsError(error) ? error.code : String(error)})`,
      );
      continue;
    }
    const stat = os.descriptorStat(descriptor);
    if (stat.device !== record.device || stat.inode !== record.inode) {
      os.descriptorClose(descriptor);
      if (file.ownerEnds(index, ENDING_TIME)) continue;
      throw damaged(
        operation,
        file.path,
        `descriptor ${slot.descriptor} of process ${slot.pid} is another object than the record names`,
      );
    }
    return MemoryObject.adopt(descriptor, { backing: record.backing, size: record.size, pageSize: record.pageSize, writable });
  }
  // A holder may have died between the two looks; then the name is free.
  if (refusals.length === 0 || !file.isAlive) return null;
  throw new SectionError('ERR_SECTION_HOLDER_UNREACHABLE', {
    operation,
    object: `"${name.full}"`,
    rule: `${kindText(record.kind)} of that name exists, but ${refusals.join(', and ')}`,
    wayOut:
      'A process that changed its user or hides its /proc entry cannot share a local name: use Global\\ with a system process',
  });
}
