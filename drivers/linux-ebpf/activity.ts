/**
 * What processes did between two readings of the table: rates, shares, and texts for a terminal.
 */
import { availableParallelism } from 'node:os';
import chalk from 'chalk';
import Table from 'cli-table3';
import type { ProcessFigures, ProcessTable } from './process-table.ts';

/** The table at one moment. */
export interface Reading {
  /** Nanoseconds of CLOCK_MONOTONIC. */
  readonly time: bigint;
  /** By process number and start of counting: a number may be used again. */
  readonly processes: ReadonlyMap<string, ProcessFigures>;
}

export interface ProcessActivity {
  readonly figures: ProcessFigures;
  readonly callsPerSecond: number;
  readonly switchesPerSecond: number;
  /** Of one processor: 2 for two processors all the time. */
  readonly processorShare: number;
}

export interface Activity {
  readonly seconds: number;
  /** Those that had an event meanwhile, the busiest first. */
  readonly processes: readonly ProcessActivity[];
}

const NANOSECONDS = 1e9;

export function takeReading(table: ProcessTable): Reading {
  const processes = new Map(table.read().map((each) => [`${each.processId} ${each.since}`, each]));
  return { time: process.hrtime.bigint(), processes };
}

/** Counters only grow. One that went back is no counter, and says nothing. */
const growth = (from: bigint | undefined, to: bigint): number => Math.max(0, Number(to - (from ?? 0n)));

export function activityBetween(before: Reading, after: Reading): Activity {
  const seconds = Math.max(1, Number(after.time - before.time)) / NANOSECONDS;
  const processes: ProcessActivity[] = [];
  for (const [key, figures] of after.processes) {
    const old = before.processes.get(key);
    if (old !== undefined && old.last === figures.last) continue;
    const perSecond = (field: 'calls' | 'switches' | 'ran'): number => growth(old?.[field], figures[field]) / seconds;
    processes.push({
      figures,
      callsPerSecond: perSecond('calls'),
      switchesPerSecond: perSecond('switches'),
      // Time is counted when a thread leaves its processor: that may have been more than this stretch of it.
      processorShare: Math.min(availableParallelism(), perSecond('ran') / NANOSECONDS),
    });
  }
  processes.sort((a, b) => b.processorShare - a.processorShare || b.callsPerSecond - a.callsPerSecond);
  return { seconds, processes };
}

/** For programs: plain numbers, times in seconds. */
export function activityForJson({ seconds, processes }: Activity): object {
  return {
    seconds,
    processes: processes.map(({ figures, callsPerSecond, switchesPerSecond, processorShare }) => ({
      processId: figures.processId,
      name: figures.name,
      hasEnded: figures.hasEnded,
      callsPerSecond,
      switchesPerSecond,
      processorShare,
      calls: Number(figures.calls),
      switches: Number(figures.switches),
      ranSeconds: Number(figures.ran) / NANOSECONDS,
      lastCall: figures.lastCall,
      lastProcessor: figures.lastProcessor,
      isWhole: figures.isWhole,
    })),
  };
}

const blank = Object.fromEntries(
  ['top', 'bottom']
    .flatMap((side) => [side, `${side}-mid`, `${side}-left`, `${side}-right`])
    .concat('left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid')
    .map((part) => [part, '']),
);

const columns = [
  { title: 'PID', align: 'right', text: ({ figures }) => String(figures.processId) },
  { title: 'NAME', align: 'left', text: ({ figures }) => (figures.hasEnded ? chalk.dim(figures.name) : figures.name) },
  { title: 'CPU %', align: 'right', text: ({ processorShare }) => (100 * processorShare).toFixed(1) },
  { title: 'SYSTEM CALLS/S', align: 'right', text: ({ callsPerSecond }) => wholeNumber(callsPerSecond) },
  { title: 'SWITCHES/S', align: 'right', text: ({ switchesPerSecond }) => wholeNumber(switchesPerSecond) },
  { title: 'LAST CALL', align: 'right', text: ({ figures }) => String(figures.lastCall) },
  { title: 'ON', align: 'right', text: ({ figures }) => String(figures.lastProcessor) },
] as const satisfies readonly { title: string; align: 'left' | 'right'; text: (each: ProcessActivity) => string }[];

const wholeNumber = (value: number): string => Math.round(value).toLocaleString('en');

const sum = (processes: readonly ProcessActivity[], field: 'callsPerSecond' | 'switchesPerSecond'): string =>
  wholeNumber(processes.reduce((total, each) => total + each[field], 0));

/** A heading, and as many processes as there are rows for. */
export function activityText({ processes }: Activity, rows: number): string {
  const table = new Table({
    head: columns.map(({ title }) => chalk.dim(title)),
    colAligns: columns.map(({ align }) => align),
    chars: { ...blank, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const each of processes.slice(0, rows)) table.push(columns.map(({ text }) => text(each)));
  const totals = `${processes.length} processes, ${sum(processes, 'callsPerSecond')} system calls and ${sum(processes, 'switchesPerSecond')} switches a second`;
  return `${chalk.bold(totals)}\n\n${table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}`;
}
