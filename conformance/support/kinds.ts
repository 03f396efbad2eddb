/**
 * The kinds of named objects, behind one pair of functions each, for rules that hold for every kind.
 */
import * as n from 'sectile/ntdll';
import type { Trial } from './trial.js';

export interface Made {
  readonly status: number;
  readonly handle: number;
}

export interface Kind {
  readonly type: string;
  create(attributes: n.ObjectAttributes | null, access?: number): Made;
  open(attributes: n.ObjectAttributes, access?: number): Made;
}

const all = n.GENERIC_ALL;

export const kinds = {
  Section: {
    type: 'Section',
    create: (oa, access = all) => {
      const { status, sectionHandle } = n.NtCreateSection(access, oa, 4096, n.PAGE_READWRITE, n.SEC_COMMIT, null);
      return { status, handle: sectionHandle };
    },
    open: (oa, access = all) => {
      const { status, sectionHandle } = n.NtOpenSection(access, oa);
      return { status, handle: sectionHandle };
    },
  },
  Event: {
    type: 'Event',
    create: (oa, access = all) => {
      const { status, eventHandle } = n.NtCreateEvent(access, oa, n.NotificationEvent, false);
      return { status, handle: eventHandle };
    },
    open: (oa, access = all) => {
      const { status, eventHandle } = n.NtOpenEvent(access, oa);
      return { status, handle: eventHandle };
    },
  },
  Mutant: {
    type: 'Mutant',
    create: (oa, access = all) => {
      const { status, mutantHandle } = n.NtCreateMutant(access, oa, false);
      return { status, handle: mutantHandle };
    },
    open: (oa, access = all) => {
      const { status, mutantHandle } = n.NtOpenMutant(access, oa);
      return { status, handle: mutantHandle };
    },
  },
  Semaphore: {
    type: 'Semaphore',
    create: (oa, access = all) => {
      const { status, semaphoreHandle } = n.NtCreateSemaphore(access, oa, 1, 2);
      return { status, handle: semaphoreHandle };
    },
    open: (oa, access = all) => {
      const { status, semaphoreHandle } = n.NtOpenSemaphore(access, oa);
      return { status, handle: semaphoreHandle };
    },
  },
  Directory: {
    type: 'Directory',
    create: (oa, access = all) => {
      const { status, directoryHandle } = n.NtCreateDirectoryObject(access, oa as n.ObjectAttributes);
      return { status, handle: directoryHandle };
    },
    open: (oa, access = all) => {
      const { status, directoryHandle } = n.NtOpenDirectoryObject(access, oa);
      return { status, handle: directoryHandle };
    },
  },
  SymbolicLink: {
    type: 'SymbolicLink',
    create: (oa, access = all) => {
      const { status, linkHandle } = n.NtCreateSymbolicLinkObject(access, oa as n.ObjectAttributes, '\\BaseNamedObjects');
      return { status, handle: linkHandle };
    },
    open: (oa, access = all) => {
      const { status, linkHandle } = n.NtOpenSymbolicLinkObject(access, oa);
      return { status, handle: linkHandle };
    },
  },
} as const satisfies Record<string, Kind>;

export const allKinds: readonly Kind[] = Object.values(kinds);
/** Kinds whose objects can be told from what a name leads through. */
export const leafKinds: readonly Kind[] = [kinds.Section, kinds.Event, kinds.Mutant, kinds.Semaphore];

/** OBJECT_ATTRIBUTES of a name. */
export function attributes(
  name: Parameters<typeof n.InitializeObjectAttributes>[0],
  flags = 0,
  root: number | null = null,
  security: string | null = null,
): n.ObjectAttributes {
  return n.InitializeObjectAttributes(name, flags, root, security);
}

/** The directory that Win32 names of this process start from. */
export const sessionDirectory = `\\Sessions\\${process.geteuid?.() === 0 ? 0 : 1}\\BaseNamedObjects`;

/** A handle on a directory, until the case ends. */
export function directory(trial: Trial, name: string = sessionDirectory): number {
  const { status, handle } = kinds.Directory.open(attributes(name), n.DIRECTORY_QUERY | n.DIRECTORY_TRAVERSE);
  trial.is(status, 'STATUS_SUCCESS', `open ${name}`);
  return trial.keep(handle);
}

/** Creates one of a kind, which must work, and keeps it until the case ends. */
export function made(trial: Trial, kind: Kind, name: string | null, flags = 0, root: number | null = null): number {
  const { status, handle } = kind.create(name === null ? null : attributes(name, flags, root));
  trial.is(status, 'STATUS_SUCCESS', `create the ${kind.type} ${name}`);
  return trial.keep(handle);
}
