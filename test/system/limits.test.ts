/**
 * What one client, or one user, can use up of the system process: handles, bytes, connections and requests
 * in flight. Each limit is an error for the one who meets it, and nothing for the others.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runtimeFolder, scratchFolder } from '../support/child.js';
import { compile } from '../support/compile.js';
import { residentBytes } from '../support/processes.js';
import { NOBODY, startClient, startSystem } from '../support/system.js';

const MiB = 1024 * 1024;

test('handles of one client', async (t) => {
  const scratch = scratchFolder(t);
  await startSystem(t, { scratch, limits: { handlesPerClient: 10 } });
  const greedy = await startClient(t, { scratch });
  const other = await startClient(t, { scratch });
  assert.equal(await greedy.succeeds('createMany', { prefix: 'Global\\h', count: 10, size: 4096 }), 10);
  assert.match(await greedy.fails('ERR_SECTION_LIMIT', 'create', { name: 'Global\\one-more', size: 4096 }), /10 handles/);
  await greedy.fails('ERR_SECTION_LIMIT', 'open', { name: 'Global\\h0' });
  await other.succeeds('open', { name: 'Global\\h0' });
  await other.fails('ERR_SECTION_NOT_FOUND', 'open', { name: 'Global\\one-more' });
  await greedy.succeeds('closeAll');
  await greedy.succeeds('create', { name: 'Global\\one-more', size: 4096 });
  await greedy.end();
  await other.end();
});

test('bytes of one user', async (t) => {
  const scratch = scratchFolder(t);
  await startSystem(t, { scratch, limits: { bytesPerUser: 8 * MiB } });
  const client = await startClient(t, { scratch });
  await client.succeeds('create', { name: 'Global\\a', size: 6 * MiB });
  const message = await client.fails('ERR_SECTION_LIMIT', 'create', { name: 'Global\\b', size: 3 * MiB });
  assert.match(message, /3145728 bytes.*2097152 are left/);
  await client.fails('ERR_SECTION_LIMIT', 'create', { name: 'Global\\b', size: 2 ** 46, reserve: true });
  await client.succeeds('create', { name: 'Global\\b', size: 2 * MiB });
  await client.succeeds('closeAll');
  await client.succeeds('create', { name: 'Global\\b', size: 8 * MiB });
  await client.end();
});

test('sections of one user, and of all users but root', async (t) => {
  const scratch = scratchFolder(t);
  await startSystem(t, { scratch, limits: { objectsPerUser: 3, objectsOfUsers: 5 }, grantGlobal: 'all' });
  const user = process.geteuid?.() === 0 ? NOBODY : {};
  const client = await startClient(t, { scratch, ...user });
  assert.equal(await client.succeeds('createMany', { prefix: 'Global\\o', count: 3, size: 1 }), 3);
  assert.match(await client.fails('ERR_SECTION_LIMIT', 'create', { name: 'Global\\one-more', size: 1 }), /3 objects/);
  const second = await startClient(t, { scratch, ...user });
  await second.fails('ERR_SECTION_LIMIT', 'create', { name: 'Global\\one-more', size: 1 });
  await second.succeeds('open', { name: 'Global\\o0' });
  await second.end();
  await client.succeeds('closeAll');
  await client.succeeds('create', { name: 'Global\\one-more', size: 1 });
  await client.end();
});

test('connections in all', async (t) => {
  const scratch = scratchFolder(t);
  await startSystem(t, { scratch, limits: { clients: 3 } });
  const clients = await Promise.all([1, 2, 3].map(() => startClient(t, { scratch })));
  for (const [index, client] of clients.entries()) await client.succeeds('create', { name: `Global\\c${index}`, size: 4096 });
  const late = await startClient(t, { scratch });
  await late.fails('ERR_SECTION_SYSTEM_GONE', 'open', { name: 'Global\\c0' });
  await clients[0]?.child.kill();
  for (let tries = 0; ; tries++) {
    try {
      await late.succeeds('status');
      break;
    } catch (error) {
      if (tries > 100) throw error;
    }
  }
  await late.fails('ERR_SECTION_NOT_FOUND', 'open', { name: 'Global\\c0' });
  await late.succeeds('open', { name: 'Global\\c1' });
});

test('requests in flight: a client that asks and never reads holds nobody up, and no memory', async (t) => {
  const scratch = scratchFolder(t);
  const system = await startSystem(t, { scratch, quiet: true });
  const polite = await startClient(t, { scratch });
  await polite.succeeds('create', { name: 'Global\\p', size: 4096 });
  // The fuzzer with proper requests alone: it pipelines, and often leaves with answers on their way.
  const file = join(scratch, 'templates');
  writeFileSync(
    file,
    `${JSON.stringify({ operation: 'hello', protocol: 2 })}\n${JSON.stringify({ operation: 'object.list', from: 0 })}\n`,
  );
  const fuzzers = [1, 2, 3].map((seed) =>
    spawn(compile('fuzzer.c', 'program'), [join(runtimeFolder(scratch), 'system.socket'), String(seed), '20000', file]),
  );
  let busy = fuzzers.length;
  const all = Promise.all(fuzzers.map((each) => once(each, 'exit').finally(() => busy--)));
  let slowest = 0;
  while (busy > 0) {
    const started = performance.now();
    await polite.succeeds('status');
    slowest = Math.max(slowest, performance.now() - started);
  }
  await all;
  t.diagnostic(`slowest answer beside three floods: ${slowest.toFixed(1)} ms`);
  assert.ok(slowest < 5000);
  assert.ok(residentBytes(system.pid) < 400 * MiB);
  assert.equal(await polite.succeeds('look'), 1);
});
