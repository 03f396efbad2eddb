/**
 * What clients and server say to each other over a socket: answers, peers, events, limits, time-outs.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { os } from '../../dist/os/index.js';
import { platform } from '../support/platform.js';
import { bytes, child, closeAll, directory, echo, Listening, openHere, rogue, text, withoutPython } from './socket-support.js';

test('a request is answered with bytes and descriptors, both ways', async (t) => {
  const listening = new Listening(t, {}, (event, server) => {
    if (event.type !== 'message') return;
    const content = new Uint8Array(5);
    os.descriptorRead(event.message.descriptors[0]!, content, 0);
    const answer = bytes(`${text(event.message.bytes)}: ${text(content)}`);
    os.serverReply(server, event.client, answer, [...event.message.descriptors].reverse());
  });
  const folder = directory(t);
  writeFileSync(join(folder, 'one'), 'first');
  writeFileSync(join(folder, 'two'), 'other');
  const client = child(
    t,
    listening.path,
    `
    const files = ['one', 'two'].map((name) => os.descriptorOpen(${JSON.stringify(folder)} + '/' + name, 0, 0));
    const answer = os.socketRequest(os.socketConnect(path), bytes('question'), files, 10000);
    const content = answer.descriptors.map((each) => {
      const target = new Uint8Array(5);
      os.descriptorRead(each, target, 0);
      return text(target);
    });
    report([text(answer.bytes), content, answer.bytes.constructor.name]);
  `,
  );
  assert.deepEqual(await client.report(), ['question: first', ['other', 'first'], 'Uint8Array']);
});

test('both sides know who the peer is', async (t) => {
  const listening = new Listening(t);
  const client = child(t, listening.path, 'report(os.socketPeer(os.socketConnect(path)))');
  const me = { uid: process.getuid!(), gid: process.getgid!() };
  const seen = (await client.report()) as { pid: number; uid: number; gid: number; groups: number[] };
  await listening.ended();
  const event = listening.events[0]!;
  assert(event.type === 'connect');
  // getgroups() adds the effective group where the kernel's list does not have it.
  const groups = new Set(process.getgroups!());
  for (const [peer, pid] of [
    [seen, process.pid],
    [event.peer, client.process.pid],
  ] as const) {
    assert.deepEqual({ pid: peer.pid, uid: peer.uid, gid: peer.gid }, { pid, ...me });
    assert.deepEqual(new Set([...peer.groups, process.getegid!()]), new Set([...groups, process.getegid!()]));
  }
});

test('events of a client come in order and end with its disconnect, also when it is killed', async (t) => {
  const listening = new Listening(t, {}, (event, server) => {
    if (event.type === 'message' && text(event.message.bytes) !== 'last') echo(event, server);
  });
  const script = `
    const socket = os.socketConnect(path);
    for (const each of ['a', 'b', 'c', 'last']) os.socketRequest(socket, bytes(each), [], 60000);
  `;
  for (let round = 1; round <= 2; round++) {
    const client = child(t, listening.path, script);
    await listening.until((events) => events.filter((event) => event.type === 'message').length === 4 * round);
    client.process.kill('SIGKILL');
    await listening.until((events) => events.filter((event) => event.type === 'disconnect').length === round);
  }
  const [first, second] = [listening.events.slice(0, 6), listening.events.slice(6)];
  const order = ['connect', 'message', 'message', 'message', 'message', 'disconnect'];
  for (const events of [first, second]) {
    assert.deepEqual(
      events.map((event) => event.type),
      order,
    );
    assert.equal(new Set(events.map((event) => event.client)).size, 1);
  }
  assert(second[0]!.client > first[0]!.client, 'client numbers increase');
  os.serverReply(listening.server, first[0]!.client, bytes('too late'), []);
});

test('a client is read up to its unanswered messages and no further, and keeps nobody waiting', {
  skip: withoutPython || platform.lacks.packetSockets,
}, async (t) => {
  let flooding = 0;
  const held = () => listening.events.filter((event) => event.type === 'message' && event.client === flooding).length;
  const listening: Listening = new Listening(t, {}, (event, server) => {
    if (event.type === 'connect' && flooding === 0) flooding = event.client;
    if (event.client !== flooding) echo(event, server);
  });
  const file = join(directory(t), 'sent');
  writeFileSync(file, '');
  const flood = rogue(
    t,
    listening.path,
    `
client.setblocking(False)
with open(${JSON.stringify(file)}) as file:
  sent = 0
  try:
    while True:
      socket.send_fds(client, [b'flood'], [file.fileno()])
      sent += 1
  except BlockingIOError: pass
report(sent)
sys.stdin.read()
`,
  );
  assert(((await flood.report()) as number) > 20);
  await listening.until(() => held() === 4);
  const other = child(
    t,
    listening.path,
    `
    const socket = os.socketConnect(path);
    for (let i = 0; i < 200; i++) os.socketRequest(socket, bytes('other'), [], 10000);
    report('served');
  `,
  );
  assert.equal(await other.report(), 'served');
  assert.equal(held(), 4, 'four are unanswered: no fifth is read');
  os.serverReply(listening.server, flooding, bytes('one'), []);
  await listening.until(() => held() === 5);
  os.serverReply(listening.server, flooding, bytes('two'), []);
  os.serverReply(listening.server, flooding, bytes('three'), []);
  await listening.until(() => held() === 7);
  // Nothing of it is watched for reading now: the hang-up must be seen all the same.
  flood.process.kill('SIGKILL');
  await listening.until((events) => events.some((event) => event.type === 'disconnect' && event.client === flooding));
  assert.equal(openHere(file), 7);
  for (const event of listening.events) closeAll(event);
  assert.equal(openHere(file), 0, 'what was not delivered is closed');
});

test('a client that does not read its answers is cut off', { skip: withoutPython || platform.lacks.packetSockets }, async (t) => {
  const listening = new Listening(t, {}, (event, server) => {
    if (event.type === 'message') os.serverReply(server, event.client, new Uint8Array(65536).fill(1), []);
  });
  const deaf = rogue(
    t,
    listening.path,
    `
try:
  while True: client.send(b'more')
except OSError: pass
report('cut off')
`,
  );
  assert.equal(await deaf.report(), 'cut off');
  await listening.ended();
});

test('a reply without an unanswered message is ignored', async (t) => {
  const listening = new Listening(t, {}, (event, server) => {
    if (event.type === 'connect') os.serverReply(server, event.client, bytes('unasked'), []);
    echo(event, server);
    if (event.type === 'message') os.serverReply(server, event.client, bytes('twice'), []);
  });
  const client = child(
    t,
    listening.path,
    `
    const socket = os.socketConnect(path);
    report(['a', 'b'].map((each) => text(os.socketRequest(socket, bytes(each), [], 10000).bytes)));
  `,
  );
  assert.deepEqual(await client.report(), ['a', 'b']);
  os.serverReply(listening.server, 4711, bytes('nobody'), []);
  os.serverCut(listening.server, 4711);
});

for (const [what, send, delivered] of [
  ['as many descriptors as allowed', `bytes('x'), [file, file, file]`, true],
  ['one descriptor too many', `bytes('x'), [file, file, file, file]`, false],
  ['many descriptors too many', `bytes('x'), Array(16).fill(file)`, false],
  ['a message as long as allowed', `new Uint8Array(4096), [file]`, true],
  ['a message one byte too long', `new Uint8Array(4097), [file]`, false],
] as const) {
  test(`${what}: ${delivered ? 'delivered' : 'the connection ends'}`, async (t) => {
    const file = join(directory(t), 'sent');
    writeFileSync(file, '');
    const listening = new Listening(t, {}, (event, server) => {
      if (event.type !== 'message') return;
      os.serverReply(server, event.client, bytes('answer'), []);
      closeAll(event);
    });
    const client = child(
      t,
      listening.path,
      `
      const file = os.descriptorOpen(${JSON.stringify(file)}, 0, 0);
      const socket = os.socketConnect(path);
      report(failure(() => os.socketRequest(socket, ${send}, 10000)));
    `,
    );
    assert.equal(await client.report(), delivered ? null : 'ECONNRESET');
    await listening.ended();
    assert.equal(listening.types, delivered ? 'connect message disconnect' : 'connect disconnect');
    assert.equal(openHere(file), 0);
  });
}

test('an empty message ends the connection, with what it carries', {
  skip: withoutPython || platform.lacks.packetSockets,
}, async (t) => {
  const file = join(directory(t), 'sent');
  writeFileSync(file, '');
  const listening = new Listening(t);
  const client = rogue(
    t,
    listening.path,
    `
with open(${JSON.stringify(file)}) as file: socket.send_fds(client, [b''], [file.fileno()] * 2)
report(len(client.recv(1)))
`,
  );
  assert.equal(await client.report(), 0);
  await listening.ended();
  assert.equal(listening.types, 'connect disconnect');
  assert.equal(openHere(file), 0);
});

test('after a request that timed out its connection answers no other', async (t) => {
  const listening = new Listening(t);
  const client = child(
    t,
    listening.path,
    `
    const socket = os.socketConnect(path);
    report(failure(() => os.socketRequest(socket, bytes('slow'), [], 20)));
    report(failure(() => os.socketRequest(socket, bytes('next'), [], 10000)));
  `,
  );
  assert.equal(await client.report(), 'ETIMEDOUT');
  assert.equal(await client.report(), 'EPIPE');
  await listening.ended();
  assert.equal(listening.types, 'connect message disconnect');
});
