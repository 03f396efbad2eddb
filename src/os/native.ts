/**
 * Finds and loads the native addon, and refuses one that speaks another contract. Owns no policy:
 * what it returns is the raw door, typed as {@link Os} by the platform files.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { SectionError } from '../base/error.js';

/** Must equal SECTILE_CONTRACT in native/sectile.h. */
const CONTRACT = 6;

const require = createRequire(import.meta.url);

/** Which C library this process runs on: what is mapped tells, whatever the runtime is called. */
function linuxLibrary(): 'gnu' | 'musl' {
  try {
    return /\/libc(\.so\.6|-2\.\d+\.so)$/m.test(readFileSync('/proc/self/maps', 'latin1')) ? 'gnu' : 'musl';
  } catch {
    return 'gnu';
  }
}

/** The package with the addon for this system: docs/packages.md lists those that are made. */
function platformPackage(): string {
  const library = process.platform === 'linux' ? `-${linuxLibrary()}` : '';
  return `@sectile/${process.platform}-${process.arch}${library}`;
}

/**
 * The addon's file: the one that SECTILE_NATIVE names (for tests: the absolute path of another build),
 * else the one built here from source, else that of the package for this system.
 */
function findAddon(): string {
  const named = process.env['SECTILE_NATIVE'];
  if (named) return named;
  const built = fileURLToPath(new URL('../native/sectile.node', import.meta.url));
  if (existsSync(built)) return built;
  const name = platformPackage();
  try {
    return require.resolve(name);
  } catch (cause) {
    throw new SectionError('ERR_SECTION_NATIVE', {
      operation: 'import sectile',
      object: name,
      rule: 'the package with the native part for this system is not installed',
      wayOut:
        `Install sectile with optional packages, on this system (not with "--omit=optional", not copied from another one), ` +
        `or build the native part: "npm run build" in a clone, else "npm install @sectile/source && npx sectile-build" (they need a C compiler)`,
      cause,
    });
  }
}

function load(addon: string): Record<string, unknown> {
  try {
    return require(addon) as Record<string, unknown>;
  } catch (cause) {
    throw new SectionError('ERR_SECTION_NATIVE', {
      operation: 'import sectile',
      object: addon,
      rule: `the native part does not load: ${(cause as Error).message}`,
      wayOut: `It may have been built for another system than ${process.platform} ${process.arch}: install or build it anew here`,
      cause,
    });
  }
}

/** The addon's exports, after the two sides have found that they mean the same by them. */
export function loadNative(): Record<string, unknown> {
  const addon = findAddon();
  const native = load(addon);
  if (native['contract'] !== CONTRACT) {
    throw new SectionError('ERR_SECTION_NATIVE', {
      operation: 'import sectile',
      object: addon,
      rule: `the native part speaks contract ${String(native['contract'])}, this TypeScript speaks ${CONTRACT}`,
      wayOut: 'They come from different versions: install or build both anew',
    });
  }
  return native;
}
