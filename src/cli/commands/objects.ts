/**
 * The commands that look at objects and at the host: they need much the same, and are loaded together.
 */
export { createCommand } from './create.js';
export { doctorCommand } from './doctor.js';
export { dumpCommand } from './dump.js';
export { lsCommand } from './ls.js';
export { showCommand } from './show.js';
export { writeCommand } from './write.js';
