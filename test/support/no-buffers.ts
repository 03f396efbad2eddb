/**
 * The addon as it behaves in runtimes that cage their memory (Electron): built once, with the define by which
 * Node-API's headers leave external buffers out.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const addon = `${root}build/no-external-buffers/sectile.node`;

/** The environment of a process that gets no buffers. */
export function withoutBuffers(): { readonly SECTILE_NATIVE: string; readonly LD_PRELOAD: string } {
  const options = ['--define', 'NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED', '--output', addon];
  // Whatever is preloaded into this process (AddressSanitizer) is none of the compiler's business.
  const { LD_PRELOAD: _, ...env } = process.env;
  const { status, stderr } = spawnSync(process.execPath, [`${root}scripts/build-native.mjs`, ...options], {
    encoding: 'utf8',
    env,
  });
  if (status !== 0) throw new Error(`the addon without buffers does not compile: ${stderr}`);
  return { SECTILE_NATIVE: addon, LD_PRELOAD: '' };
}
