/**
 * `sectile doctor`: what this host allows, what that means, and what to do about it.
 */
import chalk from 'chalk';
import { Command } from 'commander';
import { examineHost, type Finding, type FindingGroup, type FindingState, plural, printable } from '../../inspector/index.js';
import { ExitCode, Silent } from '../exit.js';
import { lineWidth, print, printJson } from '../output.js';

const marks: Readonly<Record<FindingState, string>> = {
  ok: chalk.green('✔'),
  note: chalk.yellow('●'),
  problem: chalk.red('✖'),
};

const INDENT = '    ';

/** Breaks text between words so that each line fits; a word that does not fit alone stays whole. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function printFinding({ topic, state, found, meaning, advice }: Finding, topicWidth: number, width: number): void {
  const head = `${topic.padEnd(topicWidth)}  ${printable(found)}`;
  // What is in order takes one line where it fits; what is not gets room to be read.
  const short = `${head}. ${meaning}`;
  if (state === 'ok' && short.length + INDENT.length <= width) {
    print(`  ${marks[state]} ${head}${chalk.dim(`. ${meaning}`)}`);
    return;
  }
  print(`  ${marks[state]} ${state === 'ok' ? head : chalk.bold(head)}`);
  const room = Math.max(20, width - INDENT.length - 2);
  for (const line of wrap(printable(meaning), room)) print(INDENT + (state === 'ok' ? chalk.dim(line) : line));
  if (advice === null) return;
  for (const [index, line] of wrap(printable(advice), room).entries())
    print(INDENT + chalk.cyan(index === 0 ? `→ ${line}` : `  ${line}`));
}

function summary(findings: readonly Finding[]): string {
  const count = (state: FindingState): number => findings.filter((each) => each.state === state).length;
  const verdict = findings.some(({ fatal }) => fatal)
    ? chalk.red('Sections cannot be used here.')
    : chalk.green('Sections work here.');
  return `${verdict} ${plural(count('problem'), 'problem')}, ${plural(count('note'), 'note')}, ${count('ok')} in order.`;
}

function printGroups(groups: readonly FindingGroup[], findings: readonly Finding[]): void {
  const width = lineWidth();
  const topicWidth = Math.max(...findings.map(({ topic }) => topic.length));
  for (const { title, findings: rows } of groups) {
    print(chalk.bold(title));
    for (const row of rows) printFinding(row, topicWidth, width);
    print();
  }
  print(summary(findings));
}

function doctor(options: { readonly json?: boolean }): void {
  const groups = examineHost();
  const findings = groups.flatMap((group) => group.findings);
  const usable = !findings.some(({ fatal }) => fatal);
  if (options.json === true) {
    printJson({
      usable,
      findings: groups.flatMap(({ title, findings: rows }) => rows.map((row) => ({ ...row, group: title }))),
    });
  } else printGroups(groups, findings);
  if (!usable) throw new Silent(ExitCode.failed);
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('say what this host allows, what it means, and what to do about it')
    .option('--json', 'print facts for programs')
    .addHelpText(
      'after',
      `
✔ in order   ● works, with a limit to know   ✖ does not work
The exit code is 1 only when sections cannot be used here at all. Nothing on the host is changed.

Examples:
  $ sectile doctor
  $ sectile doctor --json | jq '.findings[] | select(.state != "ok") | .advice'`,
    )
    .action(doctor);
}
