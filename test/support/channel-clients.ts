/**
 * The programs in other languages that take part in channels: clients/c and clients/python. Each is one end of a channel, over
 * its standard input and output, a line a message.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Child } from './child.js';

const clients = fileURLToPath(new URL('../../clients/', import.meta.url));
const built = fileURLToPath(new URL('../../build/test-native/', import.meta.url));

const has = (program: string): boolean => spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;

// Whatever is preloaded into this process (AddressSanitizer) is none of theirs.
const { LD_PRELOAD: _, ...env } = process.env;

export interface Client {
  readonly title: string;
  /** Why it cannot run here, or false. */
  readonly lack: string | false;
  /** The command, with its first arguments. */
  command(): readonly [string, ...string[]];
}

/** Where CI runs, what is missing is a failure: the test runs, and says so. */
const missing = (program: string): string | false =>
  has(program) || process.env['CI'] === 'true' ? false : `${program} is not installed`;

const notLinux = process.platform === 'linux' ? false : 'futexes of Linux';
const compiler = process.env['CC'] ?? 'cc';

export const c: Client = {
  title: 'C',
  lack: notLinux || missing(compiler),
  command: () => {
    const files = ['channel-client.c', 'sectile_channel.h'].map((name) => `${clients}c/${name}`);
    const hash = createHash('sha256');
    for (const file of files) hash.update(readFileSync(file));
    const output = `${built}channel-client-${hash.digest('hex').slice(0, 16)}`;
    if (existsSync(output)) return [output];
    mkdirSync(built, { recursive: true });
    const fresh = `${output}.${process.pid}`;
    const flags = ['-std=c11', '-O2', '-Wall', '-Wextra', '-Wpedantic', '-Werror'];
    const { status, stderr } = spawnSync(compiler, [...flags, '-o', fresh, files[0] ?? ''], { encoding: 'utf8', env });
    if (status !== 0) throw new Error(`channel-client.c does not compile: ${stderr}`);
    renameSync(fresh, output);
    return [output];
  },
};

export const python: Client = {
  title: 'Python',
  lack: notLinux || missing('python3'),
  command: () => ['python3', '-B', `${clients}python/channel_client.py`],
};

/** Starts a client; the test's end kills it if it still runs. */
export function startClient(t: TestContext, client: Client, ...args: readonly (string | number)[]): Child {
  const [program, ...first] = client.command();
  const started = spawn(program, [...first, ...args.map(String)], { stdio: ['pipe', 'pipe', 'pipe'], env });
  // Who was killed reads no more.
  started.stdin.on('error', () => {});
  const child = new Child(started, `${client.title}: ${args.join(' ')}`, 60_000);
  t.after(() => child.kill());
  return child;
}
