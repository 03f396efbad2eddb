/**
 * What the rest of Sectile uses of security/. This folder knows base/ and nothing else: no names, no
 * descriptors of files, no sockets.
 */

export { type AccessDecision, accessCheck, grantsToAnyone } from './access-check.js';
export * from './access-mask.js';
export type { Ace, DescriptorContent } from './acl.js';
export * from './file-rights.js';
export { creatorAccess, holdable, modifiesMemory, type ObjectTypeAccess, objectTypes, sectionMapping } from './object-types.js';
export { holdsPrivilege, type Privilege, privilegeNotHeld } from './privileges.js';
export * from './process-access.js';
export { formatSddl, MAXIMUM_ACES, MAXIMUM_SDDL_LENGTH, parseSddl, type SddlDescriptor } from './sddl.js';
export { changeDescriptor, defaultDescriptor, fromSddl, requireOwner, type SecurityDescriptor } from './security-descriptor.js';
export {
  aliasOf,
  formatSid,
  groupOfSid,
  isSid,
  parseSid,
  type Sid,
  type SidParts,
  sidOfGroup,
  sidOfUser,
  sidParts,
  userOfSid,
  WellKnownSid,
} from './sid.js';
export {
  kernelToken,
  type PeerCredentials,
  type Token,
  type TokenRoles,
  tokenForPeer,
  tokenHolds,
  tokenOfThisProcess,
} from './token.js';
