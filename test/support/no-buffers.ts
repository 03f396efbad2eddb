/**
 * The addon as it behaves in runtimes that cage their memory (Electron): built once, with the define by which
 * Node-API's headers leave external buffers out.
 */
import { platform } from './platform.js';

/** The environment of a process that gets no buffers. */
export function withoutBuffers(): { readonly SECTILE_NATIVE: string; readonly LD_PRELOAD: string } {
  return { SECTILE_NATIVE: platform.addonWithoutBuffers(), LD_PRELOAD: '' };
}
