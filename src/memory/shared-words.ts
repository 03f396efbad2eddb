/**
 * A few words of shared memory that processes race for: each is looked at and changed in one step. They
 * need no buffer, which not every runtime allows.
 */
import { type Mapping, os } from '../os/index.js';

export class SharedWords {
  readonly #mapping: Mapping;

  /** @param mapping is closed with the words */
  constructor(mapping: Mapping) {
    this.#mapping = mapping;
  }

  load(index: number): number {
    return os.mappingWordLoad(this.#mapping, index * Int32Array.BYTES_PER_ELEMENT);
  }

  /** Puts a value there, and returns what was there before. */
  exchange(index: number, value: number): number {
    return os.mappingWordExchange(this.#mapping, index * Int32Array.BYTES_PER_ELEMENT, value);
  }

  /** Puts a value there if it finds what is expected; returns what it found. */
  compareExchange(index: number, expected: number, value: number): number {
    return os.mappingWordCompareExchange(this.#mapping, index * Int32Array.BYTES_PER_ELEMENT, expected, value);
  }

  close(): void {
    os.mappingClose(this.#mapping);
  }
}
