/**
 * Finds and loads the native addon, and refuses one that speaks another contract. Owns no policy:
 * what it returns is the raw door, typed as {@link Os} by the platform files.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { SectionError } from '../base/error.js';

/** Must equal SECTILE_CONTRACT in native/sectile.h. */
const CONTRACT = 2;

/** SECTILE_NATIVE: for tests, the absolute path of another build of the addon (one with sanitizers). */
const addonPath = process.env['SECTILE_NATIVE'] || fileURLToPath(new URL('../native/sectile.node', import.meta.url));

function load(): Record<string, unknown> {
  if (!existsSync(addonPath)) {
    throw new SectionError('ERR_SECTION_NATIVE', {
      operation: 'import sectile',
      object: addonPath,
      rule: `there is no native part for ${process.platform} ${process.arch}`,
      wayOut: 'Build it with "npm run build" (it needs a C compiler)',
    });
  }
  try {
    return createRequire(import.meta.url)(addonPath) as Record<string, unknown>;
  } catch (cause) {
    throw new SectionError('ERR_SECTION_NATIVE', {
      operation: 'import sectile',
      object: addonPath,
      rule: `the native part does not load: ${(cause as Error).message}`,
      wayOut: 'It may have been built for another system: build it again with "npm run clean && npm run build"',
      cause,
    });
  }
}

/** The addon's exports, after the two sides have found that they mean the same by them. */
export function loadNative(): Record<string, unknown> {
  const native = load();
  if (native['contract'] !== CONTRACT) {
    throw new SectionError('ERR_SECTION_NATIVE', {
      operation: 'import sectile',
      object: addonPath,
      rule: `the native part speaks contract ${String(native['contract'])}, this TypeScript speaks ${CONTRACT}`,
      wayOut: 'They come from different versions: build again with "npm run build"',
    });
  }
  return native;
}
