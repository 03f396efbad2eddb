/**
 * Objects of every kind under their names, in the local registry and in the system process alike: one
 * namespace, directories, links, case, exclusive objects, handles and how many there are.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { scratchFolder } from '../support/child.js';
import { type Client, startSystem, startUser } from '../support/system.js';

const EVENT_ALL = 0x1f0003;
const kinds = ['Event', 'Mutant', 'Semaphore', 'Directory', 'SymbolicLink', 'Section'] as const;

interface Made {
  readonly kind: string;
  readonly granted: number;
  readonly created: boolean;
  readonly identity: string;
  readonly leaf?: string;
  readonly writable: boolean;
}

for (const scope of ['local', 'global'] as const) {
  const users = async (t: TestContext, count: number): Promise<Client[]> => {
    const scratch = scratchFolder(t);
    if (scope === 'global') await startSystem(t, { scratch });
    return Promise.all(Array.from({ length: count }, () => startUser(t, { scratch })));
  };
  const at = (leaf: string, inside?: string) => ({ scope, leaf, ...(inside === undefined ? {} : { inside }) });
  const make = async (user: Client, order: object) => (await user.succeeds('create', order)) as Made;
  const open = async (user: Client, order: object) => (await user.succeeds('open', order)) as Made;

  test(`${scope}: all kinds share one namespace, each is created once and opened as what it is`, async (t) => {
    const [one, two] = (await users(t, 2)) as [Client, Client];
    for (const kind of kinds) {
      const name = at(`a-${kind}`);
      const made = await make(one, { key: kind, name, kind, text: kind });
      assert.deepEqual([made.kind, made.created, made.leaf], [kind, true, name.leaf]);
      const opened = await open(two, { key: kind, name, kind });
      assert.deepEqual([opened.kind, opened.created, opened.identity], [kind, false, made.identity]);
      const any = await open(two, { key: `${kind}-any`, name });
      assert.equal(any.identity, made.identity);
      if (kind !== 'Section') assert.equal(await two.succeeds('read', kind), kind);
      assert.equal(await two.succeeds('count', kind), 3);
      for (const other of kinds.filter((each) => each !== kind)) {
        await two.refuses('STATUS_OBJECT_TYPE_MISMATCH', 'create', { key: 'x', name, kind: other });
        await two.refuses('STATUS_OBJECT_TYPE_MISMATCH', 'create', { key: 'x', name, kind: other, openExisting: true });
        await two.refuses('STATUS_OBJECT_TYPE_MISMATCH', 'open', { key: 'x', name, kind: other });
      }
      await two.refuses('STATUS_OBJECT_NAME_COLLISION', 'create', { key: 'x', name, kind });
      const again = await make(two, { key: 'again', name, kind, openExisting: true });
      assert.deepEqual([again.created, again.identity], [false, made.identity]);
      for (const key of [kind, `${kind}-any`, 'again']) await two.succeeds('close', key);
      assert.equal(await one.succeeds('count', kind), 1);
      await one.succeeds('close', kind);
      await two.refuses('STATUS_OBJECT_NAME_NOT_FOUND', 'open', { key: 'x', name });
    }
  });

  test(`${scope}: a directory's entries are its own, and die to lookups with it`, async (t) => {
    const [one, two] = (await users(t, 2)) as [Client, Client];
    await make(one, { key: 'top', name: at('top'), kind: 'Directory' });
    await make(one, { key: 'sub', name: at('sub', 'top'), kind: 'Directory' });
    const inner = await make(one, { key: 'inner', name: at('same', 'sub') });
    const middle = await make(one, { key: 'middle', name: at('same', 'top') });
    const outer = await make(one, { key: 'outer', name: at('same') });
    assert.equal(new Set([inner.identity, middle.identity, outer.identity]).size, 3);
    await open(two, { key: 'top', name: at('top') });
    await open(two, { key: 'sub', name: at('sub', 'top') });
    assert.equal((await open(two, { key: 'in', name: at('same', 'sub') })).identity, inner.identity);
    assert.equal((await open(two, { key: 'mid', name: at('same', 'top') })).identity, middle.identity);
    assert.deepEqual(await two.succeeds('list', { scope, inside: 'top' }), ['Event same', 'Directory sub']);
    assert.deepEqual(await two.succeeds('list', { scope, inside: 'sub' }), ['Event same']);
    assert.deepEqual(await two.succeeds('list', { scope }), ['Event same', 'Directory top']);
    await two.refuses('STATUS_OBJECT_NAME_NOT_FOUND', 'open', { key: 'x', name: at('nothing', 'sub') });
    assert.equal(await two.succeeds('find', { name: at('nothing', 'sub') }), null);

    // With the last handle the directory goes, though what was in it is held: a new one is empty.
    for (const user of [one, two]) await user.succeeds('close', 'sub');
    await make(two, { key: 'sub', name: at('sub', 'top'), kind: 'Directory' });
    assert.deepEqual(await two.succeeds('list', { scope, inside: 'sub' }), []);
    await two.refuses('STATUS_OBJECT_NAME_NOT_FOUND', 'open', { key: 'x', name: at('same', 'sub') });
    assert.equal(await two.succeeds('count', 'in'), 2, 'the object itself lives on');
  });

  test(`${scope}: a lookup that ignores case finds what differs in case, and the exact name first`, async (t) => {
    const [one, two] = (await users(t, 2)) as [Client, Client];
    const lower = await make(one, { key: 'lower', name: at('straße') });
    assert.equal((await open(two, { key: 'a', name: at('STRAßE'), caseInsensitive: true })).identity, lower.identity);
    assert.equal((await open(two, { key: 'b', name: at('STRAßE'), caseInsensitive: true })).leaf, 'straße');
    await two.refuses('STATUS_OBJECT_NAME_NOT_FOUND', 'open', { key: 'x', name: at('STRAßE') });
    await two.refuses('STATUS_OBJECT_NAME_NOT_FOUND', 'open', { key: 'x', name: at('STRASSE'), caseInsensitive: true });
    await two.refuses('STATUS_OBJECT_NAME_COLLISION', 'create', { key: 'x', name: at('StraßE'), caseInsensitive: true });
    const opened = await make(two, { key: 'c', name: at('STRAßE'), caseInsensitive: true, openExisting: true });
    assert.deepEqual([opened.created, opened.identity], [false, lower.identity]);
    const upper = await make(two, { key: 'upper', name: at('STRAßE') });
    assert.notEqual(upper.identity, lower.identity);
    assert.equal((await open(one, { key: 'd', name: at('STRAßE'), caseInsensitive: true })).identity, upper.identity);
    assert.equal((await open(one, { key: 'e', name: at('straße'), caseInsensitive: true })).identity, lower.identity);
    await make(one, { key: 'top', name: at('Top'), kind: 'Directory' });
    await make(one, { key: 'leaf', name: at('Leaf', 'top') });
    const found = (await one.succeeds('find', { name: at('LEAF', 'top'), caseInsensitive: true })) as { leaf: string };
    assert.equal(found.leaf, 'Leaf');
    assert.equal(await one.succeeds('find', { name: at('LEAF', 'top') }), null);
  });

  test(`${scope}: a link says where it leads, of any text`, async (t) => {
    const [one, two] = (await users(t, 2)) as [Client, Client];
    for (const [index, text] of ['\\BaseNamedObjects\\x', '\0\ud800', 'x'.repeat(32_767)].entries()) {
      await make(one, { key: `link${index}`, name: at(`link${index}`), kind: 'SymbolicLink', text });
      const entry = (await two.succeeds('find', { name: at(`link${index}`) })) as { kind: string; target: string };
      assert.deepEqual([entry.kind, entry.target], ['SymbolicLink', text]);
    }
  });

  test(`${scope}: an exclusive object has one handle at a time`, async (t) => {
    const [one, two] = (await users(t, 2)) as [Client, Client];
    const name = at('alone');
    await make(one, { key: 'a', name, exclusive: true });
    for (const user of [one, two]) {
      for (const exclusive of [false, true]) await user.refuses('STATUS_ACCESS_DENIED', 'open', { key: 'x', name, exclusive });
      await user.refuses('STATUS_ACCESS_DENIED', 'create', { key: 'x', name, openExisting: true, exclusive: true });
    }
    await one.refuses('STATUS_ACCESS_DENIED', 'duplicate', { key: 'x', of: 'a', granted: 1 });
    await one.refuses('STATUS_ACCESS_DENIED', 'reopen', { key: 'x', of: 'a', desired: 1 });
    await one.succeeds('close', 'a');
    await make(two, { key: 'a', name });
    await one.succeeds('open', { key: 'b', name });
    await one.refuses('STATUS_INVALID_PARAMETER', 'open', { key: 'x', name, exclusive: true });
  });

  test(`${scope}: duplicates count, hold what they were given, and outlive their source`, async (t) => {
    const [one, two] = (await users(t, 2)) as [Client, Client];
    const name = at('many');
    await make(one, { key: 'a', name, text: 'before' });
    const copy = (await one.succeeds('duplicate', { key: 'b', of: 'a', granted: 1 })) as Made;
    assert.deepEqual([copy.granted, copy.created], [1, false]);
    assert.equal(((await one.succeeds('reopen', { key: 'c', of: 'b', desired: 0x1000_0000 })) as Made).granted, EVENT_ALL);
    await one.refuses('STATUS_ACCESS_DENIED', 'reopen', { key: 'x', of: 'a', desired: 0 });
    await open(two, { key: 'a', name });
    for (const [user, key] of [
      [one, 'a'],
      [one, 'b'],
      [two, 'a'],
    ] as const)
      assert.equal(await user.succeeds('count', key), 4);
    await one.succeeds('close', 'a');
    assert.equal(await two.succeeds('count', 'a'), 3);
    assert.equal(await one.succeeds('write', { key: 'c', text: 'after!' }), 'written');
    assert.equal(await two.succeeds('read', 'a'), 'after!');
    await two.child.kill('SIGKILL');
    for (let tries = 0; (await one.succeeds('count', 'b')) !== 2; tries++) assert.ok(tries < 1000);
  });

  test(`${scope}: duplicates of a section that one process alone writes can do what it can`, async (t) => {
    const [one, two] = (await users(t, 2)) as [Client, Client];
    const name = at('sole');
    await make(one, { key: 'a', name, kind: 'Section', soleWriter: true });
    await one.succeeds('duplicate', { key: 'b', of: 'a', granted: 6 });
    await one.succeeds('reopen', { key: 'c', of: 'b', desired: 6 });
    await one.succeeds('close', 'a');
    await open(two, { key: 'a', name });
    for (const [index, key] of ['b', 'c'].entries()) {
      assert.equal(await one.succeeds('map', { key, byte: index + 5 }), index + 5);
      assert.match(String(await two.succeeds('read', 'a')), new RegExp(`^\\u000${index + 5}`));
    }
    await two.fails('ERR_SECTION_ACCESS_DENIED', 'map', { key: 'a', byte: 9 });
    await two.succeeds('duplicate', { key: 'b', of: 'a', granted: 6 });
    await two.fails('ERR_SECTION_ACCESS_DENIED', 'map', { key: 'b', byte: 9 });
  });

  test(`${scope}: the security descriptor changes by parts, while others hold the object, for all who come later`, async (t) => {
    const [one, two] = (await users(t, 2)) as [Client, Client];
    const name = at('guarded');
    await make(one, { key: 'a', name, security: 'O:S-1-22-1-0G:S-1-22-2-0D:P(A;;GA;;;WD)' });
    await open(two, { key: 'a', name });
    assert.equal(await two.succeeds('security', 'a'), 'O:S-1-22-1-0G:S-1-22-2-0D:P(A;;GA;;;WD)');
    await one.succeeds('setSecurity', { key: 'a', sddl: 'G:S-1-22-2-77' });
    assert.equal(await two.succeeds('security', 'a'), 'O:S-1-22-1-0G:S-1-22-2-77D:P(A;;GA;;;WD)');
    await two.succeeds('setSecurity', { key: 'a', sddl: `D:(D;;DC;;;WD)(A;;CCDCRCWD;;;WD)${'(A;;CC;;;BU)'.repeat(500)}` });
    await one.succeeds('setSecurity', { key: 'a', sddl: 'D:(D;;DC;;;WD)(A;;CCDCRCWD;;;WD)(A;IO;GA;;;WD)' });
    assert.equal(await two.succeeds('security', 'a'), 'O:S-1-22-1-0G:S-1-22-2-77D:(D;;DC;;;WD)(A;;CCDCRCWD;;;WD)(A;IO;GA;;;WD)');
    assert.equal((await open(two, { key: 'b', name })).granted, 0x60001, 'denied entries count, inherit-only ones do not');
    await two.refuses('STATUS_ACCESS_DENIED', 'open', { key: 'x', name, desired: 2 });
    await two.refuses('STATUS_ACCESS_DENIED', 'reopen', { key: 'x', of: 'a', desired: 2 });
    assert.equal(await two.succeeds('write', { key: 'a', text: '' }), 'written', 'what was granted stays');
    for (const sddl of ['D:(', 'S:', 'O:', 'x'])
      await one.fails('ERR_SECTION_INVALID_SECURITY', 'setSecurity', { key: 'a', sddl });
  });

  test(`${scope}: generic rights mean what they mean for the kind`, async (t) => {
    const [one] = (await users(t, 1)) as [Client];
    const GENERIC_READ = 0x8000_0000;
    const GENERIC_WRITE = 0x4000_0000;
    const GENERIC_EXECUTE = 0x2000_0000;
    for (const [kind, read, write, execute, all] of [
      ['Section', 0x20005, 0x20002, 0x20008, 0xf001f],
      ['Event', 0x20001, 0x20002, 0x120000, 0x1f0003],
      ['Mutant', 0x20001, 0x20000, 0x120000, 0x1f0001],
      ['Semaphore', 0x20001, 0x20002, 0x120000, 0x1f0003],
      ['Directory', 0x20003, 0x2000c, 0x20003, 0xf000f],
      ['SymbolicLink', 0x20001, 0x20000, 0x20001, 0xf0001],
    ] as const) {
      const name = at(kind);
      assert.equal((await make(one, { key: kind, name, kind, text: 'x' })).granted, all, kind);
      for (const [desired, granted] of [
        [GENERIC_READ, read],
        [GENERIC_WRITE, write],
        [GENERIC_EXECUTE, execute],
        [0x1000_0000, all],
        [0x0200_0000, all],
      ] as const)
        assert.equal((await open(one, { key: 'x', name, desired })).granted, granted, `${kind} 0x${desired.toString(16)}`);
    }
  });
}

test('objects without a name: handles of one process that share descriptor and memory', async (t) => {
  const user = await startUser(t, { scratch: scratchFolder(t) });
  const made = (await user.succeeds('create', { key: 'a', name: null, text: 'x' })) as Made;
  const copy = (await user.succeeds('duplicate', { key: 'b', of: 'a', granted: 1 })) as Made;
  assert.deepEqual([copy.identity, copy.granted, copy.created], [made.identity, 1, false]);
  assert.equal(await user.succeeds('count', 'b'), 2);
  await user.succeeds('setSecurity', { key: 'a', sddl: 'D:(A;;CC;;;WD)' });
  assert.match(String(await user.succeeds('security', 'b')), /D:\(A;;CC;;;WD\)$/);
  await user.refuses('STATUS_ACCESS_DENIED', 'reopen', { key: 'x', of: 'b', desired: 2 });
  assert.equal(((await user.succeeds('reopen', { key: 'c', of: 'b', desired: 1 })) as Made).granted, 1);
  await user.succeeds('close', 'a');
  assert.equal(await user.succeeds('read', 'b'), 'x');
  assert.equal(await user.succeeds('count', 'c'), 2);
  await user.succeeds('create', { key: 'alone', name: null, exclusive: true });
  await user.refuses('STATUS_ACCESS_DENIED', 'duplicate', { key: 'x', of: 'alone', granted: 1 });
  await user.succeeds('create', { key: 'directory', name: null, kind: 'Directory' });
  await user.succeeds('create', { key: 'entry', name: { scope: 'local', leaf: 'entry', inside: 'directory' } });
  assert.deepEqual(await user.succeeds('list', { scope: 'local', inside: 'directory' }), ['Event entry']);
  assert.deepEqual(await user.succeeds('list', { scope: 'local' }), []);
});

test('what is no identity of a local directory holds no names', async (t) => {
  const user = await startUser(t, { scratch: scratchFolder(t) });
  assert.deepEqual(await user.succeeds('listBy', { scope: 'local', identity: 'x' }), []);
});
