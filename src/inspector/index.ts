/** Facts about sections and hosts, for the command line and for tests. Prints nothing. */
export { type Content, openContent } from './content.js';
export { findObject } from './find.js';
export { examineHost, type FindingGroup } from './host/doctor.js';
export type { Finding, FindingState } from './host/finding.js';
export { kindOf, rightsText } from './kinds.js';
export type { Holder, ObjectFacts } from './object-facts.js';
export { type Listing, listObjects, type ObjectScope, type Problem } from './objects.js';
export { type MappedView, shortCommand } from './processes.js';
export { hasLargePages, isReserved, protectionText } from './protection.js';
export { securityLines, userText } from './security-text.js';
export { parseTarget, TARGET_FORMS, type Target } from './target.js';
export { plural, printable, sizeText } from './units.js';
