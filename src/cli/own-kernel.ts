/**
 * A hook for commands about the system process, which there is only where Sectile plays the kernel.
 */
import type { Command } from 'commander';
import { requireOwnKernel } from '../system/kernel.js';

/** To be hooked to `preAction`: names the command as its user wrote it. */
export function needsSystemProcess(_: Command, action: Command): void {
  const words: string[] = [];
  for (let at: Command | null = action; at?.parent != null; at = at.parent) words.unshift(at.name());
  requireOwnKernel(words.join(' '));
}
