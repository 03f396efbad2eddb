/**
 * What tests of sections ask of a system where the memory of local names is in files: macOS, and Linux as the portable
 * build makes it.
 */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Platform } from './platform.js';
import { posix } from './platform-posix.js';
import { descriptors, mappingAt, mappings, processesWith } from './processes.js';

/** What /proc calls memory: without a name of its own, of a local name, and in files that have lost theirs. */
const memory = /memfd:sectile|[/]local-\d+[/][^/]+\.(memory|new)|[/]sectile\.\w{6} \(deleted\)/;
const files = 'memory is in files here';

export const withFiles: Platform = {
  ...posix,
  // What common file systems still take.
  largestSection: 2 ** 40,
  lacks: {
    ...posix.lacks,
    seals: `nothing can be sealed: ${files}`,
    countedMemory: `the machine counts it with its files: ${files}`,
    largePages: `a local name's ${files}, and those have no large pages`,
    commitByReading: `what is committed is part of the object, and whoever only reads cannot change it: ${files}`,
    hiddenHolders: `no holder has to be reached: ${files}`,
    packetSockets: 'messages travel on streams here, and the test speaks packets',
    longSocketPaths: 'a socket is reached by its whole path here',
  },
  localNames: (scratch) =>
    readdirSync(join(scratch, 'run', `local-${process.geteuid?.()}`)).filter((each) => each.endsWith('.object')).length,
  views: () => mappings('').filter((line) => memory.test(line)).length,
  isView: (address) => memory.test(mappingAt(address) ?? ''),
  sectionHandles: () => descriptors().filter((target) => memory.test(target)).length,
  holders: (name) => processesWith(`${createHash('sha256').update(name, 'utf16le').digest('hex')}.memory`),
};
