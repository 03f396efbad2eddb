/**
 * `sectile show`: all that is known of one object.
 */
import chalk from 'chalk';
import { Command } from 'commander';
import {
  findObject,
  type Holder,
  isReserved,
  kindOf,
  type MappedView,
  type ObjectFacts,
  parseTarget,
  plural,
  printable,
  rightsText,
  securityLines,
  sizeText,
  TARGET_FORMS,
  userText,
} from '../../inspector/index.js';
import { objectDetailsJson } from '../object-json.js';
import { accessText, backingText, holderText, residentText } from '../object-text.js';
import { print, printJson, printTable } from '../output.js';

const accessWords = { read: 'read-only', readwrite: 'read-write', copy: 'copy-on-write', none: 'no access' } as const;

function sizeLine({ size, resident }: ObjectFacts): string {
  if (size === null) return 'not told';
  const whole = `${sizeText(size)}${size < 1024 ? '' : ` (${size} bytes)`}`;
  return resident === null ? whole : `${whole}, ${residentText(resident)} of it in memory`;
}

function backingLine(facts: ObjectFacts): string {
  const { attributes, backing, file } = facts;
  if (attributes !== null && backing === 'pagefile')
    return `${backingText(facts)}${isReserved(attributes) ? ': pages come when they are touched' : ', committed at create'}`;
  return file === null ? backingText(facts) : `${backingText(facts)}: ${printable(file)}`;
}

function factRows(facts: ObjectFacts): string[][] {
  const { owner, security, created, device, inode } = facts;
  const rows = [
    ['Kind', facts.kind],
    ['Size', sizeLine(facts)],
    ['Backing', backingLine(facts)],
    ['Protection', accessText(facts)],
  ];
  if (owner !== null) rows.push(['Owner', userText(owner)]);
  if (security !== null) {
    rows.push(['Security', printable(security)]);
    for (const line of securityLines(security, kindOf(facts.kind))) rows.push(['', line]);
  }
  if (created !== null) rows.push(['Created', new Date(created).toISOString()]);
  if (device !== null) rows.push(['Memory', `device ${device}, inode ${inode}`]);
  return rows;
}

function viewRow({ address, length, offset, access }: MappedView): string[] {
  return [`0x${address.toString(16)}`, sizeText(length), `from byte ${offset}`, accessWords[access]];
}

function printHolder(holder: Holder, kind: ObjectFacts['kind']): void {
  const { pid, handles, granted, mappings } = holder;
  const rights = granted === null || handles === 0 ? '' : ` (${rightsText(granted, kindOf(kind))})`;
  print(
    `  ${chalk.bold(String(pid))} ${holderText(holder)}: ${plural(handles, 'handle')}${rights}, ${plural(mappings.length, 'view')}`,
  );
  if (mappings.length > 0)
    printTable([{ title: '' }, { title: '', align: 'right' }, { title: '' }, { title: '' }], mappings.map(viewRow), '    ');
}

function show(name: string, options: { readonly json?: boolean }): void {
  const facts = findObject('show', parseTarget('show', name));
  if (options.json === true) {
    printJson(objectDetailsJson(facts));
    return;
  }
  print(chalk.bold(printable(facts.name)));
  printTable(
    [{ title: '' }, { title: '' }],
    factRows(facts).map(([key = '', value = '']) => [chalk.dim(key), value]),
    '  ',
  );
  print();
  print(chalk.bold('Held by'));
  if (facts.holders.length === 0) print(chalk.dim('  nobody that can be seen from here'));
  for (const holder of facts.holders) printHolder(holder, facts.kind);
}

export function showCommand(): Command {
  return new Command('show')
    .description('show all facts of one section: rights, holders and their views')
    .argument('<name>', TARGET_FORMS)
    .option('--json', 'print facts for programs')
    .addHelpText(
      'after',
      `
Examples:
  $ sectile show frames
  $ sectile show 'Global\\host-telemetry' --json`,
    )
    .action(show);
}
