/** The floor of memory: objects, views and what limits them. */
export * from './commit.js';
export * from './existing.js';
export * from './grow-file.js';
export * from './huge-pages.js';
export * from './memory-object.js';
export * from './object-content.js';
export * from './object-handle.js';
export * from './pagefile.js';
export * from './system-errors.js';
export * from './view.js';
