/**
 * Starting the system process in the background, and waiting until it has gone: its own session, its
 * output in a log file, and a word from it when it is ready.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { SectionError } from '../index.js';
import { ensureRuntimeDirectory } from '../namespace/runtime-directory.js';
import { os } from '../os/index.js';
import { COMPLAINT } from './exit.js';

/** What the background process tells its starter, once. */
export const READY = 'ready';

const START_LIMIT = 10_000;
const STOP_LIMIT = 10_000;
const LAST_LINES = 5;

const main = fileURLToPath(new URL('./main.js', import.meta.url));

/** A fresh log file of this start's own: readable by its owner alone, never through a link that somebody left. */
function openLog(path: string): number {
  rmSync(path, { force: true });
  return openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND, 0o600);
}

/** What the log tells of a start that failed: the line on which it gave up, else its last lines. */
function lastWords(path: string): string {
  let lines: string[];
  try {
    lines = stripVTControlCharacters(readFileSync(path, 'utf8')).trimEnd().split('\n');
  } catch {
    return '';
  }
  const complaint = lines.findLast((line) => line.startsWith(COMPLAINT));
  return complaint?.slice(COMPLAINT.length) ?? lines.slice(-LAST_LINES).join(' | ');
}

/** How the start went: null when it is ready, else what kept it. */
function outcomeOf(child: ChildProcess): Promise<string | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(`it did not get ready within ${START_LIMIT / 1000} s`), START_LIMIT);
    const settle = (outcome: string | null): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    child.once('message', () => settle(null));
    child.once('error', (error) => settle(error.message));
    child.once('exit', (code, signal) =>
      settle(signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`),
    );
  });
}

/**
 * Starts `sectile system start --foreground …` as a process of its own session, and returns when it
 * serves.
 *
 * @throws SectionError ERR_SECTION_SYSTEM_GONE with its last words when it does not come up
 */
export async function startInBackground(args: readonly string[]): Promise<{ readonly pid: number; readonly log: string }> {
  const log = join(ensureRuntimeDirectory(), 'system.log');
  // It takes the log's place when it serves: one that fails must not take away the log of one that runs.
  const attempt = `${log}.${process.pid}`;
  const output = openLog(attempt);
  // The folder it was started from must not be kept busy by it.
  const child = spawn(process.execPath, [...process.execArgv, main, 'system', 'start', '--foreground', ...args], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', output, output, 'ipc'],
  });
  closeSync(output);
  const failure = await outcomeOf(child);
  if (failure === null && child.pid !== undefined) {
    if (child.connected) child.disconnect();
    child.unref();
    renameSync(attempt, log);
    return { pid: child.pid, log };
  }
  child.kill('SIGKILL');
  const words = lastWords(attempt).replace(/\.$/, '');
  rmSync(attempt, { force: true });
  throw new SectionError('ERR_SECTION_SYSTEM_GONE', {
    operation: 'system start',
    rule: words === '' ? `${failure}` : `${failure}: ${words}`,
    wayOut: 'Run it with --foreground to see more',
  });
}

/** Says to a starter, if there is one, that the system process serves. */
export function tellReady(): void {
  if (process.send === undefined) return;
  process.send(READY, undefined, undefined, () => {
    if (process.connected) process.disconnect();
  });
}

/** Whether a process runs: one that has ended and only waits to be collected does not. */
function isRunning(pid: number): boolean {
  return os.processStart(pid) !== null;
}

/**
 * Waits until a process has gone.
 *
 * @throws SectionError ERR_SECTION_SYSTEM_BUSY when it takes too long
 */
export async function untilGone(pid: number): Promise<void> {
  for (const end = Date.now() + STOP_LIMIT; isRunning(pid); await delay(10)) {
    if (Date.now() < end) continue;
    throw new SectionError('ERR_SECTION_SYSTEM_BUSY', {
      operation: 'system stop',
      object: `process ${pid}`,
      rule: `it has not ended within ${STOP_LIMIT / 1000} s`,
      wayOut: `A driver may be at work: look at its log, or end it with "kill ${pid}"`,
    });
  }
}
