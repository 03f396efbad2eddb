/**
 * `sectile demo`: the main thing, end to end, on this machine: a driver in the system process shares a
 * large section with an application in another process, and everything that is claimed is looked at.
 */
import { resolve } from 'node:path';
import chalk from 'chalk';
import { Command } from 'commander';
import { SectionError } from '../../index.js';
import { plural } from '../../inspector/index.js';
import { os } from '../../os/index.js';
import { Demo, type DemoResult } from '../demo/run.js';
import { fileSize } from '../demo/stage.js';
import { Transcript } from '../demo/transcript.js';
import { complain, Silent } from '../exit.js';
import { printJson, remark } from '../output.js';
import { needsSystemProcess } from '../own-kernel.js';
import { wholeNumber } from '../values.js';

const DEFAULT_SECONDS = 5;

interface Options {
  readonly file?: string;
  readonly seconds: number;
  readonly json?: boolean;
}

/** What a signal means for the exit code: 128 and its number. */
const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: keyof typeof signals) {
    super(`ended by ${signal}`);
    this.exitCode = signals[signal];
  }
}

function say(transcript: Transcript, result: DemoResult | null, error: string | null, started: number): void {
  const { checks, failed } = transcript;
  const ok = error === null && failed.length === 0;
  const seconds = (performance.now() - started) / 1000;
  if (transcript.isQuiet) {
    printJson({ ok, error, seconds, ...result, steps: checks });
    return;
  }
  transcript.line();
  if (ok)
    transcript.line(
      `${chalk.green.bold('Every step held')}${chalk.dim(`: ${checks.length} of ${checks.length}, in ${seconds.toFixed(1)} s.`)}`,
    );
  else if (error === null)
    complain(`${plural(failed.length, 'step')} of ${checks.length} did not hold: ${failed.map(({ title }) => title).join('; ')}`);
  else complain(`the demo broke off after ${plural(checks.length, 'step')}: ${error}`);
}

/** It shows what /proc says of its processes, step by step. */
function requireProcessFiles(): void {
  if (os.showsProcesses) return;
  throw new SectionError('ERR_SECTION_NATIVE', {
    operation: 'demo',
    rule: 'it shows what /proc says of its processes, and this system has none',
    wayOut: 'Start a system process and a driver: "sectile system start", "sectile driver load"',
  });
}

async function demo(options: Options): Promise<void> {
  requireProcessFiles();
  const started = performance.now();
  const file = options.file === undefined ? undefined : resolve(options.file);
  if (file !== undefined) fileSize(file); // said before anything is started
  const transcript = new Transcript(options.json === true);
  const abort = new AbortController();
  const play = new Demo({ file, seconds: options.seconds }, transcript, abort.signal);
  const onSignal = (signal: NodeJS.Signals): void => abort.abort(new Interrupted(signal as keyof typeof signals));
  const onExit = (): void => play.clearNow();
  for (const each of Object.keys(signals)) process.on(each, onSignal);
  process.on('exit', onExit);
  let result: DemoResult | null = null;
  let error: unknown = null;
  try {
    result = await play.run();
  } catch (thrown) {
    // Ctrl-C reaches the demo's children too, and their end may be seen before the signal is.
    error = abort.signal.aborted ? abort.signal.reason : thrown;
  } finally {
    await play.clear();
    for (const each of Object.keys(signals)) process.off(each, onSignal);
    process.off('exit', onExit);
  }
  if (error instanceof Interrupted) {
    remark(`\n${error.message}; nothing that was started is left`);
    throw new Silent(error.exitCode);
  }
  say(transcript, result, error === null ? null : error instanceof Error ? error.message : String(error), started);
  if (error !== null || transcript.failed.length > 0) throw new Silent();
}

export function demoCommand(): Command {
  return new Command('demo')
    .description('show it all, live: a driver and an application share memory')
    .hook('preAction', needsSystemProcess)
    .option('--file <file>', 'the file to move; default one of this machine, of 64 MiB or more')
    .option('--seconds <n>', 'how long to show the telemetry', wholeNumber(1, 3600), DEFAULT_SECONDS)
    .option('--json', 'print facts for programs')
    .addHelpText(
      'after',
      `
It uses a runtime directory of its own, and leaves nothing behind (after kill -9, that empty directory). As root, the application runs as
another user. The exit code is 0 only if every step held.

Examples:
  $ sectile demo
  $ sectile demo --file ./film.mkv --seconds 20`,
    )
    .action(demo);
}
