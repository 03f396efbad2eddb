/**
 * Sockets and the server across real processes: the server is here, its clients are children, because a
 * request blocks the thread that makes it.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { isOsError, os, type Server, type ServerEvent, type ServerOptions } from '../../dist/os/index.js';

const doorway = new URL('../../dist/os/index.js', import.meta.url).href;
const limits = {
  mode: 0o600,
  maximumMessage: 4096,
  maximumDescriptors: 3,
  descriptorsFromOthers: false,
  maximumInFlight: 4,
  maximumClients: 8,
};
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array) => new TextDecoder().decode(value);

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'sectile-socket-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

/** How many descriptors of this process are of that file. */
function openHere(path: string): number {
  return readdirSync('/proc/self/fd').filter((number) => {
    try {
      return readlinkSync(`/proc/self/fd/${number}`) === path;
    } catch {
      return false; // the descriptor that listed the directory
    }
  }).length;
}

class Listening {
  readonly events: ServerEvent[] = [];
  readonly path: string;
  readonly server: Server;
  #waiting: (() => void)[] = [];

  constructor(t: TestContext, options: Partial<ServerOptions> = {}, answer?: (event: ServerEvent, server: Server) => void) {
    this.path = options.path ?? join(directory(t), 'socket');
    this.server = os.serverListen({ ...limits, ...options, path: this.path }, (event) => {
      this.events.push(event);
      answer?.(event, this.server);
      for (const check of this.#waiting) check();
    });
    t.after(() => os.serverClose(this.server));
  }

  /** Resolves as soon as the events so far satisfy the condition. */
  until(condition: (events: ServerEvent[]) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!condition(this.events)) return;
        this.#waiting = this.#waiting.filter((other) => other !== check);
        resolve();
      };
      this.#waiting.push(check);
      check();
    });
  }

  ended(): Promise<void> {
    return this.until((events) => events.at(-1)?.type === 'disconnect');
  }

  get types(): string {
    return this.events.map((event) => event.type).join(' ');
  }
}

function echo(event: ServerEvent, server: Server): void {
  if (event.type === 'message') os.serverReply(server, event.client, event.message.bytes, event.message.descriptors);
}

function closeAll(event: ServerEvent): void {
  if (event.type === 'message') for (const descriptor of event.message.descriptors) os.descriptorClose(descriptor);
}

/** A child that reports by lines of JSON. */
class Child {
  readonly process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(t: TestContext, file: string, args: string[]) {
    this.process = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.process.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
    t.after(() => this.process.kill('SIGKILL'));
  }

  async report(): Promise<unknown> {
    const line = await this.#lines.next();
    assert(!line.done, 'the child ended without a report');
    return JSON.parse(line.value);
  }

  async exit(): Promise<[code: number | null, signal: string | null]> {
    const { exitCode, signalCode } = this.process;
    if (exitCode !== null || signalCode !== null) return [exitCode, signalCode];
    return (await once(this.process, 'exit')) as [number | null, string | null];
  }
}

/** Runs `script` with `os`, `path`, `report(value)` and `failure(call)`, the code of an exception. */
function child(t: TestContext, path: string, script: string): Child {
  const prelude = `
    import { writeSync } from 'node:fs';
    import { os } from ${JSON.stringify(doorway)};
    const path = ${JSON.stringify(path)};
    const report = (value) => writeSync(1, JSON.stringify(value ?? null) + '\\n');
    const failure = (call) => { try { call(); return null; } catch (error) { return error.code; } };
    const bytes = (text) => new TextEncoder().encode(text);
    const text = (value) => new TextDecoder().decode(value);
  `;
  return new Child(t, process.execPath, ['--input-type=module', '--eval', prelude + script]);
}

/** A client that keeps to no protocol: Sectile's own cannot send twice without an answer. */
function rogue(t: TestContext, path: string, script: string): Child {
  const prelude = `
import json, socket, sys
client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
client.connect(${JSON.stringify(path)})
def report(value): print(json.dumps(value), flush=True)
`;
  return new Child(t, 'python3', ['-c', prelude + script]);
}
const withoutPython = spawnSync('python3', ['--version']).status === 0 ? false : 'python3 is not there to play the rogue';

const code = (name: string) => (error: unknown) => isOsError(error) && error.code === name;

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
  skip: withoutPython,
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

test('a client that does not read its answers is cut off', { skip: withoutPython }, async (t) => {
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

test('an empty message ends the connection, with what it carries', { skip: withoutPython }, async (t) => {
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

test('closing ends waiting requests, removes the file, and no event follows', async (t) => {
  const listening = new Listening(t, {}, (event, server) => {
    if (event.type === 'message') os.serverClose(server);
  });
  const client = child(
    t,
    listening.path,
    `
    const socket = os.socketConnect(path);
    report([failure(() => os.socketRequest(socket, bytes('x'), [], 10000)), failure(() => os.socketConnect(path))]);
  `,
  );
  assert.deepEqual(await client.report(), ['ECONNRESET', 'ENOENT']);
  assert.equal(existsSync(listening.path), false);
  os.serverClose(listening.server);
  os.serverCut(listening.server, 1);
  os.serverReply(listening.server, 1, bytes('x'), []);
  await client.exit();
  assert.equal(listening.types, 'connect message');
});

test('a server that is killed ends its clients’ requests', async (t) => {
  const path = join(directory(t), 'socket');
  const server = child(
    t,
    path,
    `
    os.serverListen({ ...${JSON.stringify(limits)}, path }, (event) => { if (event.type === 'message') report('asked'); });
    report('listening');
  `,
  );
  assert.equal(await server.report(), 'listening');
  const client = child(
    t,
    path,
    `
    const socket = os.socketConnect(path);
    report(failure(() => os.socketRequest(socket, bytes('x'), [], 60000)));
  `,
  );
  assert.equal(await server.report(), 'asked');
  server.process.kill('SIGKILL');
  assert.equal(await client.report(), 'ECONNRESET');
  // The kernel closes the listener last: only then is a connection refused.
  await server.exit();
  assert.throws(() => os.socketConnect(path), code('ECONNREFUSED'));
});

test('a file that is there already is not taken, and one of another is not removed', (t) => {
  const listening = new Listening(t);
  assert.throws(() => new Listening(t, { path: listening.path }), code('EADDRINUSE'));
  assert.equal(statSync(listening.path).isSocket(), true);
  unlinkSync(listening.path);
  writeFileSync(listening.path, 'of another');
  os.serverClose(listening.server);
  assert.equal(existsSync(listening.path), true);
});

test('the file’s permissions are those asked for, whatever the umask', (t) => {
  const before = process.umask(0o077);
  t.after(() => process.umask(before));
  for (const mode of [0o666, 0o600]) assert.equal(statSync(new Listening(t, { mode }).path).mode & 0o777, mode);
});

test('paths longer than a socket address', async (t) => {
  const folder = join(directory(t), 'd'.repeat(200));
  mkdirSync(folder);
  const listening = new Listening(t, { path: join(folder, 'socket') }, echo);
  const client = child(
    t,
    listening.path,
    `report(text(os.socketRequest(os.socketConnect(path), bytes('far'), [], 10000).bytes))`,
  );
  assert.equal(await client.report(), 'far');
  os.serverClose(listening.server);
  assert.deepEqual(readdirSync(folder), []);
  assert.throws(() => os.socketConnect(join(folder, 'n'.repeat(150))), code('ENAMETOOLONG'));
  assert.throws(() => os.socketConnect(join(folder, 'none')), code('ENOENT'));
  assert.throws(() => os.socketConnect(''), code('EINVAL'));
});

test('clients beyond the limit are turned away, and a place that is left is free again', async (t) => {
  const listening = new Listening(t, { maximumClients: 2 }, echo);
  const two = [os.socketConnect(listening.path), os.socketConnect(listening.path)];
  await listening.until((events) => events.length === 2);
  const ask = `report(failure(() => os.socketRequest(os.socketConnect(path), bytes('x'), [], 10000)))`;
  const third = await child(t, listening.path, ask).report();
  assert(third === 'ECONNRESET' || third === 'EPIPE', `turned away before or after it sent: ${third}`);
  os.descriptorClose(two[0]!);
  await listening.ended();
  assert.equal(await child(t, listening.path, ask).report(), null);
  os.descriptorClose(two[1]!);
});

test('after a cut nothing but the disconnect follows', { skip: withoutPython }, async (t) => {
  const file = join(directory(t), 'sent');
  writeFileSync(file, '');
  const listening: Listening = new Listening(t, {}, (event, server) => {
    if (event.type !== 'message') return;
    closeAll(event);
    os.serverCut(server, event.client);
  });
  const client = rogue(
    t,
    listening.path,
    `
file = open(${JSON.stringify(file)})
try:
  for i in range(4): socket.send_fds(client, [b'again'], [file.fileno()])
  while client.recv(1): pass
except OSError: pass
report('ended')
`,
  );
  assert.equal(await client.report(), 'ended');
  await listening.ended();
  assert.equal(listening.types, 'connect message disconnect');
  assert.equal(openHere(file), 0);
});

test('thousands of descriptors pass and none stays', async (t) => {
  const file = join(directory(t), 'sent');
  writeFileSync(file, '');
  const listening = new Listening(t, {}, (event, server) => {
    echo(event, server);
    closeAll(event);
  });
  const client = child(
    t,
    listening.path,
    `
    import { readdirSync } from 'node:fs';
    const socket = os.socketConnect(path);
    const file = os.descriptorOpen(${JSON.stringify(file)}, 0, 0);
    const before = readdirSync('/proc/self/fd').length;
    for (let i = 0; i < 2000; i++) {
      for (const each of os.socketRequest(socket, bytes('x'), [file, file, file], 10000).descriptors) os.descriptorClose(each);
    }
    report(readdirSync('/proc/self/fd').length - before);
  `,
  );
  assert.equal(await client.report(), 0);
  await listening.ended();
  assert.equal(openHere(file), 0);
});

test('a worker that is terminated takes its server with it', async (t) => {
  const path = join(directory(t), 'socket');
  const script = `
    import(${JSON.stringify(doorway)}).then(({ os }) => {
      const server = os.serverListen({ ...${JSON.stringify(limits)}, path: ${JSON.stringify(path)} }, () => {});
      require('node:worker_threads').parentPort.postMessage('listening');
    });
  `;
  const worker = new Worker(script, { eval: true });
  await once(worker, 'message');
  const client = child(
    t,
    path,
    `
    const socket = os.socketConnect(path);
    report('connected');
    report(failure(() => os.socketRequest(socket, bytes('x'), [], 60000)));
  `,
  );
  assert.equal(await client.report(), 'connected');
  await worker.terminate();
  assert.equal(existsSync(path), false);
  const end = await client.report();
  assert(end === 'ECONNRESET' || end === 'EPIPE', `ended before or after it sent: ${end}`);
});

test('an open server keeps its process alive, and what its listener throws is not swallowed', async (t) => {
  const path = join(directory(t), 'socket');
  const server = child(
    t,
    path,
    `
    process.on('uncaughtException', (error) => report(error.message));
    const server = os.serverListen({ ...${JSON.stringify(limits)}, path }, (event) => {
      if (event.type === 'disconnect') os.serverClose(server);
      throw new Error(event.type);
    });
    report('listening');
  `,
  );
  assert.equal(await server.report(), 'listening');
  os.descriptorClose(os.socketConnect(path));
  assert.equal(await server.report(), 'connect');
  assert.equal(await server.report(), 'disconnect');
  assert.deepEqual(await server.exit(), [0, null]);
});

test('arguments that mean nothing are refused before anything is sent', (t) => {
  const listening = new Listening(t);
  const socket = os.socketConnect(listening.path);
  const file = os.descriptorOpen('/dev/null', 0, 0);
  os.descriptorClose(file);
  assert.throws(() => os.socketRequest(socket, new Uint8Array(0), [], 1), TypeError);
  assert.throws(() => os.socketRequest(socket, bytes('x'), Array(17).fill(socket), 1), TypeError);
  assert.throws(() => os.socketRequest(socket, bytes('x'), [file], 1));
  assert.throws(() => os.socketRequest(socket, new Uint8Array((1 << 20) + 1), [], 1), code('EMSGSIZE'));
  const other = os.descriptorOpen('/dev/null', 0, 0);
  const closing = Object.defineProperty([], 0, {
    get: () => {
      os.descriptorClose(socket);
      return other;
    },
  });
  assert.throws(() => os.socketRequest(socket, bytes('x'), closing, 1));
  for (const wrong of [{ maximumInFlight: 0 }, { maximumClients: 0 }, { maximumDescriptors: 17 }, { mode: 0o1777 }]) {
    assert.throws(() => new Listening(t, wrong), TypeError);
  }
});
