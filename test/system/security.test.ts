/**
 * Who may do what with global objects, decided by the system process whatever a client says: rights of
 * handles, privileges, owners, directories, descriptors that write; and the line in its log for each refusal.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Child, notRoot, scratchFolder } from '../support/child.js';
import { type Client, NOBODY, startSystem, startUser } from '../support/system.js';

const scope = 'global';
const EVERYBODY = 'D:(A;;GA;;;WD)';
const at = (leaf: string, inside?: string) => ({ scope, leaf, ...(inside === undefined ? {} : { inside }) });

interface Parties {
  readonly system: Child;
  readonly root: Client;
  readonly nobody: Client;
  /** The next line of the log that matches. */
  logged(pattern: RegExp): Promise<void>;
}

async function parties(t: TestContext, options: { grantGlobal?: readonly number[] | 'all' } = {}): Promise<Parties> {
  const scratch = scratchFolder(t);
  const system = await startSystem(t, { scratch, ...options });
  const [root, nobody] = await Promise.all([startUser(t, { scratch }), startUser(t, { scratch, ...NOBODY })]);
  const logged = async (pattern: RegExp) => {
    for (;;) if (pattern.test(String(await system.reached('log')))) return;
  };
  return { system, root, nobody, logged };
}

test('sections in the global namespace take SeCreateGlobalPrivilege to create, none to open', { skip: notRoot }, async (t) => {
  const { root, nobody, logged } = await parties(t);
  const message = await nobody.refuses('STATUS_ACCESS_DENIED', 'create', { key: 's', name: at('s'), kind: 'Section' });
  assert.match(message, /SeCreateGlobalPrivilege.*user 65534.*--grant-global/);
  await logged(
    /^refused user 65534 \(S-1-22-1-65534\), process \d+: create a section "Global\\s": .*SeCreateGlobalPrivilege.*STATUS_ACCESS_DENIED/,
  );
  for (const kind of ['Event', 'Mutant', 'Semaphore', 'Directory', 'SymbolicLink'])
    await nobody.succeeds('create', { key: kind, name: at(kind), kind, text: 'x' });
  await root.succeeds('create', { key: 's', name: at('s'), kind: 'Section', security: EVERYBODY });
  await nobody.succeeds('open', { key: 's', name: at('s') });
  const opened = await nobody.succeeds('create', { key: 's2', name: at('s'), kind: 'Section', openExisting: true });
  assert.equal((opened as { created: boolean }).created, false);
});

test('the system process can be told who else may create global sections', { skip: notRoot }, async (t) => {
  const { nobody } = await parties(t, { grantGlobal: [1, NOBODY.uid] });
  await nobody.succeeds('create', { key: 's', name: at('s'), kind: 'Section' });
  const others = await parties(t, { grantGlobal: [1] });
  await others.nobody.refuses('STATUS_ACCESS_DENIED', 'create', { key: 's', name: at('s'), kind: 'Section' });
});

test('large pages take SeLockMemoryPrivilege, globally and locally', { skip: notRoot }, async (t) => {
  const { nobody } = await parties(t, { grantGlobal: 'all' });
  for (const name of [at('large'), null]) {
    const message = await nobody.refuses('STATUS_PRIVILEGE_NOT_HELD', 'create', {
      key: 's',
      name,
      kind: 'Section',
      largePages: true,
    });
    assert.match(message, /SeLockMemoryPrivilege.*CAP_IPC_LOCK.*hugetlb_shm_group/);
  }
});

test('a permanent object outlives its handles, until it is made temporary', async (t) => {
  const scratch = scratchFolder(t);
  const system = await startSystem(t, { scratch });
  const user = await startUser(t, { scratch });
  await user.succeeds('create', { key: 'a', name: at('kept'), text: 'still here', permanent: true });
  assert.equal(await user.succeeds('permanent', 'a'), true);
  await user.end();
  const second = await startUser(t, { scratch });
  await second.succeeds('open', { key: 'a', name: at('kept'), desired: 0x0001 });
  assert.equal(await second.succeeds('read', 'a'), 'still here');
  assert.equal(await second.succeeds('count', 'a'), 1);
  await second.refuses('STATUS_ACCESS_DENIED', 'setPermanent', { key: 'a', permanent: false });
  await second.succeeds('close', 'a');
  await second.succeeds('open', { key: 'a', name: at('kept'), desired: 0x1_0000 });
  await second.succeeds('setPermanent', { key: 'a', permanent: false });
  await second.succeeds('open', { key: 'b', name: at('kept') });
  await second.succeeds('close', 'a');
  await second.succeeds('setPermanent', { key: 'b', permanent: true });
  await second.succeeds('setPermanent', { key: 'b', permanent: false });
  await second.succeeds('close', 'b');
  await second.refuses('STATUS_OBJECT_NAME_NOT_FOUND', 'open', { key: 'a', name: at('kept') });

  // An exclusive object that is permanent has no handle, or one.
  await second.succeeds('create', { key: 'a', name: at('kept'), permanent: true, exclusive: true });
  await second.refuses('STATUS_ACCESS_DENIED', 'open', { key: 'b', name: at('kept') });
  await second.succeeds('close', 'a');
  await second.succeeds('open', { key: 'b', name: at('kept'), exclusive: true });
  await second.refuses('STATUS_ACCESS_DENIED', 'open', { key: 'c', name: at('kept') });
  await second.succeeds('create', { key: 'd', name: at('directory'), kind: 'Directory', permanent: true });
  await second.succeeds('create', { key: 'e', name: at('entry', 'd'), permanent: true });
  system.tell('stop');
  await system.endsWell();
  await startSystem(t, { scratch });
  await second.refuses('STATUS_OBJECT_NAME_NOT_FOUND', 'open', { key: 'x', name: at('kept') });
});

test('permanence takes SeCreatePermanentPrivilege, and a system process to keep the object', { skip: notRoot }, async (t) => {
  const { root, nobody, logged } = await parties(t);
  const message = await nobody.refuses('STATUS_PRIVILEGE_NOT_HELD', 'create', { key: 'a', name: at('a'), permanent: true });
  assert.match(message, /SeCreatePermanentPrivilege/);
  await logged(/create an object "Global\\a": .*SeCreatePermanentPrivilege.*STATUS_PRIVILEGE_NOT_HELD/);
  await nobody.succeeds('create', { key: 'a', name: at('a') });
  await nobody.refuses('STATUS_PRIVILEGE_NOT_HELD', 'setPermanent', { key: 'a', permanent: true });
  await nobody.succeeds('setPermanent', { key: 'a', permanent: false });
  await root.succeeds('create', { key: 'b', name: { scope: 'local', leaf: 'b' } });
  for (const [what, order] of [
    ['create', { key: 'x', name: { scope: 'local', leaf: 'c' }, permanent: true }],
    ['setPermanent', { key: 'b', permanent: true }],
  ] as const) {
    assert.match(await root.refuses('STATUS_NOT_SUPPORTED', what, order), /BaseNamedObjects/);
  }
  await root.succeeds('setPermanent', { key: 'b', permanent: false });
  assert.equal(await root.succeeds('permanent', 'b'), false);
});

test("the rights of a handle are the system process's own record", { skip: notRoot }, async (t) => {
  const { root, nobody, logged } = await parties(t);
  const QUERY = 0x0001;
  const security = 'D:(A;;CCRCWDWO;;;WD)(A;;GA;;;SY)';
  await root.succeeds('create', { key: 'a', name: at('a'), security });
  await nobody.succeeds('open', { key: 'q', name: at('a'), desired: QUERY });
  for (const [what, order] of [
    ['security', 'q'],
    ['setSecurity', { key: 'q', sddl: EVERYBODY }],
    ['setSecurity', { key: 'q', sddl: 'G:S-1-22-2-65534' }],
    ['duplicate', { key: 'x', of: 'q', granted: 3 }],
    ['reopen', { key: 'x', of: 'q', desired: 2 }],
  ] as const) {
    await nobody.refuses('STATUS_ACCESS_DENIED', what, order);
    await logged(/^refused user 65534 .*: (query|set|duplicate|open).* "Global\\a": .*0x.*STATUS_ACCESS_DENIED/);
  }
  await nobody.succeeds('open', { key: 'r', name: at('a'), desired: 0x2_0000 });
  assert.equal(await nobody.succeeds('security', 'r'), `O:S-1-22-1-0G:S-1-22-2-0${security}`);
  await nobody.refuses('STATUS_ACCESS_DENIED', 'setSecurity', { key: 'r', sddl: EVERYBODY });

  // WRITE_OWNER lets one take the object, for oneself; root may give it to anybody.
  await nobody.succeeds('open', { key: 'w', name: at('a'), desired: 0x8_0000 });
  await nobody.refuses('STATUS_INVALID_OWNER', 'setSecurity', { key: 'w', sddl: 'O:S-1-22-1-7' });
  await logged(/^refused user 65534 .*the owner must be.*STATUS_INVALID_OWNER/);
  await nobody.refuses('STATUS_ACCESS_DENIED', 'setSecurity', { key: 'w', sddl: `O:S-1-22-1-65534${EVERYBODY}` });
  await nobody.succeeds('setSecurity', { key: 'w', sddl: 'O:S-1-22-1-65534' });
  assert.equal(await nobody.succeeds('security', 'r'), `O:S-1-22-1-65534G:S-1-22-2-0${security}`);
  await root.succeeds('setSecurity', { key: 'a', sddl: 'O:S-1-22-1-7G:S-1-22-2-8D:P' });
  assert.equal(await root.succeeds('security', 'a'), 'O:S-1-22-1-7G:S-1-22-2-8D:P');
  await nobody.refuses('STATUS_ACCESS_DENIED', 'open', { key: 'x', name: at('a'), desired: QUERY });
  // Nobody has a grant now: an administrator takes it back, and an owner reads and writes the DACL.
  await root.refuses('STATUS_ACCESS_DENIED', 'open', { key: 'x', name: at('a'), desired: QUERY });
  await root.succeeds('open', { key: 'take', name: at('a'), desired: 0x8_0000 });
  await root.succeeds('setSecurity', { key: 'take', sddl: 'O:S-1-22-1-0' });
  await root.succeeds('open', { key: 'own', name: at('a'), desired: 0x6_0000 });
});

test('memory follows the rights: who may not change the state cannot write it', { skip: notRoot }, async (t) => {
  const { root, nobody } = await parties(t);
  for (const [kind, reads, writes] of [
    ['Event', 1, 2],
    ['Semaphore', 1, 2],
    ['Mutant', 0x2_0000, 1],
    ['Section', 4, 2],
  ] as const) {
    const name = at(kind);
    await root.succeeds('create', { key: kind, name, kind, text: 'ab', security: EVERYBODY });
    await nobody.succeeds('open', { key: 'r', name, desired: reads });
    assert.equal(await nobody.succeeds('write', { key: 'r', text: 'no' }), 'EBADF', kind);
    await nobody.succeeds('open', { key: 'w', name, desired: writes });
    assert.equal(await nobody.succeeds('write', { key: 'w', text: 'ok' }), 'written', kind);
    await nobody.succeeds('duplicate', { key: 'd', of: 'w', granted: 0 });
    assert.equal(await nobody.succeeds('write', { key: 'd', text: 'no' }), 'EBADF', `a duplicate without the right, ${kind}`);
    await nobody.succeeds('duplicate', { key: 'd', of: 'w', granted: writes });
    assert.equal(await nobody.succeeds('write', { key: 'd', text: 'ok' }), 'written', kind);
    assert.equal(String(await root.succeeds('read', kind)).slice(0, 2), 'ok');
  }
  // A wait changes all but events that stay signalled: their type is the second word (the text is UTF-16).
  for (const [kind, name, text, outcome] of [
    ['Event', 'stays', '\0\0\0\0', 'EBADF'],
    ['Event', 'resets itself', '\0\0\u0001\0', 'written'],
    ['Semaphore', 'counts', '\0\0\0\0', 'written'],
    ['Mutant', 'is owned', '\0\0\0\0', 'written'],
  ] as const) {
    await root.succeeds('create', { key: name, name: at(name), kind, text, security: EVERYBODY });
    await nobody.succeeds('open', { key: 's', name: at(name), desired: 0x10_0000 });
    assert.equal(await nobody.succeeds('write', { key: 's', text: 'x' }), outcome, name);
  }
  await root.succeeds('create', { key: 'link', name: at('link'), kind: 'SymbolicLink', text: '\\a', security: EVERYBODY });
  await nobody.succeeds('open', { key: 'link', name: at('link') });
  assert.equal(await nobody.succeeds('write', { key: 'link', text: '\\b' }), 'EBADF');
});

test('a directory says who may create in it and who may list it', { skip: notRoot }, async (t) => {
  const { root, nobody, logged } = await parties(t, { grantGlobal: 'all' });
  await root.succeeds('create', { key: 'd', name: at('d'), kind: 'Directory', security: 'D:(A;;GA;;;SY)(A;;DC;;;WD)' });
  await root.succeeds('create', { key: 'e', name: at('e', 'd'), security: EVERYBODY });
  await nobody.succeeds('open', { key: 'd', name: at('d'), desired: 2 });
  await nobody.succeeds('open', { key: 'e', name: at('e', 'd') });
  for (const kind of ['Event', 'Section', 'Directory']) {
    await nobody.refuses('STATUS_ACCESS_DENIED', 'create', { key: 'x', name: at('x', 'd'), kind });
    await logged(/"Global\\d": its security descriptor does not grant access 0x[48] to user 65534/);
  }
  await nobody.refuses('STATUS_ACCESS_DENIED', 'list', { scope, inside: 'd' });
  await logged(/list a directory "Global\\d"/);
  await root.succeeds('setSecurity', { key: 'd', sddl: 'D:(A;;GA;;;SY)(A;;CCLC;;;WD)' });
  await nobody.succeeds('create', { key: 'x', name: at('x', 'd') });
  await nobody.refuses('STATUS_ACCESS_DENIED', 'create', { key: 'y', name: at('y', 'd'), kind: 'Directory' });
  await nobody.refuses('STATUS_ACCESS_DENIED', 'list', { scope, inside: 'd' });
  await nobody.succeeds('open', { key: 'l', name: at('d'), desired: 1 });
  assert.deepEqual(await nobody.succeeds('list', { scope, inside: 'd' }), ['Event e', 'Event x']);
  await root.succeeds('close', 'd');
  for (const key of ['d', 'l']) await nobody.succeeds('close', key);
  await nobody.refuses('STATUS_OBJECT_PATH_NOT_FOUND', 'open', { key: 'z', name: at('x', 'd') });
});

test('a long directory is listed whole, and no name begins a line of the log', { skip: notRoot }, async (t) => {
  const { root, nobody, logged } = await parties(t);
  const names = Array.from({ length: 12 }, (_, index) => `${'long'.repeat(8000)}${String(index).padStart(2, '0')}`);
  for (const leaf of names) await root.succeeds('create', { key: leaf.slice(-2), name: at(leaf) });
  assert.deepEqual(
    ((await nobody.succeeds('list', { scope })) as string[]).map((each) => each.slice(-2)),
    names.map((each) => each.slice(-2)),
  );
  const evil = 'x\nrefused somebody else: \u2028';
  await root.succeeds('create', { key: 'evil', name: at(evil), security: 'D:' });
  await nobody.refuses('STATUS_ACCESS_DENIED', 'open', { key: 'x', name: at(evil) });
  await logged(/^refused user 65534.*"Global\\x\\u000arefused somebody else: \\u2028": .*does not grant/);
  await nobody.refuses('STATUS_ACCESS_DENIED', 'create', { key: 'x', name: at('y'.repeat(32_000)), kind: 'Section' });
  await logged(/^refused user 65534.*SeCreateGlobalPrivilege/);
});

test('a section that a client describes as no section can be is refused', async (t) => {
  const scratch = scratchFolder(t);
  await startSystem(t, { scratch });
  const user = await startUser(t, { scratch });
  const SEC_COMMIT = 0x0800_0000;
  const SEC_RESERVE = 0x0400_0000;
  const section = {
    ...{ name: 's', directory: null, caseInsensitive: false, exclusive: false, desired: 6, security: null },
    ...{ openExisting: false, permanent: false, size: 4096, reserve: false, largePages: false, soleWriter: false },
    ...{ pageProtection: 4, attributes: SEC_COMMIT, fileBacked: false },
  };
  for (const wrong of [
    ...[0, 1, 3, 0x104, 0x204, 0x404, 0xffff_ffff].map((pageProtection) => ({ pageProtection })),
    ...[0, 1, SEC_RESERVE, SEC_COMMIT | SEC_RESERVE, SEC_COMMIT | 0x0080_0000, (SEC_COMMIT | 0x8000_0000) >>> 0].map(
      (attributes) => ({
        attributes,
      }),
    ),
    { attributes: 0x0880_0000, fileBacked: false },
    { attributes: SEC_COMMIT, reserve: true },
    { attributes: SEC_COMMIT, largePages: true },
    { attributes: SEC_COMMIT, fileBacked: true },
  ]) {
    const message = await user.refuses('STATUS_INVALID_PARAMETER', 'raw', {
      operation: 'section.create',
      fields: { ...section, ...wrong },
    });
    assert.match(message, /page protection 0x.* and attributes 0x/);
  }
  await user.succeeds('raw', { operation: 'section.create', fields: section });
});
