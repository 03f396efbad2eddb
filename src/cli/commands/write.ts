/**
 * `sectile write`: puts bytes into a section, from the command line, a file or stdin.
 */
import { createReadStream, openSync, statSync } from 'node:fs';
import { Command, Option } from 'commander';
import { Section, SectionError } from '../../index.js';
import { parseTarget, plural, TARGET_FORMS, type Target } from '../../inspector/index.js';
import { print } from '../output.js';
import { parseHex, parseSize } from '../values.js';

interface Options {
  readonly offset: number;
  readonly text?: string;
  readonly hex?: Buffer;
  readonly from?: string;
}

const OPERATION = 'write';

function open(target: Target): Section {
  switch (target.kind) {
    case 'section':
      return Section.open(target.name.full, { access: 'readwrite' });
    case 'posix':
      return Section.openPosix(target.name, { access: 'readwrite' });
    case 'file':
      return Section.fromFile(target.path, { access: 'readwrite' });
    case 'descriptor': {
      const path = `/proc/${target.pid}/fd/${target.descriptor}`;
      return Section.fromDescriptor(openSync(path, 'r+'), { size: statSync(path).size, access: 'readwrite' });
    }
  }
}

/** The bytes to write, piece by piece. */
async function* source({ text, hex, from }: Options): AsyncIterable<Uint8Array> {
  if (text !== undefined) yield Buffer.from(text, 'utf8');
  else if (hex !== undefined) yield hex;
  else
    yield* (from === undefined ? process.stdin : createReadStream(from, { highWaterMark: 1 << 20 })) as AsyncIterable<Uint8Array>;
}

async function write(name: string, options: Options): Promise<void> {
  const section = open(parseTarget(OPERATION, name));
  try {
    let position = options.offset;
    for await (const bytes of source(options)) {
      if (bytes.length === 0) continue;
      if (position + bytes.length > section.size) throw tooMuch(name, section.size, options.offset, position);
      const view = section.map({ offset: position, length: bytes.length, access: 'readwrite' });
      try {
        view.write(bytes);
      } finally {
        view.close();
      }
      position += bytes.length;
    }
    print(`${plural(position - options.offset, 'byte')} written at offset ${options.offset}`);
  } finally {
    section.close();
  }
}

function tooMuch(name: string, size: number, from: number, position: number): SectionError {
  return new SectionError('ERR_SECTION_OUT_OF_RANGE', {
    operation: OPERATION,
    object: `"${name}"`,
    rule: `there are more bytes than the ${Math.max(0, size - from)} that fit from offset ${from}; ${plural(position - from, 'byte')} were written`,
    wayOut: 'Give less, or a smaller offset',
  });
}

export function writeCommand(): Command {
  return new Command('write')
    .description('write bytes into a section, from the command line, a file or stdin')
    .argument('<name>', TARGET_FORMS)
    .option('--offset <n>', 'where the first byte goes: 4096, 0x1000, 4K', parseSize, 0)
    .addOption(new Option('--text <text>', 'this text, as UTF-8').conflicts(['hex', 'from']))
    .addOption(new Option('--hex <digits>', 'these bytes, such as "de ad be ef"').argParser(parseHex).conflicts(['text', 'from']))
    .addOption(new Option('--from <file>', 'the bytes of this file').conflicts(['text', 'hex']))
    .addHelpText(
      'after',
      `
Without --text, --hex or --from, the bytes come from stdin.

Examples:
  $ sectile write frames --text hello
  $ sectile write frames --offset 4K --hex 'de ad be ef'
  $ cat image.raw | sectile write frames`,
    )
    .action(write);
}
