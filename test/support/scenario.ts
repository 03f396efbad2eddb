/**
 * The child's side of child.ts: a fixture names its scenarios, runs the one that it was started for, and
 * speaks with the test by states and orders. A scenario that throws ends its process with exit code 1.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isMainThread } from 'node:worker_threads';

// biome-ignore lint/suspicious/noExplicitAny: a scenario's arguments are whatever its test sent as JSON
type Scenario = (...args: any[]) => unknown;

export interface Scenarios {
  readonly url: string;
  readonly titles: readonly string[];
  readonly execArgv: readonly string[];
}

const orders: { readonly order: string; readonly value: unknown }[] = [];
const waiting = new Set<() => void>();

/** Tells the test that this process has come so far. */
export function reached(state: string, value?: unknown): void {
  process.send?.({ state, value });
}

/** Waits for an order of the test, and returns what came with it. */
export async function told(order: string): Promise<unknown> {
  process.channel?.ref();
  try {
    for (;;) {
      const index = orders.findIndex((each) => each.order === order);
      if (index >= 0) return orders.splice(index, 1)[0]?.value;
      await new Promise<void>((resolve) => waiting.add(resolve));
    }
  } finally {
    process.channel?.unref();
  }
}

/** Says why this machine or this Node.js cannot run the scenario; the test is then skipped, with that reason. */
export function skip(reason: string): void {
  reached('skipped', reason);
}

/** A path for a file of this test. */
export function scratch(name: string): string {
  return join(process.env['SECTILE_TEST_SCRATCH'] ?? '/nonexistent', name);
}

async function runOne(table: Readonly<Record<string, Scenario>>): Promise<void> {
  process.on('message', (message) => {
    orders.push(message as { order: string; value: unknown });
    for (const wake of waiting) wake();
    waiting.clear();
  });
  process.channel?.unref();
  const [, , title = '', args = '[]'] = process.argv;
  const scenario = table[title];
  if (scenario === undefined) throw new Error(`no scenario "${title}"`);
  await scenario(...(JSON.parse(args) as unknown[]));
}

/** Names a fixture's scenarios, and runs one if this process was started for it. */
export function scenarios(url: string, table: Readonly<Record<string, Scenario>>, execArgv: readonly string[] = []): Scenarios {
  if (isMainThread && pathToFileURL(process.argv[1] ?? '').href === url) {
    runOne(table).catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
  }
  return { url, titles: Object.keys(table), execArgv };
}
