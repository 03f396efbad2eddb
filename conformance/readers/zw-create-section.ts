/**
 * Rows of ReactOS's kernel test of ZwCreateSection: sections of three files and of the paging file, and
 * views of them. The environment says how each file is opened.
 */
import { statSync } from 'node:fs';
import type { Case, Suite } from '../case.js';
import type { Observation } from '../compare.js';
import { filePlan, makeFile } from '../files.js';
import type { World } from '../script.js';
import { flags, status } from '../words.js';
import type { Reader } from './reader.js';
import { calls, createSection, mapView, openFile, type Section, sizeOf, skipImages, skipWithoutLargePages } from './sections.js';

type Inputs = Readonly<Record<string, unknown>>;

/** A section of the file that the row names. `given` may say that the file is of another kind. */
function sectionOf(world: World, suite: Suite, inputs: Inputs, given = ''): Section {
  const name = inputs['file'];
  if (name === null || name === undefined || String(name).startsWith('none')) return createSection(world, 'kernel', inputs, null);
  const plan = filePlan(suite.environment[String(name)] ?? name, given);
  const path = makeFile(world, plan);
  const file = openFile(world, 'kernel', plan, path);
  return createSection(world, 'kernel', inputs, file, statSync(path).size);
}

/** What closing told, where it is not what every successful call of the suite ends with. */
function ended(first: number, last: number): string {
  return last === 0 ? status(first) : `${status(first)}, then ${status(last)} from its undoing`;
}

function readCreate(world: World, { inputs, expect, given }: Case, suite: Suite): Observation {
  const wantsLargePages = (flags(inputs['allocationAttributes']) & world.nt.SEC_LARGE_PAGES) !== 0;
  if (wantsLargePages && expect['status'] === 'STATUS_SUCCESS')
    skipWithoutLargePages(world, Number(sizeOf(inputs['maximumSize'])));
  const section = sectionOf(world, suite, inputs, given);
  if (expect['status'] === 'STATUS_SUCCESS') skipImages(world, inputs['allocationAttributes'], section.status);
  return { status: section.handle === 0 ? status(section.status) : ended(section.status, world.k.ZwClose(section.handle)) };
}

function readMap(world: World, { inputs }: Case, suite: Suite): Observation {
  const section = sectionOf(world, suite, inputs['section'] as Inputs);
  if (section.handle === 0) return { status: `${status(section.status)} from ZwCreateSection` };
  const { map, unmap, close } = { ...calls(world, 'kernel'), map: mapView };
  const mapped = map(world, 'kernel', section.handle, inputs);
  const last = mapped.view === null ? 0 : unmap(world.k.ZwCurrentProcess(), mapped.baseAddress);
  close(section.handle);
  return { status: ended(mapped.status, last) };
}

/** Queries are about a section whose row stands before: its inputs are the same but for the access. */
function readQuery(world: World, { call, inputs }: Case, suite: Suite): Observation {
  const section = sectionOf(world, suite, {
    desiredAccess: 'SECTION_ALL_ACCESS',
    maximumSize: inputs['sectionMaximumSize'] ?? 200,
    sectionPageProtection: inputs['sectionPageProtection'] ?? 'PAGE_READONLY',
    allocationAttributes: inputs['allocationAttributes'] ?? 'SEC_COMMIT',
    file: inputs['file'] ?? 'WRFILE',
  });
  if (section.handle === 0) return { status: `${status(section.status)} from ZwCreateSection` };
  const { k } = world;
  try {
    if (call.startsWith('ZwQueryObject')) {
      const { status: result, objectInformation } = k.ZwQueryObject(section.handle, k.ObjectBasicInformation);
      return { status: status(result), ...objectInformation };
    }
    const { status: result, sectionInformation } = k.ZwQuerySection(section.handle, k.SectionBasicInformation);
    const { BaseAddress, MaximumSize, AllocationAttributes } = sectionInformation ?? {};
    return { status: status(result), BaseAddress, Size: MaximumSize, Attributes: AllocationAttributes };
  } finally {
    k.ZwClose(section.handle);
  }
}

const reads = (name: string, path: string): boolean =>
  name.startsWith('reactos-zwcreatesection') || /\bZwCreateSection\.c$/.test(path);

export const zwCreateSection: readonly Reader[] = [
  { reads: ({ call }, { name, path }) => reads(name, path) && call === 'ZwCreateSection', read: readCreate },
  { reads: ({ call }, { name, path }) => reads(name, path) && call === 'ZwMapViewOfSection', read: readMap },
  { reads: ({ call }, { name, path }) => reads(name, path) && /^ZwQuery(?:Object|Section)\b/.test(call), read: readQuery },
];
