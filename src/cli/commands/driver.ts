/**
 * `sectile driver`: loads and unloads drivers of the running system process, and writes new ones.
 */
import { resolve } from 'node:path';
import chalk from 'chalk';
import { Command } from 'commander';
import { plural, printable } from '../../inspector/index.js';
import { listDrivers, loadDriver, unloadDriver } from '../../system/client.js';
import type { DriverListing } from '../../system/protocol.js';
import { print, printJson, printTable } from '../output.js';
import { needsSystemProcess } from '../own-kernel.js';
import { collectPairs } from '../values.js';
import { driverInitCommand } from './driver-init.js';

interface LoadOptions {
  readonly set: Readonly<Record<string, string>>;
  readonly json?: boolean;
}

function driverJson({ name, file, loaded, handles, views }: DriverListing) {
  return { name, file, loaded: new Date(loaded).toISOString(), handles, views };
}

function load(file: string, options: LoadOptions): void {
  const driver = loadDriver(resolve(file), options.set);
  if (options.json === true) printJson(driverJson(driver));
  else
    print(
      `${chalk.bold(printable(driver.name))} is loaded: ${plural(driver.handles, 'handle')}, ${plural(driver.views, 'view')}`,
    );
}

function unload(name: string): void {
  unloadDriver(name);
  print(`${printable(name)} is unloaded`);
}

function list(options: { readonly json?: boolean }): void {
  const drivers = listDrivers();
  if (options.json === true) {
    printJson({ drivers: drivers.map(driverJson) });
    return;
  }
  if (drivers.length === 0) {
    print(chalk.dim('no driver is loaded'));
    return;
  }
  printTable(
    [
      { title: 'NAME' },
      { title: 'HANDLES', align: 'right' },
      { title: 'VIEWS', align: 'right' },
      { title: 'LOADED' },
      { title: 'FILE' },
    ],
    drivers.map(({ name, file, loaded, handles, views }) => [
      printable(name),
      String(handles),
      String(views),
      new Date(loaded).toISOString(),
      printable(file),
    ]),
  );
}

export function driverCommand(): Command {
  return new Command('driver')
    .description('drivers in the system process')
    .addCommand(
      new Command('load')
        .description('load a driver from a JavaScript or TypeScript module')
        .argument('<file>', 'a module that exports DriverEntry')
        .option('--set <key=value>', 'a parameter for it; may be repeated', collectPairs, {})
        .option('--json', 'print facts for programs')
        .addHelpText('after', '\nExample:\n  $ sectile driver load ./camera.js --set rate=60')
        .hook('preAction', needsSystemProcess)
        .action(load),
    )
    .addCommand(
      new Command('unload')
        .description('unload a driver: its handles and views go with it')
        .argument('<name>', 'as "sectile driver ls" shows it')
        .addHelpText('after', '\nExample:\n  $ sectile driver unload camera')
        .hook('preAction', needsSystemProcess)
        .action(unload),
    )
    .addCommand(
      new Command('ls')
        .description('list the drivers that are loaded')
        .option('--json', 'print facts for programs')
        .addHelpText('after', '\nExample:\n  $ sectile driver ls')
        .hook('preAction', needsSystemProcess)
        .action(list),
    )
    .addCommand(driverInitCommand())
    .addHelpText('after', '\nExample:\n  $ sectile driver load ./camera.js');
}
