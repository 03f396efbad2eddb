/** Facts about sections and hosts, for the command line and for tests. Prints nothing. */
import { nt } from '../os/index.js';
import { openContent as openOwn } from './content.js';
import { findObject as findOwn } from './find.js';
import { examineHost as examineOwn } from './host/doctor.js';
import type { Inspector } from './inspector.js';
import { kernelInspector } from './nt/inspector.js';
import { listObjects as listOwn, ownGroups } from './objects.js';

const own: Inspector = {
  groups: ownGroups,
  listObjects: listOwn,
  findObject: findOwn,
  openContent: openOwn,
  examineHost: examineOwn,
};

/** Where the kernel is NT, it knows the objects; else we do. */
const inspector: Inspector = nt === null ? own : kernelInspector(nt);

export const { groups: objectGroups, listObjects, findObject, openContent, examineHost } = inspector;
export type { Content } from './content.js';
export type { FindingGroup } from './host/doctor.js';
export type { Finding, FindingState } from './host/finding.js';
export type { ObjectGroup } from './inspector.js';
export { kindOf, rightsText } from './kinds.js';
export type { Holder, ObjectFacts } from './object-facts.js';
export type { Listing, ObjectScope, Problem } from './objects.js';
export { type MappedView, shortCommand } from './processes.js';
export { hasLargePages, isReserved, protectionText } from './protection.js';
export { securityLines, userText } from './security-text.js';
export { parseTarget, TARGET_FORMS, type Target } from './target.js';
export { plural, printable, sizeText } from './units.js';
