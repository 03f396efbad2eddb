/**
 * How a command ends: exit code 0, 1 (it failed: one clear line on stderr) or 2 (bad usage).
 */
import { chalkStderr } from 'chalk';
import { CommanderError } from 'commander';

/** The codes, by what they mean. */
export const ExitCode = { done: 0, failed: 1, badUsage: 2 } as const;

/** How the line of a failure starts. */
export const COMPLAINT = 'sectile: ';

/** A failure whose line is already written, or that has its own exit code. */
export class Silent extends Error {
  readonly exitCode: number;

  constructor(exitCode: number = ExitCode.failed) {
    super('told already');
    this.exitCode = exitCode;
  }
}

/** One line on stderr: what went wrong, with nothing in it that could steer a terminal. */
export function complain(message: string): void {
  const line = message.replace(/\s*\n\s*/g, ' ').replace(/[\p{Cc}\p{Cs}]/gu, '\u{fffd}');
  process.stderr.write(`${chalkStderr.red(COMPLAINT)}${line}\n`);
}

/** Tells of an error, if nobody has yet, and gives the exit code for it. */
export function failed(error: unknown): number {
  if (error instanceof Silent) return error.exitCode;
  // Commander has written its message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.done : ExitCode.badUsage;
  complain(error instanceof Error ? error.message : String(error));
  return ExitCode.failed;
}

/** A reader that has seen enough (`sectile ls | head -1`) is no error. */
export function guardOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(process.exitCode ?? ExitCode.done);
      if (stream === process.stdout) complain(`writing the output: ${error.message}`);
      process.exit(ExitCode.failed);
    });
  }
}
