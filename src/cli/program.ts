/**
 * The commands of `sectile`. A new one is one more line in the list.
 */
import { chalkStderr } from 'chalk';
import { Command } from 'commander';
import { benchCommand } from './commands/bench.js';
import { createCommand } from './commands/create.js';
import { demoCommand } from './commands/demo.js';
import { doctorCommand } from './commands/doctor.js';
import { driverCommand } from './commands/driver.js';
import { dumpCommand } from './commands/dump.js';
import { lsCommand } from './commands/ls.js';
import { showCommand } from './commands/show.js';
import { systemCommand } from './commands/system.js';
import { writeCommand } from './commands/write.js';
import { COMPLAINT } from './exit.js';
import { packageVersion } from './package-version.js';

const commands: readonly (() => Command)[] = [
  demoCommand,
  lsCommand,
  showCommand,
  createCommand,
  dumpCommand,
  writeCommand,
  systemCommand,
  driverCommand,
  benchCommand,
  doctorCommand,
];

/** Every command ends by an exception, so that one place decides about exit codes. */
function prepare(command: Command): void {
  command.exitOverride();
  command.configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, chalkStderr.red(COMPLAINT))) });
  for (const each of command.commands) prepare(each);
  // With subcommands of its own, a command without one prints its help and counts as bad usage.
  if (command.commands.length === 0) command.showHelpAfterError(`Try: ${pathOf(command)} --help`);
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** The whole command line, ready to parse. */
export function createProgram(): Command {
  const program = new Command('sectile')
    .description('Named memory that several processes share, each through its own view.')
    .version(packageVersion(), '-V, --version')
    .addHelpText(
      'after',
      `
Names:
  x, Local\\x      shared between this user's processes, no daemon needed
  Global\\x        shared by the system process, with rights it checks
  posix:/x        an object of shm_open, made by another program

Examples:
  $ sectile doctor                          what this host allows
  $ sectile create frames --size 64M        a section to play with
  $ sectile ls                              who shares what
  $ sectile dump frames --length 256        its first bytes

Exit codes: 0 done, 1 failed (one line says why), 2 bad usage.`,
    );
  for (const command of commands) program.addCommand(command());
  prepare(program);
  return program;
}
