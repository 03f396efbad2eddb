/**
 * Which way local names come to memory on this platform.
 */
import { os } from '../os/index.js';
import type { LocalMemory } from './local-memory.js';
import { memoryFromHolders } from './memory-from-holders.js';
import { memoryInFiles } from './memory-in-files.js';

export const localMemory: LocalMemory = os.localMemory === 'in-files' ? memoryInFiles : memoryFromHolders;
