/**
 * What the operating system hands out, each by a type of its own. Only the platforms know what is in them.
 */

declare const opaque: unique symbol;
/** An open descriptor. Closed by `descriptorClose`, else when it is collected. */
export interface Descriptor {
  readonly [opaque]: 'descriptor';
}
/** One mapping of memory. Unmapped by `mappingClose`, else when it and its buffer are collected. */
export interface Mapping {
  readonly [opaque]: 'mapping';
}
/** A listening socket with its reading thread. */
export interface Server {
  readonly [opaque]: 'server';
}
