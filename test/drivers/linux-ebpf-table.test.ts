/**
 * How drivers/linux-ebpf reads its table, on any machine: the layout is C's, updates that are under way are
 * noticed, and no content does harm.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Section, type View } from 'sectile';
import {
  activityBetween,
  activityForJson,
  activityText,
  type Reading,
  takeReading,
} from '../../dist/drivers/linux-ebpf/activity.js';
import { handedOver } from '../../dist/drivers/linux-ebpf/handed-over.js';
import * as layout from '../../dist/drivers/linux-ebpf/layout.js';
import { ProcessTable } from '../../dist/drivers/linux-ebpf/process-table.js';
import { scratchFolder } from '../support/child.js';

const header = fileURLToPath(new URL('../../drivers/linux-ebpf/layout.h', import.meta.url));
const { ENTRIES, ENTRY_SIZE, EntryAt, HEADER_SIZE, HeaderAt, TABLE_SIZE } = layout;

/** Field in TypeScript, member in C. */
const headerMembers = {
  magic: 'magic',
  version: 'version',
  entries: 'entries',
  entrySize: 'entry_size',
  givenAway: 'given_away',
};
const entryMembers = {
  ...{ entered: 'entered', left: 'left', processId: 'process_id', state: 'state', since: 'since', name: 'name' },
  ...{ calls: 'calls', switches: 'switches', ran: 'ran', last: 'last', lastCall: 'last_call', lastProcessor: 'last_processor' },
};

test('the layout is the same in C and in TypeScript', (t) => {
  const expected = new Map<string, number>([
    ['TABLE_MAGIC', layout.TABLE_MAGIC],
    ['TABLE_VERSION', layout.TABLE_VERSION],
    ['ENTRIES', ENTRIES],
    ['NAME_LENGTH', layout.NAME_LENGTH],
    ['sizeof(struct table_header)', HEADER_SIZE],
    ['sizeof(struct table_entry)', ENTRY_SIZE],
    ['sizeof(struct process_table)', TABLE_SIZE],
    ['ENTRY_FREE', layout.EntryState.free],
    ['ENTRY_RUNNING', layout.EntryState.running],
    ['ENTRY_ENDED', layout.EntryState.ended],
  ]);
  for (const [field, member] of Object.entries(headerMembers))
    expected.set(`offsetof(struct table_header, ${member})`, HeaderAt[field as keyof typeof HeaderAt]);
  for (const [field, member] of Object.entries(entryMembers))
    expected.set(`offsetof(struct table_entry, ${member})`, EntryAt[field as keyof typeof EntryAt]);
  assert.deepEqual(Object.keys(headerMembers).sort(), Object.keys(HeaderAt).sort());
  assert.deepEqual(Object.keys(entryMembers).sort(), Object.keys(EntryAt).sort());

  const program = `${scratchFolder(t)}/layout`;
  const source = `#include <stddef.h>
    #include <stdio.h>
    #include "${header}"
    int main(void) { ${[...expected.keys()].map((each) => `printf("${each} %lld\\n", (long long)(${each}));`).join('\n')} }`;
  const compiled = spawnSync(process.env['CC'] ?? 'cc', ['-x', 'c', '-std=gnu11', '-o', program, '-'], {
    input: source,
    encoding: 'utf8',
  });
  assert.equal(compiled.status, 0, compiled.stderr);
  const said = spawnSync(program, { encoding: 'utf8' }).stdout;
  assert.equal(said, [...expected].map(([name, value]) => `${name} ${value}\n`).join(''));
});

function writeHeader(view: View): void {
  const words = view.as(Uint32Array);
  words[HeaderAt.magic / 4] = layout.TABLE_MAGIC;
  words[HeaderAt.version / 4] = layout.TABLE_VERSION;
  words[HeaderAt.entries / 4] = ENTRIES;
  words[HeaderAt.entrySize / 4] = ENTRY_SIZE;
}

test('another layout, and less than a table, are refused', () => {
  using section = Section.create({ size: TABLE_SIZE });
  using view = section.map();
  assert.throws(() => new ProcessTable(view), /another layout \(0, 0, 0, 0\).*build-ebpf/);
  for (const at of Object.values(HeaderAt).filter((each) => each !== HeaderAt.givenAway)) {
    writeHeader(view);
    view.as(Uint32Array)[at / 4]!++;
    assert.throws(() => new ProcessTable(view), /another layout/);
  }
  writeHeader(view);
  assert.deepEqual(new ProcessTable(view).read(), []);
  using less = section.map({ length: TABLE_SIZE - 1 });
  assert.throws(() => new ProcessTable(less), /has \d+ bytes, what was handed over \d+/);
});

test('an entry is whole, or says that it is not, while others write', async (t) => {
  const name = `ebpf-table-${process.pid}`;
  const entries = 4;
  using section = Section.create({ name, size: TABLE_SIZE });
  using view = section.map();
  writeHeader(view);
  for (let entry = 0; entry < entries; entry++) {
    view.as(Uint32Array)[(HEADER_SIZE + entry * ENTRY_SIZE + EntryAt.processId) / 4] = entry + 1;
  }
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const workers = [0, 1].map(
    (first) =>
      new Worker(new URL('../fixtures/table-writer.js', import.meta.url), { workerData: { name, entries, first, stop } }),
  );
  const ends = workers.map((worker) => new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject)));
  t.after(() => Atomics.store(stop, 0, 1));
  const table = new ProcessTable(view);
  const counts = { whole: 0, torn: 0 };
  const until = performance.now() + 1500;
  while (performance.now() < until) {
    for (const { isWhole, calls, switches, ran, last } of table.read()) {
      counts[isWhole ? 'whole' : 'torn']++;
      if (isWhole) assert.deepEqual([switches, ran, last], [calls, calls, calls]);
    }
    await new Promise(setImmediate);
  }
  Atomics.store(stop, 0, 1);
  await Promise.all(ends);
  assert.ok(counts.whole > 100, `${counts.whole} whole, ${counts.torn} not`);
  assert.ok(table.read().every(({ isWhole, calls }) => isWhole && calls > 0n));
});

/** Every number in a value, however deep. */
function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(numbersIn) : [];
}

test('random bytes in every field give no error, no endless look and no command to the terminal', () => {
  using section = Section.create({ size: TABLE_SIZE });
  using view = section.map();
  writeHeader(view);
  const table = new ProcessTable(view);
  const entries = view.bytes.subarray(HEADER_SIZE);
  let before: Reading = takeReading(table);
  for (let round = 0; round < 20; round++) {
    randomFillSync(entries);
    if (round % 2 === 0) {
      // Numbers that could be processes, so that the rest is looked at.
      const words = view.as(Uint32Array);
      for (let at = HEADER_SIZE + EntryAt.processId; at < TABLE_SIZE; at += ENTRY_SIZE)
        words[at / 4] = (words[at / 4] ?? 0) >>> 12;
    }
    const after = takeReading(table);
    const activity = activityBetween(before, after);
    before = after;
    for (const { processId, name } of after.processes.values()) {
      assert.ok(processId > 0 && processId <= 4_194_304);
      assert.doesNotMatch(name, /\p{Cc}|\p{Cf}|[\u2028\u2029]/u);
    }
    assert.ok(numbersIn(activityForJson(activity)).every((each) => Number.isFinite(each) && each >= 0));
    assert.ok(activityText(activity, 10).split('\n').length <= 13);
  }
});

test('what was handed over is believed for this process alone, and only as a number', () => {
  const { pid } = process;
  const told = (text?: string): number | undefined => handedOver('processes', { SECTILE_DESCRIPTORS: text });
  assert.equal(told(`${pid} processes=9 link=12`), 9);
  for (const bad of [
    undefined,
    '',
    `${pid}`,
    `${pid + 1} processes=9`,
    `${pid} processes=-1`,
    `${pid} processes=`,
    `${pid} xprocesses=9`,
    `${pid} processes=9x`,
    'processes=9',
  ]) {
    assert.equal(told(bad), undefined, bad);
  }
});
