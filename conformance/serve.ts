/**
 * Runs cases inside a process: takes orders from the runner, finds who reads a case, compares, reports.
 * The same in an application and in a driver.
 */

import { AssertionError } from 'node:assert';
import type { Socket } from 'node:net';
import type { Case, Suite } from './case.js';
import { listen, type Order, send } from './channel.js';
import { differences } from './compare.js';
import { NO_READER, type Outcome, plain } from './outcome.js';
import { expectationOf } from './profile.js';
import { lastReaderFor, readerFor } from './readers/index.js';
import { Skip } from './script.js';
import { scripts } from './scripts/index.js';
import { scriptByShape } from './scripts/shapes.js';
import type { LiveWorld } from './world.js';

/** Runs one case; no error of it gets out. */
async function run(world: LiveWorld, testCase: Case, suite: Suite): Promise<Outcome> {
  const { id } = testCase;
  const failed = (got: unknown): Outcome => ({ id, kind: 'failed', expected: testCase.expect, got: plain(got) });
  try {
    const script = Object.hasOwn(scripts, id) ? scripts[id] : scriptByShape(testCase);
    const reader = readerFor(testCase, suite) ?? (script === undefined ? lastReaderFor(testCase, suite) : undefined);
    if (reader !== undefined) {
      const observed = await reader(world, testCase, suite);
      return differences(expectationOf(testCase), observed).length === 0 ? { id, kind: 'passed' } : failed(observed);
    }
    if (script === undefined) return failed(NO_READER);
    await script(world, testCase);
    return { id, kind: 'passed' };
  } catch (error) {
    if (error instanceof Skip) return { id, kind: 'skipped', reason: error.message };
    return failed(describe(error));
  }
}

function describe(error: unknown): string {
  if (error instanceof AssertionError) return error.message;
  if (!(error instanceof Error)) return String(error);
  const place = /\((?:file:\/\/)?[^()]*?\/(build-conformance|dist)\/([^()]+)\)/.exec(error.stack ?? '');
  return `${error.name}: ${error.message}${place === null ? '' : ` (${place[1]}/${place[2]})`}`;
}

/** Takes orders until the channel ends. */
export function serve(channel: Socket, newWorld: (suite: Suite, folder: string) => LiveWorld): void {
  let world: LiveWorld | null = null;
  let work = Promise.resolve();
  const obey = async (order: Order): Promise<void> => {
    if (order.order === 'end') {
      await world?.end();
      world = null;
      send(channel, { ended: true });
      return;
    }
    world ??= newWorld(order.suite, order.folder);
    send(channel, { outcome: await run(world, order.testCase, order.suite) });
  };
  listen<Order>(channel, (order) => {
    work = work.then(() => obey(order));
  });
  send(channel, { ready: true });
}
