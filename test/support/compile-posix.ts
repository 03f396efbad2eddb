/**
 * Compiles the small C programs and addons of the tests, once per source: attackers that need system
 * calls which JavaScript does not have.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * @param source File name in test/fixtures.
 * @param kind A program, or a Node-API addon.
 * @returns The path of what was built.
 */
export function compileHere(source: string, kind: 'program' | 'addon'): string {
  const file = `${root}test/fixtures/${source}`;
  const hash = createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 16);
  const folder = `${root}build/test-native`;
  const output = `${folder}/${source.replace(/\.c$/, '')}-${hash}${kind === 'addon' ? '.node' : ''}`;
  if (existsSync(output)) return output;
  mkdirSync(folder, { recursive: true });
  const { include_dir: headers } = createRequire(import.meta.url)('node-api-headers') as { include_dir: string };
  const flags = ['-std=gnu11', '-D_GNU_SOURCE', '-O2', '-Wall', '-Wextra', '-pthread', `-I${headers}`];
  const shape = kind === 'addon' ? ['-shared', '-fPIC'] : [];
  const fresh = `${output}.${process.pid}`;
  // Whatever is preloaded into this process (AddressSanitizer) is none of the compiler's business.
  const { LD_PRELOAD: _, ...env } = process.env;
  const { status, stderr } = spawnSync(process.env['CC'] ?? 'cc', [...flags, ...shape, '-o', fresh, file], {
    encoding: 'utf8',
    env,
  });
  if (status !== 0) throw new Error(`${source} does not compile: ${stderr}`);
  renameSync(fresh, output);
  return output;
}

/** The product's addon for runtimes that allow no external buffers. */
export function buildWithoutBuffers(): string {
  const addon = `${root}build/no-external-buffers/sectile.node`;
  const options = ['--define', 'NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED', '--output', addon];
  // Whatever is preloaded into this process (AddressSanitizer) is none of the compiler's business.
  const { LD_PRELOAD: _, ...env } = process.env;
  const script = `${root}scripts/build-native.mjs`;
  const { status, stderr } = spawnSync(process.execPath, [script, ...options], { encoding: 'utf8', env });
  if (status !== 0) throw new Error(`the addon without buffers does not compile: ${stderr}`);
  return addon;
}
