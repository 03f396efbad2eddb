/**
 * `sectile driver init`: what it writes builds and works, C and TypeScript agree on every offset, and what cannot be is
 * refused before anything is written.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import * as protocol from '../../dist/drivers/windows-wdm/protocol.js';
import { CommandLine } from './command.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const kit = join(root, 'drivers', 'windows-wdm');
const run = promisify(execFile);

/** The command that the kit in this repository is made by. */
const own = [
  ...['SectileWdm', '--windows'],
  ...['--field', 'wallClock:u64', '--field', 'processors:u32', '--field', 'tally:u64[8]'],
  ...['--control', 'slot:u32', '--control', 'amount:u64'],
];

/** Every type, in an order that needs gaps. */
const everyType = [
  ...['Camera', '--windows', '--field', 'flag:u8', '--field', 'exposure:f64', '--field', 'a:i8[3]', '--field', 'gain:f32'],
  ...['--field', 'step:i16', '--field', 'port:u16', '--field', 'histogram:u32[16]', '--field', 'delta:i32'],
  ...['--field', 'position:i64', '--field', 'frames:u64', '--field', 'last:u8'],
  ...['--control', 'mode:u8', '--control', 'gain:f64', '--control', 'window:u16[4]'],
];

async function made(t: TestContext, args: readonly string[]): Promise<{ folder: string; sectile: CommandLine }> {
  const sectile = new CommandLine(t);
  const { folder } = await sectile.facts<{ folder: string }>(['driver', 'init', ...args]);
  return { folder, sectile };
}

/** Gives a project its packages, as npm would. */
function installed(folder: string): void {
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules', 'sectile'));
  symlinkSync(join(root, 'node_modules', '@types'), join(folder, 'node_modules', '@types'));
}

async function compiled(folder: string): Promise<void> {
  installed(folder);
  await run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', folder]).catch((error) =>
    assert.fail(`the project does not compile: ${error.stdout}`),
  );
}

test('the kit in this repository is what the command makes, but for the values of its own', async (t) => {
  const { folder } = await made(t, own);
  const its = ['package.json', 'tsconfig.json', 'README.md', 'values.c', 'values.ts'];
  const files = readdirSync(folder).filter((name) => !its.includes(name));
  assert.ok(files.includes('SectileWdm.inf') && files.includes('layout.h'), files.join(' '));
  for (const name of files)
    assert.equal(readFileSync(join(folder, name), 'utf8'), readFileSync(join(kit, name), 'utf8'), `${name} differs`);
});

for (const [title, args] of [
  ['the kit in this repository', own],
  ['every type of field', everyType],
] as const)
  test(`C and TypeScript agree on every offset: ${title}`, async (t) => {
    const { folder } = await made(t, args);
    const layout = await import(pathToFileURL(await asModule(folder, 'layout')).href);
    const records = { SAMPLE: layout.sampleLayout, CONTROLS: layout.controlsLayout } as Record<
      string,
      Record<string, { at: number }>
    >;
    const prints = Object.entries(records).flatMap(([record, fields]) =>
      Object.keys(fields).map((name) => `printf("${record}.${name} %zu\\n", offsetof(${record}, ${name}));`),
    );
    const program = `#include <stdio.h>\n#include "layout.h"\nint main(void) {\n${prints.join('\n')}
      printf("%u %zu %zu\\n", LAYOUT_ID, sizeof(SAMPLE), sizeof(CONTROLS)); return 0; }\n`;
    writeFileSync(join(folder, 'offsets.c'), program);
    await run(process.env['CC'] ?? 'cc', [
      '-std=c11',
      '-Wall',
      '-Werror',
      '-o',
      join(folder, 'offsets'),
      join(folder, 'offsets.c'),
    ]);
    const { stdout } = await run(join(folder, 'offsets'));
    const expected = Object.entries(records).flatMap(([record, fields]) =>
      Object.entries(fields).map(([name, { at }]) => `${record}.${name} ${at}`),
    );
    assert.equal(stdout, [...expected, `${layout.layoutId} ${layout.sampleBytes} ${layout.controlsBytes}`, ''].join('\n'));
  });

test('C and TypeScript agree on names, header and lock', async (t) => {
  const sectile = new CommandLine(t);
  const numbers = [
    ...['PROTOCOL_MAGIC', 'DRIVER_TOKEN', 'LOCK_LEASE_MS', 'DEFAULT_INTERVAL_MS'],
    ...['DRIVER_STARTING', 'DRIVER_RUNNING', 'DRIVER_STOPPED'],
    ...['magic', 'layoutId', 'sampleBytes', 'controlsBytes', 'sequence', 'state'].map(
      (field) => `offsetof(SAMPLE_HEADER, ${field})`,
    ),
    ...['owner', 'turn', 'controls'].map((field) => `offsetof(CONTROLS_SECTION, ${field})`),
    ...['offsetof(SAMPLE_SECTION, sample)', 'sizeof(SAMPLE_SECTION)', 'sizeof(CONTROLS_SECTION)'],
  ];
  const source = join(sectile.scratch, 'protocol.c');
  const prints = numbers.map((number) => `printf("%u\\n", (unsigned)(${number}));`);
  writeFileSync(
    source,
    `#include <stdio.h>\n#include "protocol.h"\nint main(void) {\n${prints.join('\n')}
    printf("%ls\\n%ls\\n", SAMPLE_SECTION_NAME, CONTROLS_SECTION_NAME); return 0; }\n`,
  );
  await run(process.env['CC'] ?? 'cc', [
    '-std=c11',
    '-Wall',
    '-Werror',
    `-I${kit}`,
    '-o',
    join(sectile.scratch, 'protocol'),
    source,
  ]);
  const { stdout } = await run(join(sectile.scratch, 'protocol'));
  const { SampleWord, LockWord, DriverState, SectionNames, ...its } = protocol;
  assert.deepEqual(stdout.trim().split('\n'), [
    ...[its.MAGIC, its.DRIVER_TOKEN >>> 0, its.LOCK_LEASE_MS, its.DEFAULT_INTERVAL_MS].map(String),
    ...[DriverState.starting, DriverState.running, DriverState.stopped].map(String),
    ...Object.values(SampleWord).map((word) => String(word * 4)),
    ...[LockWord.owner * 4, LockWord.turn * 4, its.RECORD_AT].map(String),
    ...[its.RECORD_AT, its.SAMPLE_SECTION_BYTES, its.CONTROLS_SECTION_BYTES].map(String),
    SectionNames.sample,
    SectionNames.controls,
  ]);
});

/** A file of the kit that imports nothing, as JavaScript: this Node.js may not read TypeScript. */
async function asModule(folder: string, name: string): Promise<string> {
  const { transform } = await import('oxc-transform');
  const output = join(folder, `${name}.mjs`);
  writeFileSync(output, (await transform(`${name}.ts`, readFileSync(join(folder, `${name}.ts`), 'utf8'))).code);
  return output;
}

test('a driver of every type compiles, runs in the system process, and its application reads it', async (t) => {
  const { folder, sectile } = await made(t, everyType);
  await compiled(folder);
  await sectile.prints(['system', 'start', '--driver', join(folder, 'dist', 'Camera.js')]);
  const { stdout } = await run(process.execPath, [join(folder, 'dist', 'application.js'), '2'], {
    env: { ...process.env, NODE_OPTIONS: '', SECTILE_RUNTIME_DIR: sectile.runtime },
  });
  const samples = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(samples.length, 2);
  for (const sample of samples) {
    const number = Number(sample.number);
    assert.ok(number > 0);
    assert.deepEqual(
      [sample.flag, sample.exposure, sample.histogram.length, sample.frames, sample.last],
      [number % 256, number, 16, String(number), number % 256],
    );
  }
});

test('without fields there is one to try, without --windows there is no C', async (t) => {
  const { folder } = await made(t, ['Plain']);
  const files = readdirSync(folder);
  assert.deepEqual(
    files.filter((name) => !/\.(ts|json|md)$/.test(name)),
    [],
  );
  assert.match(readFileSync(join(folder, 'layout.ts'), 'utf8'), /value: \{ at: 32, type: 'f64' \}/);
});

test('no name of the template is left in a kit', async (t) => {
  const { folder } = await made(t, everyType);
  for (const name of readdirSync(folder)) {
    assert.doesNotMatch(name, /SectileWdm/);
    assert.doesNotMatch(readFileSync(join(folder, name), 'utf8'), /SectileWdm|"Sect"/, name);
  }
});

test('what cannot be a driver is bad usage, and nothing is written', async (t) => {
  const sectile = new CommandLine(t);
  const wrong: readonly (readonly [RegExp, ...string[]])[] = [
    [/word of letters/, '1st'],
    [/word of letters/, 'my-driver'],
    [/word of letters/, '../up'],
    [/word of letters/, 'switch'],
    [/word of letters/, 'a'.repeat(33)],
    [/not all in capitals/, 'CAMERA'],
    [/name of a file in every kit/, 'Values'],
    [/name of a file in every kit/, 'client'],
    [/name of a device/, 'Con'],
    [/name of a device/, 'lpt1'],
    [/form NAME:TYPE/, 'Good', '--field', 'speed'],
    [/no name for a field/, 'Good', '--field', '2fast:u8'],
    [/no name for a field/, 'Good', '--field', 'int:u8'],
    [/no name for a field/, 'Good', '--field', 'RPM:u8'],
    [/no name for a field/, 'Good', '--field', 'errno:u8'],
    [/"float" is no type/, 'Good', '--field', 'speed:float'],
    [/"toString" is no type/, 'Good', '--field', 'speed:toString'],
    [/1 to 8192 elements/, 'Good', '--field', 'speed:u8[0]'],
    [/already/, 'Good', '--field', 'speed:u8', '--field', 'speed:u16'],
    [/every layout has a "number"/, 'Good', '--field', 'number:u8'],
    [/every layout has a "request"/, 'Good', '--control', 'request:u8'],
    [/take 131104 bytes/, 'Good', '--field', 'a:u64[8192]', '--field', 'b:u64[8192]'],
  ];
  for (const [expected, ...args] of wrong) assert.match(await sectile.refuses(['driver', 'init', ...args]), expected);
  assert.equal(existsSync(join(sectile.scratch, 'Good')), false);
  assert.equal(existsSync(join(sectile.scratch, 'Con')), false);
});

test('a folder that holds something stays as it is', async (t) => {
  const sectile = new CommandLine(t);
  mkdirSync(join(sectile.scratch, 'Taken'));
  writeFileSync(join(sectile.scratch, 'Taken', 'mine.txt'), 'mine');
  assert.match(await sectile.refuses(['driver', 'init', 'Taken']), /not an empty folder/);
  assert.deepEqual(readdirSync(join(sectile.scratch, 'Taken')), ['mine.txt']);
  await sectile.prints(['driver', 'init', 'Taken', '--directory', 'free']);
  assert.ok(existsSync(join(sectile.scratch, 'free', 'Taken.ts')));
});
