/**
 * The line that the system process logs for each refusal: who asked, for what, and why it was refused.
 */
import type { SectionError, SectionErrorCode } from '../base/error.js';
import { Status, statusName } from '../base/status.js';

/** Failures that say no to somebody, and not only that something is not there. */
const refusals: ReadonlySet<SectionErrorCode> = new Set(['ERR_SECTION_ACCESS_DENIED', 'ERR_SECTION_LIMIT']);

/** An owner whom the caller cannot name is a bad descriptor, and an attempt. */
const refusedStatuses: ReadonlySet<number> = new Set([Status.STATUS_INVALID_OWNER]);

/** Names are whatever a client likes: no line end of theirs begins a line of the log. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/**
 * @param who the caller, from what the kernel says of it
 * @returns null for an error that refuses nobody anything
 */
export function refusalLine(who: string, { code, status, operation, object, rule }: SectionError): string | null {
  if (!refusals.has(code) && !refusedStatuses.has(status)) return null;
  const what = object === undefined ? operation : `${operation} ${shortened(object)}`;
  return oneLine(`refused ${who}: ${what}: ${rule} (${statusName(status)})`);
}

const LONGEST_OBJECT = 120;

/** The reason must still fit into the line. */
function shortened(object: string): string {
  return object.length > LONGEST_OBJECT ? `${object.slice(0, LONGEST_OBJECT)}…` : object;
}
