/**
 * What users say of an object that shall be, and the checks of it.
 */
import { oneOf, options, show } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import { type ObjectName, parseName } from '../namespace/name.js';
import type { NewObject } from '../sync/dispatcher-source.js';

export interface DispatcherOptions {
  /** `X` or `Local\X` for this user's processes, `Global\X` by way of the system process; unnamed if left out. */
  readonly name?: string;
  /** Who may do what, as SDDL. Default: the creator's user and LocalSystem, everything. */
  readonly security?: string;
  /** When the name is taken: fail (the default), or open what is there; its state is then its own. */
  readonly ifExists?: 'fail' | 'open';
}

/** @throws SectionError ERR_SECTION_INVALID_ARGUMENT, ERR_SECTION_INVALID_NAME */
export function judgeCreation<O extends DispatcherOptions>(
  operation: string,
  given: O | undefined,
  own: readonly (keyof O & string)[],
): { readonly name: ObjectName | null; readonly wish: NewObject; readonly rest: Partial<O> } {
  const rest = options(operation, given, [...own, 'name', 'security', 'ifExists']);
  if (rest.security !== undefined && typeof rest.security !== 'string') {
    throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
      operation,
      rule: `security must be SDDL text, not ${show(rest.security)}`,
    });
  }
  const ifExists = rest.ifExists === undefined ? 'fail' : oneOf(operation, 'ifExists', rest.ifExists, ['fail', 'open']);
  return {
    name: rest.name === undefined ? null : parseName(operation, rest.name),
    wish: { security: rest.security, openExisting: ifExists === 'open' },
    rest,
  };
}
