/**
 * Shows what each process does in the kernel: system calls, switches, processor time. The figures come from
 * a map that the eBPF program fills and that is a section here; nobody is asked, and nothing is copied.
 *
 *   sh drivers/linux-ebpf/run.sh [--json] [--seconds N] [--count N] [--rows N]
 */
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createLogUpdate } from 'log-update';
import { Section } from 'sectile';
import { activityBetween, activityForJson, activityText, takeReading } from './activity.ts';
import { handedOver } from './handed-over.ts';
import { MAP_NAME, TABLE_SIZE } from './layout.ts';
import { ProcessTable } from './process-table.ts';

const DEFAULT_ROWS = 20;
/** Lines of the screen that are not processes: the heading and what stands around it. */
const OTHER_LINES = 5;

interface Wishes {
  readonly json: boolean;
  /** Between two readings. */
  readonly seconds: number;
  /** How many times it is shown. */
  readonly count: number;
  readonly rows: number;
}

function wishes(): Wishes {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '1' },
      count: { type: 'string' },
      rows: { type: 'string' },
    },
  });
  const number = (name: 'seconds' | 'count' | 'rows', text: string | undefined, otherwise: number): number => {
    const value = text === undefined ? otherwise : Number(text);
    if (value > 0 && (value <= 86_400 || text === undefined)) return value;
    throw new Error(`--${name} takes a number from 0 to 86400, not "${text}"`);
  };
  return {
    json: values.json,
    seconds: number('seconds', values.seconds, 1),
    count: number('count', values.count, values.json ? 1 : Number.POSITIVE_INFINITY),
    rows: Math.ceil(number('rows', values.rows, Math.max(5, (process.stdout.rows ?? DEFAULT_ROWS + OTHER_LINES) - OTHER_LINES))),
  };
}

/** How a text comes on the screen: drawn over the last one, or below it where the output is no terminal. */
function screen(): (text: string) => void {
  if (process.stdout.isTTY === true) return createLogUpdate(process.stdout);
  return (text) => process.stdout.write(`${text}\n\n`);
}

async function main(): Promise<void> {
  const { json, seconds, count, rows } = wishes();
  const map = handedOver(MAP_NAME);
  if (map === undefined) {
    throw new Error(
      'nobody handed over the map of the eBPF program. Start this by drivers/linux-ebpf/run.sh, which loads that first',
    );
  }
  using section = Section.fromDescriptor(map, { size: TABLE_SIZE, access: 'read' });
  using view = section.map();
  const table = new ProcessTable(view);
  const show = json ? (text: string) => process.stdout.write(`${text}\n`) : screen();
  let before = takeReading(table);
  for (let shown = 0; shown < count; shown++) {
    await pause(seconds * 1000);
    const after = takeReading(table);
    const activity = activityBetween(before, after);
    before = after;
    show(
      json
        ? JSON.stringify({ givenAway: Number(table.givenAway), ...activityForJson(activity) }, null, 2)
        : activityText(activity, rows),
    );
  }
}

process.stdout.on('error', () => process.exit(0)); // whoever read the output has gone
try {
  await main();
} catch (error) {
  process.stderr.write(`linux-ebpf: ${error instanceof Error ? error.message : String(error)}.\n`);
  process.exitCode = 1;
}
