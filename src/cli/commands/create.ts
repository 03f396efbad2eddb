/**
 * `sectile create`: makes a section and holds it. A section lives as long as somebody holds it, so this
 * command does not return before it is told to.
 */
import chalk from 'chalk';
import { Command, Option } from 'commander';
import { Section } from '../../index.js';
import { printable, sizeText } from '../../inspector/index.js';
import { untilStopped } from '../holding.js';
import { print, printJson } from '../output.js';
import { parsePositiveSize } from '../values.js';

interface Options {
  readonly size?: number;
  readonly file?: string;
  readonly reserve?: boolean;
  readonly largePages?: boolean;
  readonly readOnlyForOthers?: boolean;
  readonly security?: string;
  readonly json?: boolean;
}

function make(name: string, options: Options): Section {
  const { size, file, security } = options;
  if (file !== undefined) {
    return Section.fromFile(file, {
      name,
      access: options.readOnlyForOthers === true ? 'read' : 'readwrite',
      ...(size === undefined ? {} : { size }),
    });
  }
  return Section.create({
    name,
    size: size ?? 0,
    protection: options.readOnlyForOthers === true ? 'read' : 'readwrite',
    reserve: options.reserve === true,
    largePages: options.largePages === true,
    ...(security === undefined ? {} : { security }),
  });
}

async function create(this: Command, name: string, options: Options): Promise<void> {
  if (options.size === undefined && options.file === undefined) {
    this.error("error: required option '--size <bytes>' not specified (only --file goes without)", {
      code: 'commander.missingMandatoryOptionValue',
    });
  }
  const section = make(name, options);
  const stopped = untilStopped();
  if (options.json === true) printJson({ name: section.name, size: section.size, access: section.access, pid: process.pid });
  else {
    const what = `${chalk.bold(printable(section.name ?? name))}, ${sizeText(section.size)}`;
    print(`${what}: it lives as long as somebody holds it, and process ${process.pid} does. Ctrl-C lets it go.`);
  }
  await stopped;
  section.close();
}

export function createCommand(): Command {
  return new Command('create')
    .description('create a section and hold it until Ctrl-C')
    .argument('<name>', 'x or Local\\x, Global\\x')
    .option('--size <bytes>', 'its size: 4096, 0x1000, 64K, 16M, 2G, 1T', parsePositiveSize)
    .option('--file <path>', 'over this file; grown to --size if that is larger')
    .addOption(new Option('--reserve', 'commit nothing now: pages come when they are touched').conflicts(['file', 'largePages']))
    .addOption(new Option('--large-pages', 'from the large pages that the host has set aside').conflicts('file'))
    .option('--read-only-for-others', 'nobody but the creator can ever have a writable view')
    .addOption(new Option('--security <sddl>', 'who may do what, such as "D:(A;;GR;;;WD)"').conflicts('file'))
    .option('--json', 'print facts for programs')
    .addHelpText(
      'after',
      `
A section and its name go when the last handle and view on it go: there is nothing to clean up.

Examples:
  $ sectile create frames --size 64M
  $ sectile create 'Global\\frames' --size 2G --security 'D:(A;;GA;;;OW)(A;;GR;;;WD)'
  $ sectile create model --file weights.bin --read-only-for-others`,
    )
    .action(create);
}
