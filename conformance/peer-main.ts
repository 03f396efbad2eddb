/**
 * The other process of a case: `peer-main.js FOLDER MODULE NAME [JSON of arguments]`. With a channel to its starter it
 * waits for its arguments and reports there; without one it takes them from the command line and prints.
 */

import { plain } from './outcome.js';
import { Inbox, type Parent, type PeerMessage } from './peer.js';
import { userWorld } from './world.js';

const [folder = '', module = '', name = '', argumentText = '[]'] = process.argv.slice(2);

async function call(parent: Parent, args: readonly unknown[]): Promise<unknown> {
  const exports = (await import(module)) as Record<string, unknown>;
  const run = exports[name];
  if (typeof run !== 'function') throw new Error(`${module} exports no function ${name}`);
  const world = userWorld({ name: '', path: '', environment: {} }, folder);
  return (run as (...given: unknown[]) => unknown)(world, parent, ...args);
}

async function withChannel(): Promise<void> {
  const inbox = new Inbox();
  const send = (message: PeerMessage): Promise<void> =>
    new Promise((resolve) => void process.send?.(message, undefined, undefined, () => resolve()));
  process.on('disconnect', () => process.exit(1));
  const args = await new Promise<readonly unknown[]>((resolve) => {
    process.on('message', (message: { args?: readonly unknown[]; told?: unknown }) => {
      if (message.args === undefined) inbox.put(message.told);
      else resolve(message.args);
    });
  });
  const parent: Parent = { tell: (value) => void send({ told: value }), told: () => inbox.take() };
  try {
    await send({ value: await call(parent, args) });
  } catch (error) {
    await send({ error: error instanceof Error ? error.message : String(error) });
  }
  process.exit(0);
}

async function alone(): Promise<void> {
  const nobody: Parent = { tell: () => {}, told: () => Promise.reject(new Error('nobody to hear from')) };
  const value = await call(nobody, JSON.parse(argumentText) as unknown[]);
  process.stdout.write(`${JSON.stringify(plain(value)) ?? 'null'}\n`);
}

await (process.send === undefined ? alone() : withChannel());
