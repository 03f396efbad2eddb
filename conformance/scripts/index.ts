/**
 * The scripts of the prose cases, one file for each family of vectors.
 */
import type { Script } from '../script.js';

export const scripts: Readonly<Record<string, Script>> = {};
