/**
 * What a program in another language must do at either end of each kind of channel, with TypeScript at the other: messages,
 * waits on both sides, the end, and processes that are killed. Each client's test file says it for its own.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import ends, { messageOf, OFFSET } from '../fixtures/channel-ends.js';
import { type Client, startClient } from './channel-clients.js';
import { type Child, scratchFolder, start } from './child.js';
import { garbage, garbageKinds } from './garbage.js';

const COUNT = 300;
const messages = (count: number): string[] => Array.from({ length: count }, (_, number) => messageOf(number));
const linesOf = (text: string): string[] => text.split('\n').slice(0, -1);

interface Report {
  readonly got: string[];
  readonly end: string;
}

/** A process of TypeScript's with its end of a new channel in a file. */
async function begin(t: TestContext, title: string, ...args: unknown[]): Promise<{ child: Child; path: string }> {
  const scratch = scratchFolder(t);
  const path = join(scratch, 'channel');
  const child = start(t, ends, title, { scratch, args: [path, ...args] });
  await child.reached('made');
  return { child, path };
}

function write(client: Child, lines: readonly string[]): void {
  client.process.stdin?.write(lines.map((line) => `${line}\n`).join(''));
}

/** Waits for the first message, of a client that has not ended. */
async function first(child: Child, client: Child): Promise<void> {
  const ended = client.ended.then(({ code, stderr }) => assert.fail(`ended with ${code}: ${stderr}`));
  // It will end: later.
  ended.catch(() => {});
  await Promise.race([child.reached('first'), ended]);
}

/** Each number once at most, in order, and the last one. */
function isPartOf(got: readonly string[], all: readonly string[]): void {
  const places = got.map((text) => all.indexOf(text));
  assert.ok(!places.includes(-1), 'each came whole');
  assert.deepEqual(
    places,
    [...new Set(places)].sort((one, other) => one - other),
  );
  assert.equal(got.at(-1), all.at(-1));
}

export function testClient(client: Client): void {
  const options = { skip: client.lack };

  test(`${client.title} receives from a ring, and is told the end`, options, async (t) => {
    const { child, path } = await begin(t, 'produces for a ring', COUNT, false);
    const { stdout } = await startClient(t, client, 'ring', 'consume', path, OFFSET).endsWell();
    assert.deepEqual(linesOf(stdout), messages(COUNT));
    await child.endsWell();
  });

  test(`${client.title} sends through a ring, waits for room, and tells the end`, options, async (t) => {
    const { child, path } = await begin(t, 'consumes from a ring');
    const producer = startClient(t, client, 'ring', 'produce', path, OFFSET);
    write(producer, messages(1));
    await first(child, producer);
    write(producer, messages(COUNT).slice(1));
    producer.process.stdin?.end();
    await producer.endsWell();
    assert.deepEqual(await child.reached('got'), { got: messages(COUNT), end: 'the end' });
    await child.endsWell();
  });

  test(`${client.title} is killed as a ring's producer: the consumer gets what it sent, and is told`, options, async (t) => {
    const { child, path } = await begin(t, 'consumes from a ring');
    const producer = startClient(t, client, 'ring', 'produce', path, OFFSET);
    write(producer, messages(1));
    await first(child, producer);
    assert.equal((await producer.kill()).signal, 'SIGKILL');
    assert.deepEqual(await child.reached('got'), { got: messages(1), end: 'ERR_SECTION_PEER_ENDED' });
    await child.endsWell();
  });

  test(`${client.title} consumes from a ring whose producer is killed, and is told`, options, async (t) => {
    const { child, path } = await begin(t, 'produces for a ring', 5, true);
    await child.reached('sent');
    const consumer = startClient(t, client, 'ring', 'consume', path, OFFSET);
    await new Promise((resolve) => consumer.process.stdout?.once('data', resolve));
    await child.kill();
    const { code, stdout } = await consumer.ended;
    assert.equal(code, 3);
    assert.deepEqual(linesOf(stdout), messages(5));
  });

  test(`${client.title} consumes from several producers`, options, async (t) => {
    const { child, path } = await begin(t, 'is one of several producers for a ring', COUNT);
    const consumer = startClient(t, client, 'ring', 'consume', path, OFFSET);
    child.tell('send');
    await child.reached('sent');
    child.tell('end');
    const { stdout } = await consumer.endsWell();
    assert.deepEqual(linesOf(stdout), messages(COUNT));
    await child.endsWell();
  });

  test(`${client.title} gives up after the time it was given`, options, async (t) => {
    const { child, path } = await begin(t, 'produces for a ring', 0, true);
    const consumer = startClient(t, client, 'ring', 'consume', path, OFFSET, '--timeout', 50);
    assert.equal((await consumer.ended).code, 4);
    child.tell('end');
    await child.endsWell();
  });

  test(`${client.title} finds no channel of another kind`, options, async (t) => {
    const { child, path } = await begin(t, 'produces for a ring', 0, true);
    for (const args of [
      ['latest', 'consume', path, OFFSET],
      ['ring', 'consume', path, OFFSET + 64],
      ['ring', 'consume', path, 2 ** 40],
    ]) {
      const { code, stderr } = await startClient(t, client, ...args).ended;
      assert.equal(code, 1);
      assert.match(stderr, /no channel|no room for a channel/);
    }
    child.tell('end');
    await child.endsWell();
  });

  test(`${client.title} reads the newest value`, options, async (t) => {
    const { child, path } = await begin(t, 'writes values', COUNT);
    const reader = startClient(t, client, 'latest', 'consume', path, OFFSET);
    child.tell('write');
    isPartOf(linesOf((await reader.endsWell()).stdout), messages(COUNT));
    await child.endsWell();
  });

  test(`${client.title} writes the newest value`, options, async (t) => {
    const { child, path } = await begin(t, 'reads values');
    const writer = startClient(t, client, 'latest', 'produce', path, OFFSET);
    write(writer, messages(1));
    await first(child, writer);
    write(writer, messages(COUNT).slice(1));
    writer.process.stdin?.end();
    await writer.endsWell();
    const { got, end } = (await child.reached('got')) as Report;
    isPartOf(got, messages(COUNT));
    assert.equal(end, 'the end');
    await child.endsWell();
  });

  test(`${client.title} reads a broadcast, that which is still there`, options, async (t) => {
    const { child, path } = await begin(t, 'writes messages', COUNT);
    child.tell('write');
    await child.endsWell();
    const { stdout } = await startClient(t, client, 'broadcast', 'consume', path, OFFSET).endsWell();
    isPartOf(linesOf(stdout), messages(COUNT));
  });

  test(`${client.title} waits for a broadcast's messages`, options, async (t) => {
    const { child, path } = await begin(t, 'writes messages', COUNT);
    const reader = startClient(t, client, 'broadcast', 'consume', path, OFFSET);
    child.tell('write');
    isPartOf(linesOf((await reader.endsWell()).stdout), messages(COUNT));
    await child.endsWell();
  });

  test(`${client.title} writes a broadcast, over what was read`, options, async (t) => {
    const { child, path } = await begin(t, 'reads messages', 2048);
    const writer = startClient(t, client, 'broadcast', 'produce', path, OFFSET);
    write(writer, messages(1));
    await first(child, writer);
    write(writer, messages(COUNT).slice(1));
    writer.process.stdin?.end();
    await writer.endsWell();
    const { got, end } = (await child.reached('got')) as Report;
    isPartOf(got, messages(COUNT));
    assert.equal(end, 'the end');
    assert.equal(got.length + ((await child.reached('lost')) as number), COUNT);
    await child.endsWell();
  });

  test(`${client.title} takes frames from a pool and gives them back`, options, async (t) => {
    const { child, path } = await begin(t, 'produces for a pool', COUNT, false);
    const { stdout } = await startClient(t, client, 'pool', 'consume', path, OFFSET).endsWell();
    assert.deepEqual(linesOf(stdout), messages(COUNT));
    await child.endsWell();
  });

  test(`${client.title} produces for a pool, and waits for blocks`, options, async (t) => {
    const { child, path } = await begin(t, 'consumes from a pool');
    const producer = startClient(t, client, 'pool', 'produce', path, OFFSET);
    write(producer, messages(1));
    await first(child, producer);
    write(producer, messages(COUNT).slice(1));
    producer.process.stdin?.end();
    await producer.endsWell();
    assert.deepEqual(await child.reached('got'), { got: messages(COUNT), end: 'the end' });
    await child.endsWell();
  });

  test(`${client.title} is killed as a pool's consumer while it holds a block: it comes back`, options, async (t) => {
    const { child, path } = await begin(t, 'produces for a pool', 2, true);
    // It stops behind the first frame, which it gives back only before it looks for the next one.
    const consumer = startClient(t, client, 'pool', 'consume', path, OFFSET, '--hold');
    const taken = new Promise((resolve) => consumer.process.stdout?.once('data', resolve));
    await child.reached('sent');
    await taken;
    assert.equal((await consumer.kill()).signal, 'SIGKILL');
    assert.equal(await child.reached('drained'), 0);
    await child.endsWell();
  });
}

/** Whatever stands in the memory, it comes to an end by itself: with a result, an error or the time that it was given. */
export function testGarbage(client: Client, rounds: number): void {
  for (const kind of garbageKinds) {
    test(`${client.title} takes no ${kind.name} of any content for more than it is`, { skip: client.lack }, async (t) => {
      const path = join(scratchFolder(t), 'channel');
      for (let seed = 1; seed <= rounds; seed++) {
        for (const end of ['consume', 'produce']) {
          writeFileSync(path, garbage(kind, seed));
          const child = startClient(t, client, kind.name, end, path, '--timeout', 5, '--count', 20);
          child.process.stdin?.end(messages(20).join('\n'));
          const { code, signal, stderr } = await child.ended;
          assert.ok(signal === null && [0, 1, 3, 4].includes(code ?? -1), `seed ${seed}, ${end}: ${signal ?? code} ${stderr}`);
          assert.doesNotMatch(stderr, /Traceback/, `seed ${seed}, ${end}`);
        }
      }
    });
  }
}

/** What it must do besides where it has a compare-and-swap. */
export function testSwaps(client: Client): void {
  const options = { skip: client.lack };

  test(`${client.title} twice: two producers of one ring`, options, async (t) => {
    const { child, path } = await begin(t, 'consumes from several producers');
    const producers = [1, 2].map(() => startClient(t, client, 'ring', 'produce', path, OFFSET));
    for (const producer of producers) write(producer, messages(1));
    await first(child, producers[0] as Child);
    for (const producer of producers) {
      write(producer, messages(COUNT).slice(1));
      producer.process.stdin?.end();
    }
    for (const producer of producers) await producer.endsWell();
    const { got, end } = (await child.reached('got')) as Report;
    assert.deepEqual(got.toSorted(), [...messages(COUNT), ...messages(COUNT)].toSorted());
    assert.equal(end, 'the end');
    await child.endsWell();
  });
}
