/**
 * Bytes as rows of hexadecimal digits and characters, runs of equal rows collapsed to one `*`.
 */
import chalk from 'chalk';

const pairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const characters = Array.from({ length: 256 }, (_, byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'));

export class HexDump {
  readonly #width: number;
  readonly #digits: number;
  #position: number;
  #last: Buffer = Buffer.alloc(0);
  #collapsing = false;

  /**
   * @param width Bytes in a row.
   * @param from Offset of the first byte that will come.
   * @param to Offset after the last one: it decides how wide the offsets are.
   */
  constructor(width: number, from: number, to: number) {
    this.#width = width;
    this.#position = from;
    this.#digits = Math.max(8, to.toString(16).length);
  }

  /** The rows for the next bytes: whole rows, except at the very end. */
  rows(bytes: Buffer): string {
    let text = '';
    for (let start = 0; start < bytes.length; ) {
      const row = bytes.subarray(start, start + this.#width);
      const repeats = row.equals(this.#last);
      if (!repeats) {
        text += this.#row(row);
        this.#collapsing = false;
      } else if (!this.#collapsing) {
        text += '*\n';
        this.#collapsing = true;
      }
      this.#last = row;
      const next = repeats ? this.#endOfRun(bytes, start) : start + row.length;
      this.#position += next - start;
      start = next;
    }
    return text;
  }

  /** Where a run of rows equal to the last one ends: looked for by large comparisons, for runs are long. */
  #endOfRun(bytes: Buffer, start: number): number {
    const width = this.#width;
    // Bytes repeat with the row's width exactly as long as they equal themselves shifted by it.
    let end = start + width;
    for (let step = width; end + step <= bytes.length; ) {
      if (bytes.compare(bytes, end - width, end - width + step, end, end + step) === 0) {
        end += step;
        step *= 2;
      } else if (step > width) step = width;
      else break;
    }
    return Math.min(end, bytes.length);
  }

  #row(row: Buffer): string {
    let hex = '';
    let text = '';
    for (const [index, byte] of row.entries()) {
      hex += index > 0 && index % 8 === 0 ? `  ${pairs[byte]}` : ` ${pairs[byte]}`;
      text += characters[byte];
    }
    const room = this.#width * 3 + Math.floor((this.#width - 1) / 8);
    return `${this.#offset()} ${hex.padEnd(room)}  ${chalk.dim('|')}${text}${chalk.dim('|')}\n`;
  }

  #offset(): string {
    return chalk.dim(this.#position.toString(16).padStart(this.#digits, '0'));
  }

  /** The line after the last row: where the dump ends. */
  end(): string {
    return `${this.#offset()}\n`;
  }
}
