/**
 * `sectile ls`: which objects there are and who holds them.
 */
import chalk from 'chalk';
import { Command } from 'commander';
import {
  type Listing,
  listObjects,
  type ObjectFacts,
  type ObjectGroup,
  type ObjectScope,
  objectGroups,
  plural,
  printable,
  sizeText,
} from '../../inspector/index.js';
import { complain, Silent } from '../exit.js';
import { objectJson } from '../object-json.js';
import { accessText, backingText, holderText, residentText } from '../object-text.js';
import { type Column, print, printJson, printTable, remark } from '../output.js';

interface Options {
  readonly json?: boolean;
  readonly local?: boolean;
  readonly global?: boolean;
  readonly foreign?: boolean;
}

const allScopes = ['local', 'global', 'foreign'] as const;

const columns: readonly Column[] = [
  { title: 'NAME' },
  { title: 'KIND' },
  { title: 'SIZE', align: 'right' },
  { title: 'RESIDENT', align: 'right' },
  { title: 'BACKING' },
  { title: 'PROTECTION' },
  { title: 'PID', align: 'right' },
  { title: 'HANDLES', align: 'right' },
  { title: 'VIEWS', align: 'right' },
  { title: 'COMMAND' },
];

/** Characters of a name in the table; `show` and --json have all of it. */
const LONGEST_NAME = 60;

/** A section without a living name is found by a descriptor; what its creator called it stays with it. */
function nameText({ name, kind, file }: ObjectFacts): string {
  const label = kind === 'memfd' ? file?.replace(/^\/memfd:sectile:/, '') : undefined;
  const text = printable(label === undefined || label === '' ? name : `${name} (${label})`);
  return text.length > LONGEST_NAME ? `${text.slice(0, LONGEST_NAME)}…` : text;
}

/** An object takes one line for each holder; its own facts stand on the first. */
function rowsOf(facts: ObjectFacts): string[][] {
  const own = [
    nameText(facts),
    facts.kind,
    facts.size === null ? '–' : sizeText(facts.size),
    residentText(facts.resident),
    backingText(facts),
    accessText(facts),
  ];
  if (facts.holders.length === 0) return [[...own, '', '', '', chalk.yellow('nobody')]];
  return facts.holders.map((holder, index) => [
    ...(index === 0 ? own : own.map(() => '')),
    String(holder.pid),
    String(holder.handles),
    String(holder.mappings.length),
    holderText(holder),
  ]);
}

function printGroup(group: ObjectGroup, listing: Listing): void {
  const { scope, heading } = group;
  print(chalk.bold(heading));
  const objects = listing.objects.filter((each) => each.scope === scope);
  if (objects.length > 0) printTable(columns, objects.flatMap(rowsOf), '  ');
  else if (listing.problems.some((problem) => problem.group === scope)) print(chalk.dim('  unknown, see below'));
  else print(chalk.dim(`  ${group.none(listing)}`));
}

function scopesOf(options: Options): ReadonlySet<ObjectScope> {
  const asked = allScopes.filter((scope) => options[scope] === true);
  return new Set(asked.length === 0 ? allScopes : asked);
}

function printAsJson({ objects, problems, systemPid, unseen }: Listing): void {
  printJson({
    objects: objects.map(objectJson),
    system: { running: systemPid !== null, pid: systemPid },
    problems: problems.map(({ error }) => ({ code: error.code, message: error.message })),
    unseenProcesses: unseen,
  });
}

function printAsTables(listing: Listing, scopes: ReadonlySet<ObjectScope>): void {
  for (const [index, group] of objectGroups.filter(({ scope }) => scopes.has(scope)).entries()) {
    if (index > 0) print();
    printGroup(group, listing);
  }
  if (listing.unseen > 0 && listing.objects.some(({ scope }) => scope !== 'local')) {
    remark(
      `${plural(listing.unseen, 'process')} did not show what they hold${process.geteuid?.() === 0 ? '' : '; root sees more'}.`,
    );
  }
}

function ls(options: Options): void {
  const scopes = scopesOf(options);
  const listing = listObjects('ls', scopes);
  if (options.json === true) printAsJson(listing);
  else printAsTables(listing, scopes);
  for (const message of new Set(listing.problems.map(({ error }) => error.message))) complain(message);
  // A damaged record is told, and the rest is listed; a group that cannot be listed at all is a failure.
  if (listing.problems.some(({ group }) => group !== null)) throw new Silent();
}

export function lsCommand(): Command {
  return new Command('ls')
    .description('list sections and other objects: kind, size, backing, protection and who holds them')
    .option('--local', "this user's names; on Windows this session's")
    .option('--global', 'names of the system process; on Windows the whole machine')
    .option('--foreign', 'shm_open objects of other programs, and sections without a name')
    .option('--json', 'print facts for programs')
    .addHelpText(
      'after',
      `
HANDLES are open handles on the object, VIEWS are mappings of it. Memory lives as long as either.
Every name can be given to "sectile show" and "sectile dump".

Examples:
  $ sectile ls
  $ sectile ls --local --json | jq '.objects[].name'`,
    )
    .action(ls);
}
