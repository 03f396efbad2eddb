/**
 * `sectile system`: the process that plays the kernel. Starts it, stops it, says how it is.
 */
import { writeSync } from 'node:fs';
import { resolve } from 'node:path';
import chalk from 'chalk';
import { Command, InvalidArgumentError } from 'commander';
import { SectionError } from '../../index.js';
import { plural, printable, userText } from '../../inspector/index.js';
import { stopSystem, systemStatus } from '../../system/client.js';
import type { SystemLimits } from '../../system/limits.js';
import { runSystem } from '../../system/run.js';
import { startInBackground, tellReady, untilGone } from '../background.js';
import { complain, ExitCode, Silent } from '../exit.js';
import { untilInputEnds, untilStopped } from '../holding.js';
import { print, printJson, printTable } from '../output.js';
import { needsSystemProcess } from '../own-kernel.js';
import { parsePair, parsePositiveSize, parseUser, wholeNumber } from '../values.js';

interface DriverChoice {
  readonly file: string;
  readonly parameters: Record<string, string>;
}

interface StartOptions {
  readonly foreground?: boolean;
  readonly untilInputEnds?: boolean;
  readonly driver?: readonly DriverChoice[];
  readonly maxHandles?: number;
  readonly maxBytes?: number;
  readonly maxClients?: number;
  readonly grantGlobal?: readonly number[] | 'all';
  readonly json?: boolean;
}

const MOST = 2 ** 31 - 1;

function limitsOf({ maxHandles, maxBytes, maxClients }: StartOptions): Partial<SystemLimits> {
  return {
    ...(maxHandles === undefined ? {} : { handlesPerClient: maxHandles }),
    ...(maxBytes === undefined ? {} : { bytesPerUser: maxBytes }),
    ...(maxClients === undefined ? {} : { clients: maxClients }),
  };
}

/** The options again, as the background process is to get them: its folder is another one. */
function argumentsOf({ driver = [], maxHandles, maxBytes, maxClients, grantGlobal = [] }: StartOptions): string[] {
  const drivers = driver.flatMap(({ file, parameters }) => [
    '--driver',
    file,
    ...Object.entries(parameters).flatMap(([key, value]) => ['--set', `${key}=${value}`]),
  ]);
  const limits = Object.entries({ '--max-handles': maxHandles, '--max-bytes': maxBytes, '--max-clients': maxClients });
  const granted = grantGlobal === 'all' ? [grantGlobal] : grantGlobal;
  const grants = granted.flatMap((user) => ['--grant-global', String(user)]);
  return [...drivers, ...grants, ...limits.flatMap(([option, value]) => (value === undefined ? [] : [option, String(value)]))];
}

async function runInForeground(options: StartOptions): Promise<void> {
  // Past the streams: a log on a full disk must be no event of the process.
  const log = (line: string): void => void writeSync(1, `${new Date().toISOString()} ${printable(line)}\n`);
  const system = await runSystem({
    drivers: options.driver ?? [],
    limits: limitsOf(options),
    grantGlobal: options.grantGlobal ?? [],
    log,
  });
  void untilStopped().then(() => {
    void system.stop();
    // Whoever asks twice does not want to wait.
    return untilStopped().then(() => process.exit(ExitCode.failed));
  });
  if (options.untilInputEnds === true) void untilInputEnds().then(() => system.stop());
  tellReady();
  await system.stopped;
  process.exit(ExitCode.done); // whatever a driver left behind shall not keep it
}

function refuseSecond(): void {
  let pid: number;
  try {
    ({ pid } = systemStatus());
  } catch (error) {
    if (error instanceof SectionError && error.code === 'ERR_SECTION_SYSTEM_NOT_RUNNING') return;
    throw error;
  }
  throw new SectionError('ERR_SECTION_SYSTEM_RUNNING', {
    operation: 'system start',
    rule: `a system process runs already, process ${pid}`,
    wayOut: '"sectile system stop" ends it',
  });
}

async function start(options: StartOptions): Promise<void> {
  if (options.foreground === true) return runInForeground(options);
  refuseSecond();
  const { log } = await startInBackground(argumentsOf(options));
  const { pid, path, drivers } = systemStatus();
  if (options.json === true) {
    printJson({ running: true, pid, socket: path, drivers, log });
    return;
  }
  print(
    `System process ${chalk.bold(String(pid))} serves at ${path}${drivers === 0 ? '' : `, with ${plural(drivers, 'driver')}`}`,
  );
  print(chalk.dim(`It logs to ${log}. "sectile system stop" ends it.`));
}

async function stop(): Promise<void> {
  const { pid } = systemStatus();
  stopSystem();
  await untilGone(pid);
  print(`System process ${pid} has stopped. Views of its sections go on.`);
}

function durationText(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const parts = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
  const first = parts.findIndex((part) => part > 0);
  const names = ['d', 'h', 'min', 's'];
  return first < 0
    ? '0 s'
    : parts
        .slice(first, first + 2)
        .map((part, index) => `${part} ${names[first + index]}`)
        .join(' ');
}

function status(options: { readonly json?: boolean }): void {
  let facts: ReturnType<typeof systemStatus>;
  try {
    facts = systemStatus();
  } catch (error) {
    if (!(error instanceof SectionError) || error.code !== 'ERR_SECTION_SYSTEM_NOT_RUNNING') throw error;
    if (options.json === true) printJson({ running: false });
    complain(error.message);
    throw new Silent();
  }
  const { pid, uid, version, started, clients, objects, drivers, path, protocol } = facts;
  if (options.json === true) {
    printJson({
      running: true,
      pid,
      uid,
      version,
      protocol,
      started: new Date(started).toISOString(),
      clients,
      objects,
      drivers,
      socket: path,
    });
    return;
  }
  print(chalk.bold(`System process ${pid}`));
  const rows = [
    ['Run by', userText(uid)],
    ['Running for', durationText(Date.now() - started)],
    ['Socket', path],
    ['Version', version],
    ['Serves', `${plural(objects, 'object')}, ${plural(drivers, 'driver')}, ${plural(clients, 'client')}`],
  ];
  printTable(
    [{ title: '' }, { title: '' }],
    rows.map(([key = '', value = '']) => [chalk.dim(key), value]),
    '  ',
  );
}

function addDriver(file: string, before: readonly DriverChoice[] | undefined): DriverChoice[] {
  return [...(before ?? []), { file: resolve(file), parameters: {} }];
}

/** Users by name or number; "all" stays all. */
function addUser(text: string, before: readonly number[] | 'all' | undefined): readonly number[] | 'all' {
  if (text === 'all' || before === 'all') return 'all';
  return [...(before ?? []), parseUser(text)];
}

function startCommand(): Command {
  const command = new Command('start')
    .description('start the system process in the background')
    .option('--foreground', 'stay in this terminal, and log to it')
    .option(
      '--until-input-ends',
      'with --foreground: stop when standard input ends, as it does when a program that started this dies',
    )
    .option('--driver <file>', 'load this driver; may be repeated', addDriver)
    .option('--set <key=value>', 'a parameter for the --driver before it; may be repeated', (text: string) => {
      const [key, value] = parsePair(text);
      const drivers = command.getOptionValue('driver') as readonly DriverChoice[] | undefined;
      const last = drivers?.at(-1);
      if (last === undefined) throw new InvalidArgumentError('It comes after the --driver that it is for.');
      last.parameters[key] = value;
    })
    .option('--grant-global <user>', 'let this user, or "all", create sections in Global\\; may be repeated', addUser)
    .option('--max-handles <n>', 'open handles of one client', wholeNumber(1, MOST))
    .option('--max-bytes <bytes>', "bytes of one user's sections: 512M, 16G", parsePositiveSize)
    .option('--max-clients <n>', 'connected processes', wholeNumber(1, MOST))
    .option('--json', 'print facts for programs')
    .addHelpText(
      'after',
      `
Started by root it serves the whole machine, started by a user that user alone.

Examples:
  $ sectile system start
  $ sectile system start --driver ./camera.js --set rate=60 --max-bytes 4G
  $ sectile system start --grant-global camera --grant-global 1001
  $ sectile system start --foreground`,
    )
    .action(start);
  return command;
}

export function systemCommand(): Command {
  return new Command('system')
    .description('the system process: it owns Global\\ names and runs drivers')
    .hook('preAction', needsSystemProcess)
    .addCommand(startCommand())
    .addCommand(
      new Command('stop')
        .description('stop the system process, and wait until it has gone')
        .addHelpText('after', '\nExample:\n  $ sectile system stop')
        .action(stop),
    )
    .addCommand(
      new Command('status')
        .description('say whether a system process runs (exit code 1 if not)')
        .option('--json', 'print facts for programs')
        .addHelpText('after', '\nExample:\n  $ sectile system status --json')
        .action(status),
    )
    .addHelpText('after', '\nExample:\n  $ sectile system start && sectile system status');
}
