/**
 * What is imported as a face has every name of the module that documents it, and chooses every call.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';

const root = new URL('../../', import.meta.url);
const require = createRequire(import.meta.url);

/** What asks nothing of a system, and is the same function everywhere. */
const plain: readonly string[] = ['CTL_CODE', 'InitializeObjectAttributes', 'NT_SUCCESS', 'NtCurrentProcess'];

const faces = [
  ['ntdll', 'dist/nt/ntdll.js'],
  ['kernel32', 'dist/win32/kernel32.js'],
] as const;

for (const [face, module] of faces) {
  test(`sectile/${face} exports what ${module} documents`, async () => {
    const documented = (await import(new URL(module, root).href)) as Record<string, unknown>;
    const entry = (await import(`sectile/${face}`)) as Record<string, unknown>;
    assert.deepEqual(Object.keys(entry).sort(), Object.keys(documented).sort());
    const calls = Object.keys(documented).filter((name) => typeof documented[name] === 'function' && !plain.includes(name));
    const [, chosen = ''] = /export const \{([^}]*)\} = calls;/.exec(readFileSync(new URL(`src/${face}.ts`, root), 'utf8')) ?? [];
    assert.deepEqual(chosen.match(/\w+/g)?.sort(), calls.sort());
  });

  const skip = 'require_module' in process.features ? false : 'this Node.js requires no modules';
  test(`require has sectile/${face} as import has it`, { skip }, async () => {
    const required = require(`sectile/${face}`) as Record<string, unknown>;
    assert.deepEqual({ ...required }, { ...(await import(`sectile/${face}`)) });
  });
}
