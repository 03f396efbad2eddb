/**
 * The small C programs and addons of the tests, which do what JavaScript cannot: attackers, and strangers beside the
 * guard. Each system has its own of them under the same names.
 */
import { platform } from './platform.js';

/**
 * @param source File name of the C program, as test/fixtures has it.
 * @param kind A program, or a Node-API addon.
 * @returns The path of what was built.
 */
export function compile(source: string, kind: 'program' | 'addon'): string {
  return platform.compiled(source, kind);
}
