/**
 * A security descriptor in plain words: who owns the object, and who may do what with it.
 */
import { readFileSync } from 'node:fs';
import type { ObjectKind } from '../base/object-kind.js';
import {
  aliasOf,
  groupOfSid,
  MAXIMUM_ALLOWED,
  mapGeneric,
  objectTypes,
  parseSddl,
  type Sid,
  userOfSid,
  WellKnownSid,
} from '../security/index.js';
import { rightsText } from './kinds.js';

const wellKnown = new Map<string, string>([
  [WellKnownSid.everyone, 'everyone'],
  [WellKnownSid.authenticatedUsers, 'every authenticated user'],
  [WellKnownSid.users, 'every user'],
  [WellKnownSid.administrators, 'administrators'],
  [WellKnownSid.localSystem, 'LocalSystem'],
  ['S-1-3-4', 'its owner'],
]);

/** The name that a colon-separated file of /etc gives to a number; undefined where it has none. */
function nameIn(file: string, id: number): string | undefined {
  try {
    const line = readFileSync(file, 'utf8')
      .split('\n')
      .find((each) => each.split(':')[2] === String(id));
    return line?.split(':')[0];
  } catch {
    return undefined;
  }
}

/** `user 1000 (ada)`. */
export function userText(uid: number): string {
  const name = nameIn('/etc/passwd', uid);
  return `user ${uid}${name === undefined ? '' : ` (${name})`}`;
}

function sidText(sid: Sid): string {
  const user = userOfSid(sid);
  if (user !== undefined) return userText(user);
  const group = groupOfSid(sid);
  if (group !== undefined) {
    const name = nameIn('/etc/group', group);
    return `group ${group}${name === undefined ? '' : ` (${name})`}`;
  }
  return wellKnown.get(sid) ?? aliasOf(sid) ?? sid;
}

function maskText(mask: number, kind: ObjectKind): string {
  return rightsText(mapGeneric(mask & ~MAXIMUM_ALLOWED, objectTypes[kind].mapping), kind);
}

/** One line per statement of the descriptor: its owner, then who is allowed or denied what, in order. */
export function securityLines(sddl: string, kind: ObjectKind): readonly string[] {
  const { owner, dacl } = parseSddl(sddl, 'show');
  const lines = owner === null ? [] : [`owned by ${sidText(owner)}`];
  if (dacl === null) return [...lines, 'everybody may do everything'];
  if (dacl.length === 0) return [...lines, 'nobody may do anything'];
  return [
    ...lines,
    ...dacl.map(({ type, mask, sid }) => `${sidText(sid)} ${type === 'allow' ? 'may' : 'may not'}: ${maskText(mask, kind)}`),
  ];
}
