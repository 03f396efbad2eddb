/**
 * Proves that imports between the folders of src/ go down the list of docs/design.md only, and that the
 * library's face loads none of the command line's packages.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const source = join(dirname(fileURLToPath(import.meta.url)), '..', 'src');

/** From the ground up. `section`, the three faces and `index` are the files of those names. */
const layers = [
  'base',
  'os',
  'memory',
  'security',
  'namespace',
  'files',
  'system',
  'sync',
  'nt',
  'win32',
  'ntos',
  'section',
  'dispatcher',
  'channel',
  'ntdll',
  'kernel32',
  'ntddk',
  'index',
  'inspector',
  'cli',
];

/** Folders that stand side by side, although the list has an order. */
const strangers: readonly (readonly [string, string])[] = [
  ['security', 'os'],
  ['security', 'memory'],
  ['section', 'nt'],
  ['section', 'win32'],
  ['dispatcher', 'nt'],
  ['dispatcher', 'win32'],
  ['channel', 'nt'],
  ['channel', 'win32'],
  ['inspector', 'index'],
];

function layerOf(file: string): string {
  const [first = ''] = relative(source, file).split(sep);
  return first.replace(/\.(ts|js)$/, '');
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join(source, name));

function importsOf(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(/^(?:import|export)[^;]*?from '([^']+)'/gms)].map(
    ([, specifier = '']) => specifier,
  );
}

test('every folder of src/ has its place in the layers', () => {
  for (const file of files) assert.ok(layers.includes(layerOf(file)), `${relative(source, file)} is in no layer`);
});

test('imports go down only', () => {
  const wrong: string[] = [];
  for (const file of files) {
    const from = layerOf(file);
    for (const specifier of importsOf(file).filter((each) => each.startsWith('.'))) {
      const to = layerOf(normalize(join(dirname(file), specifier)));
      const down = layers.indexOf(to) <= layers.indexOf(from);
      const apart = strangers.some(([a, b]) => from === a && to === b);
      if (!down || apart) wrong.push(`${relative(source, file)} imports ${specifier}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('only the command line and the driver host use packages', () => {
  const users = files.filter((file) => importsOf(file).some((each) => !each.startsWith('.') && !each.startsWith('node:')));
  const outside = users.filter((file) => layerOf(file) !== 'cli');
  assert.deepEqual(
    outside.map((file) => relative(source, file)),
    [],
  );
});
