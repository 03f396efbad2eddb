/**
 * The driver's reading of the section that everyone may write. Nothing in it is believed: each word is
 * loaded once, checked against what it can possibly be, and put right if it cannot. Nonsense is counted
 * and told of once; it never stops a transfer, and never frees a chunk that was not sent.
 */
import { ACKNOWLEDGED_AT, AcknowledgementWord, acknowledgementOf } from './layout.ts';

export class Acknowledgements {
  readonly #words: Uint32Array;
  readonly #acknowledged: BigUint64Array;
  readonly #onNonsense: (count: number) => void;
  #nonsense = 0;
  /** The last values that made sense. */
  #request = 0;
  #chunks = 0;

  /** @param onNonsense is called each time, with how often it was */
  constructor(buffer: ArrayBuffer, onNonsense: (count: number) => void) {
    this.#words = new Uint32Array(buffer);
    this.#acknowledged = new BigUint64Array(buffer);
    this.#onNonsense = onNonsense;
  }

  /** The number of a new request, or null. There is one that makes sense: the next. */
  takeRequest(): number | null {
    const next = (this.#request + 1) >>> 0;
    const found = Atomics.load(this.#words, AcknowledgementWord.request);
    if (found !== next) {
      this.#refuseRequest(found);
      return null;
    }
    this.#request = next;
    this.#chunks = 0;
    Atomics.store(this.#acknowledged, ACKNOWLEDGED_AT, acknowledgementOf(next, 0));
    return next;
  }

  /** How many chunks of the current request have been received, of so many that were sent. */
  received(sent: number): number {
    this.#refuseRequest(Atomics.load(this.#words, AcknowledgementWord.request));
    const found = Atomics.load(this.#acknowledged, ACKNOWLEDGED_AT);
    const expected = acknowledgementOf(this.#request, this.#chunks);
    if (found === expected) return this.#chunks;
    const request = Number(found >> 32n);
    const chunks = Number(found & 0xffff_ffffn);
    if (request === this.#request && chunks > this.#chunks && chunks <= sent) this.#chunks = chunks;
    else {
      // Only if it is still there: the application may have written something better meanwhile.
      Atomics.compareExchange(this.#acknowledged, ACKNOWLEDGED_AT, found, expected);
      this.#refuse();
    }
    return this.#chunks;
  }

  /** Whether the current request shall end. Any other number there is none of ours. */
  isCancelled(): boolean {
    return Atomics.load(this.#words, AcknowledgementWord.cancel) === this.#request;
  }

  #refuseRequest(found: number): void {
    if (found === this.#request) return;
    Atomics.compareExchange(this.#words, AcknowledgementWord.request, found, this.#request);
    this.#refuse();
  }

  #refuse(): void {
    this.#nonsense++;
    this.#onNonsense(this.#nonsense);
  }
}
