/**
 * The commands of `sectile`. A new one is one more line in the table.
 */
import { chalkStderr } from 'chalk';
import { Command } from 'commander';
import { COMPLAINT } from './exit.js';
import { packageVersion } from './package-version.js';

/** In the order of the help. A command is loaded when it is called, for all of them are most of what a start takes. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  demo: async () => (await import('./commands/running.js')).demoCommand(),
  ls: async () => (await import('./commands/objects.js')).lsCommand(),
  show: async () => (await import('./commands/objects.js')).showCommand(),
  create: async () => (await import('./commands/objects.js')).createCommand(),
  dump: async () => (await import('./commands/objects.js')).dumpCommand(),
  write: async () => (await import('./commands/objects.js')).writeCommand(),
  system: async () => (await import('./commands/running.js')).systemCommand(),
  driver: async () => (await import('./commands/running.js')).driverCommand(),
  bench: async () => (await import('./commands/running.js')).benchCommand(),
  doctor: async () => (await import('./commands/objects.js')).doctorCommand(),
};

/** What a command line can need: help, and what is no command, need all. */
function neededFor([first = '']: readonly string[]): readonly (() => Promise<Command>)[] {
  if (first === '--version' || first === '-V') return [];
  const [called] = Object.entries(commands).filter(([name]) => name === first);
  return called === undefined ? Object.values(commands) : [called[1]];
}

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

/** The command line, ready to parse these arguments. */
export async function createProgram(given: readonly string[]): Promise<Command> {
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
  for (const load of neededFor(given)) program.addCommand(await load());
  prepare(program);
  return program;
}
