/**
 * The life of a listening server: how it and its clients end, its file, its places, its descriptors.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { os } from '../../dist/os/index.js';
import { platform } from '../support/platform.js';
import {
  bytes,
  child,
  closeAll,
  code,
  directory,
  doorway,
  echo,
  Listening,
  limits,
  openHere,
  rogue,
  withoutPython,
} from './socket-support.js';

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

test('paths longer than a socket address', { skip: platform.lacks.longSocketPaths }, async (t) => {
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

test('after a cut nothing but the disconnect follows', { skip: withoutPython || platform.lacks.packetSockets }, async (t) => {
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

test('a server outside the file system serves its user alone, keeps no process, and goes with it', {
  skip: platform.lacks.packetSockets,
}, async (t) => {
  const address = `@sectile-test-${process.pid}`;
  const script = `
    import { os } from ${JSON.stringify(new URL('../../dist/os/index.js', import.meta.url).href)};
    os.serverListen(
      { ...${JSON.stringify(limits)}, path: ${JSON.stringify(address)}, clientsFromOthers: false, keepsProcess: false },
      (event) => process.send(event.type),
    );
    process.send('listens');
    process.once('message', () => process.channel.unref());
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  t.after(() => child.kill('SIGKILL'));
  const heard: unknown[] = [];
  let wake = () => {};
  child.on('message', (message) => {
    heard.push(message);
    wake();
  });
  const hears = async (what: string) => {
    while (!heard.includes(what)) await new Promise<void>((resolve) => (wake = resolve));
  };
  await hears('listens');
  const socket = os.socketConnect(address);
  assert.equal(os.socketPeer(socket).pid, child.pid);
  await hears('connect');
  os.descriptorClose(socket);
  await hears('disconnect');
  if (process.geteuid?.() === 0) {
    const connect = `import { os } from ${JSON.stringify(new URL('../../dist/os/index.js', import.meta.url).href)};
      const socket = os.socketConnect(${JSON.stringify(address)});
      try { os.socketRequest(socket, new Uint8Array(1), [], 60000); } catch (error) { console.log(error.code); }`;
    const other = spawnSync(process.execPath, ['--input-type=module', '--eval', connect], {
      uid: 65534,
      gid: 65534,
      encoding: 'utf8',
    });
    assert.match(other.stdout, /ECONNRESET|EPIPE/, other.stderr);
    assert.deepEqual(heard, ['listens', 'connect', 'disconnect']);
  }
  child.send('end');
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
  assert.throws(() => os.socketConnect(address), { code: 'ECONNREFUSED' });
});
