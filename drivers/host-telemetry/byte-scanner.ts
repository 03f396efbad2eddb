/**
 * Reads the text files of /proc without making strings of them: a kept-open descriptor, one buffer that
 * is used again and again, and a cursor that picks out numbers.
 */
import { closeSync, openSync, readSync } from 'node:fs';

const FIRST_CAPACITY = 16 * 1024;

const LINE_FEED = 10;
const SPACE = 32;
const POINT = 46;
const ZERO = 48;
const NINE = 57;

export class ByteScanner {
  readonly #descriptor: number;
  #buffer = Buffer.allocUnsafe(FIRST_CAPACITY);
  #length = 0;
  #position = 0;

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Null where this machine (or container) does not have the file. */
  static open(path: string): ByteScanner | null {
    try {
      return new ByteScanner(openSync(path, 'r'));
    } catch {
      return null;
    }
  }

  /** Reads the file anew and goes to its start. */
  refresh(): void {
    for (;;) {
      // From position 0 the kernel composes the text anew, as of now.
      this.#length = readSync(this.#descriptor, this.#buffer, 0, this.#buffer.length, 0);
      this.#position = 0;
      if (this.#length < this.#buffer.length) return;
      this.#buffer = Buffer.allocUnsafe(this.#buffer.length * 2);
    }
  }

  get atEnd(): boolean {
    return this.#position >= this.#length;
  }

  nextLine(): void {
    const end = this.#buffer.indexOf(LINE_FEED, this.#position);
    this.#position = end < 0 || end >= this.#length ? this.#length : end + 1;
  }

  /** Goes behind the next place where these bytes stand; false, and nowhere, if there is none. */
  seek(bytes: Buffer): boolean {
    const found = this.#buffer.indexOf(bytes, this.#position);
    if (found < 0 || found + bytes.length > this.#length) return false;
    this.#position = found + bytes.length;
    return true;
  }

  /** Whether these bytes stand here; goes behind them if so. */
  take(bytes: Buffer): boolean {
    const end = this.#position + bytes.length;
    if (end > this.#length || this.#buffer.compare(bytes, 0, bytes.length, this.#position, end) !== 0) return false;
    this.#position = end;
    return true;
  }

  skipSpaces(): void {
    while (this.#position < this.#length && this.#buffer[this.#position] === SPACE) this.#position++;
  }

  /** The characters up to the next space, or to one that ends a word here. Makes a string: for names. */
  word(end: number = SPACE): string {
    this.skipSpaces();
    const start = this.#position;
    while (this.#position < this.#length) {
      const byte = this.#buffer[this.#position];
      if (byte === end || byte === SPACE || byte === LINE_FEED) break;
      this.#position++;
    }
    return this.#buffer.toString('latin1', start, this.#position);
  }

  /** The next number of this line, with decimals if it has any; NaN at the line's end. */
  number(): number {
    const buffer = this.#buffer;
    let position = this.#position;
    let byte = buffer[position] as number;
    while (position < this.#length && byte !== LINE_FEED && (byte < ZERO || byte > NINE)) byte = buffer[++position] as number;
    if (position >= this.#length || byte === LINE_FEED) {
      this.#position = position;
      return Number.NaN;
    }
    let value = 0;
    for (; position < this.#length && byte >= ZERO && byte <= NINE; byte = buffer[++position] as number)
      value = value * 10 + byte - ZERO;
    if (position < this.#length && byte === POINT) {
      let scale = 1;
      byte = buffer[++position] as number;
      for (; position < this.#length && byte >= ZERO && byte <= NINE; byte = buffer[++position] as number, scale *= 10) {
        value = value * 10 + byte - ZERO;
      }
      value /= scale;
    }
    this.#position = position;
    return value;
  }

  /** Passes over so many numbers. */
  skip(count: number): void {
    for (let index = 0; index < count; index++) this.number();
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
