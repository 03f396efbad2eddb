/**
 * The names that commands take for memory of any kind, and what they stand for.
 *
 *   frames, Local\frames, Global\frames     a section
 *   posix:/frames                           an object of shm_open(3)
 *   file:PATH                               a file
 *   fd:PID/N                                descriptor N of process PID
 */
import { show } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import { parseName, type SectionName } from '../namespace/name.js';

export type Target =
  | { readonly kind: 'section'; readonly name: SectionName }
  | { readonly kind: 'posix'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'descriptor'; readonly pid: number; readonly descriptor: number };

/** For help texts: the forms of {@link parseTarget}. */
export const TARGET_FORMS = 'x or Local\\x, Global\\x, posix:/x, file:PATH, fd:PID/N';

/**
 * What a name stands for.
 *
 * @throws SectionError ERR_SECTION_INVALID_NAME
 */
export function parseTarget(operation: string, text: string): Target {
  if (text.startsWith('posix:')) return { kind: 'posix', name: text.slice('posix:'.length) };
  if (text.startsWith('file:')) return { kind: 'file', path: text.slice('file:'.length) };
  if (text.startsWith('fd:')) {
    const [, pid, descriptor] = /^fd:(\d{1,10})\/(\d{1,10})$/.exec(text) ?? [];
    if (pid !== undefined && descriptor !== undefined)
      return { kind: 'descriptor', pid: Number(pid), descriptor: Number(descriptor) };
    throw new SectionError('ERR_SECTION_INVALID_NAME', {
      operation,
      object: show(text),
      rule: 'a descriptor is named by process and number',
      wayOut: 'Write it like fd:1234/19',
    });
  }
  return { kind: 'section', name: parseName(operation, text) };
}
