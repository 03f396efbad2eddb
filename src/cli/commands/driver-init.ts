/**
 * `sectile driver init`: a driver and its application for a user's own name and values, ready to build.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import chalk from 'chalk';
import { Command } from 'commander';
import { plural, printable } from '../../inspector/index.js';
import { collectFields, type Field, parseField } from '../driver-kit/field.js';
import { driverKit } from '../driver-kit/kit.js';
import { controlFields, sampleFields } from '../driver-kit/layout.js';
import { parseDriverName } from '../driver-kit/names.js';
import { renderCompilerSettings, renderPackage, renderReadme } from '../driver-kit/project.js';
import { complain, ExitCode, Silent } from '../exit.js';
import { print, printJson } from '../output.js';
import { packageVersion } from '../package-version.js';

interface InitOptions {
  readonly windows?: boolean;
  readonly field?: readonly Field[];
  readonly control?: readonly Field[];
  readonly directory?: string;
  readonly json?: boolean;
}

/** A driver without values would show nothing. */
const exampleField = parseField('value:f64');

function badUsage(message: string): never {
  complain(message);
  throw new Silent(ExitCode.badUsage);
}

/** Fields that every layout has cannot be had twice. */
function refuseBuiltIn(fields: readonly Field[], builtIn: readonly Field[], option: string): void {
  const clash = fields.find(({ name }) => builtIn.some((each) => each.name === name));
  if (clash !== undefined)
    badUsage(
      `${option} ${clash.name}: every layout has a "${clash.name}" already (${builtIn.map(({ name }) => name).join(', ')}). Choose another name.`,
    );
}

/** Writes the files, all or none. */
function writeKit(folder: string, files: ReadonlyMap<string, string>): void {
  const fresh = !existsSync(folder);
  mkdirSync(folder, { recursive: true });
  const written: string[] = [];
  try {
    for (const [name, text] of files) {
      const path = join(folder, name);
      writeFileSync(path, text, { flag: 'wx' });
      written.push(path);
    }
  } catch (error) {
    for (const path of fresh ? [folder] : written) rmSync(path, { recursive: true, force: true });
    throw error;
  }
}

function isFree(folder: string): boolean {
  if (!existsSync(folder)) return true;
  return statSync(folder).isDirectory() && readdirSync(folder).length === 0;
}

function init(name: string, options: InitOptions): void {
  const fields = options.field ?? [exampleField];
  const controls = options.control ?? [];
  refuseBuiltIn(fields, sampleFields, '--field');
  refuseBuiltIn(controls, controlFields, '--control');
  const folder = resolve(options.directory ?? name);
  if (!isFree(folder)) badUsage(`${printable(folder)} is there already and is not an empty folder. Name another by --directory.`);

  const request = { name, fields, controls, windows: options.windows === true };
  let kit: ReadonlyMap<string, string>;
  try {
    kit = driverKit(request);
  } catch (error) {
    if (error instanceof RangeError) badUsage(error.message);
    throw error;
  }
  const files = new Map([
    ...kit,
    ['package.json', renderPackage(request, packageVersion())],
    ['tsconfig.json', renderCompilerSettings()],
    ['README.md', renderReadme(request)],
  ]);
  writeKit(folder, files);

  if (options.json === true) printJson({ name, folder, files: [...files.keys()].sort() });
  else {
    print(`${chalk.bold(name)}: ${plural(files.size, 'file')} in ${printable(folder)}`);
    print(
      `Yours to change is ${request.windows ? 'values.c and values.ts' : 'values.ts'}; README.md says how to build and load.`,
    );
  }
}

export function driverInitCommand(): Command {
  return new Command('init')
    .description('write a driver and its application, for your name and your values')
    .argument('<name>', 'of the driver: a word such as Camera', parseDriverName)
    .option('--windows', 'with the driver in C for Windows, and what builds and installs it')
    .option('--field <name:type>', 'a value that the driver publishes; may be repeated', (text, before: readonly Field[] = []) =>
      collectFields(text, before),
    )
    .option('--control <name:type>', 'a value that applications set; may be repeated', (text, before: readonly Field[] = []) =>
      collectFields(text, before),
    )
    .option('--directory <folder>', 'where to write; a new folder of the name otherwise')
    .option('--json', 'print facts for programs')
    .addHelpText(
      'after',
      `
Types: u8 i8 u16 i16 u32 i32 u64 i64 f32 f64, and arrays such as f32[16].

Example:
  $ sectile driver init Camera --windows --field exposure:f64 --field histogram:u32[256] --control gain:f32`,
    )
    .action(init);
}
