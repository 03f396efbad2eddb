/**
 * How the command line ends: exit codes, one clear line, help for everything, and readers that leave.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandLine } from './command.js';

const commands = [
  ['demo'],
  ['ls'],
  ['show'],
  ['create'],
  ['dump'],
  ['write'],
  ['system', 'start'],
  ['system', 'stop'],
  ['system', 'status'],
  ['driver', 'load'],
  ['driver', 'unload'],
  ['driver', 'ls'],
  ['driver', 'init'],
  ['bench'],
  ['doctor'],
];

for (const command of commands) {
  test(`${command.join(' ')} --help shows an example`, async (t) => {
    const text = await new CommandLine(t).prints([...command, '--help']);
    assert.match(text, new RegExp(`^Usage: sectile ${command.join(' ')}`));
    assert.match(text, /\$ (.*\| )?sectile /);
  });
}

test('--help and --version go well', async (t) => {
  const sectile = new CommandLine(t);
  assert.match(await sectile.prints(['--help']), /^Usage: sectile/);
  assert.match(await sectile.prints(['help']), /^Usage: sectile/);
  assert.match(await sectile.prints(['--version']), /^\d+\.\d+\.\d+\n$/);
});

const wrong: readonly (readonly string[])[] = [
  [],
  ['system'],
  ['driver'],
  ['frobnicate'],
  ['ls', '--frobnicate'],
  ['ls', 'extra'],
  ['show'],
  ['dump'],
  ['dump', 'x', '--offset', '-1'],
  ['dump', 'x', '--length', 'ten'],
  ['dump', 'x', '--width', '0'],
  ['create', 'x'],
  ['create', '--size', '1'],
  ['create', 'x', '--size', '0'],
  ['create', 'x', '--size', '1.5K'],
  ['create', 'x', '--size', '99999999999999T'],
  ['create', 'x', '--size', '1', '--reserve', '--large-pages'],
  ['create', 'x', '--file', 'f', '--security', 'D:'],
  ['write', 'x', '--hex', 'abc'],
  ['write', 'x', '--text', 'a', '--hex', 'ab'],
  ['system', 'start', '--set', 'a=b'],
  ['system', 'start', '--driver', 'd.js', '--set', 'novalue'],
  ['system', 'start', '--max-handles', '0'],
  ['driver', 'load'],
  ['driver', 'load', 'd.js', '--set', '=x'],
];

test('wrong usage is exit code 2', async (t) => {
  const sectile = new CommandLine(t);
  for (const args of wrong) await sectile.refuses(args);
});

test('a failure is exit code 1 and one line', async (t) => {
  const sectile = new CommandLine(t);
  assert.match(await sectile.fails(['dump', 'nothing']), /"Local\\nothing".*no process of this user holds/);
  assert.match(await sectile.fails(['show', 'nothing']), /"Local\\nothing".*no process of this user holds/);
  assert.match(await sectile.fails(['write', 'nothing', '--text', 'x']), /"Local\\nothing"/);
  assert.match(await sectile.fails(['show', 'a\\b']), /any character but a backslash/);
  assert.match(await sectile.fails(['show', 'fd:x']), /fd:1234\/19/);
  assert.match(await sectile.fails(['dump', 'posix:/nothing-like-this']), /POSIX object "\/nothing-like-this"/);
  assert.match(await sectile.fails(['dump', 'file:/dev/zero']), /no regular file|character device/);
  assert.match(await sectile.fails(['create', 'x', '--size', '128T']), /must be a whole number from 1 to/);
  assert.match(await sectile.fails(['create', 'x', '--size', '1K', '--security', 'nonsense']), /security|SDDL/i);
  for (const args of [
    ['show', 'Global\\x'],
    ['dump', 'Global\\x'],
    ['system', 'status'],
    ['system', 'stop'],
    ['driver', 'ls'],
  ]) {
    assert.match(await sectile.fails(args), /sectile system start/);
  }
});

test('a failure cannot steer the terminal', async (t) => {
  const line = await new CommandLine(t).fails(['dump', 'posix:/a\u001b[31mb\nc']);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
  assert.doesNotMatch(line, /[\u0000-\u001f]/);
});

test('a reader that has seen enough is no error', async (t) => {
  const sectile = new CommandLine(t);
  for (const args of [
    ['doctor'],
    ['--help'],
    ['ls'],
    ['dump', `file:${process.execPath}`],
    ['dump', `file:${process.execPath}`, '--raw'],
  ]) {
    const child = sectile.start(args);
    child.process.stdout?.destroy();
    const { code, signal, stderr } = await child.ended;
    assert.deepEqual([code, signal], [0, null], `sectile ${args.join(' ')}: ${stderr}`);
    assert.doesNotMatch(stderr, /EPIPE/);
  }
});

test('there are no colours in a pipe', async (t) => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the start of a colour
  assert.doesNotMatch(await new CommandLine(t).prints(['doctor']), /\u001b/);
});
