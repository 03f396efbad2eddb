/**
 * `sectile dump`: the bytes of a section, for people or raw. It looks only: no page of a sparse section
 * comes to life by it.
 */
import { once } from 'node:events';
import { Command } from 'commander';
import { SectionError } from '../../index.js';
import { type Content, openContent, parseTarget, TARGET_FORMS } from '../../inspector/index.js';
import { HexDump } from '../hexdump.js';
import { parseSize, wholeNumber } from '../values.js';

interface Options {
  readonly offset: number;
  readonly length?: number;
  readonly raw?: boolean;
  readonly width: number;
}

/** Bytes that are read at a time: a multiple of every row width is taken below it. */
const WINDOW = 1 << 20;

async function write(bytes: string | Uint8Array): Promise<void> {
  if (bytes.length > 0 && !process.stdout.write(bytes)) await once(process.stdout, 'drain');
}

async function copyOut(content: Content, from: number, to: number, options: Options): Promise<void> {
  const step = Math.floor(WINDOW / options.width) * options.width;
  const hex = options.raw === true ? null : new HexDump(options.width, from, to);
  for (let position = from; position < to; position += step) {
    // A stream may still hold the last window: each gets a buffer of its own.
    const bytes = Buffer.allocUnsafe(Math.min(step, to - position));
    content.read(bytes, position);
    await write(hex === null ? bytes : hex.rows(bytes));
  }
  if (hex !== null) await write(hex.end());
}

async function dump(name: string, options: Options): Promise<void> {
  const content = openContent('dump', parseTarget('dump', name), `"${name}"`);
  try {
    const { offset, length } = options;
    const { size } = content;
    if (offset >= size) {
      throw new SectionError('ERR_SECTION_OUT_OF_RANGE', {
        operation: 'dump',
        object: `"${name}"`,
        rule: `offset ${offset} is beyond its ${size} bytes`,
        wayOut: `The last byte has offset ${size - 1}`,
      });
    }
    await copyOut(content, offset, Math.min(size, offset + (length ?? size - offset)), options);
  } finally {
    content.close();
  }
}

export function dumpCommand(): Command {
  return new Command('dump')
    .description("print a section's bytes, in hexadecimal or raw")
    .argument('<name>', TARGET_FORMS)
    .option('--offset <n>', 'first byte: 4096, 0x1000, 4K', parseSize, 0)
    .option('--length <n>', 'at most so many bytes (default: to the end)', parseSize)
    .option('--width <n>', 'bytes in a row', wholeNumber(1, 256), 16)
    .option('--raw', 'write the bytes themselves to stdout')
    .addHelpText(
      'after',
      `
Rows that repeat the one above are left out; an asterisk stands for them.

Examples:
  $ sectile dump frames --length 256
  $ sectile dump posix:/camera --offset 0x1000 --length 64
  $ sectile dump 'Global\\bulk' --raw | sha256sum`,
    )
    .action(dump);
}
