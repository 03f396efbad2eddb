/**
 * The driver's side of the bulk section: on request, a file goes out chunk by chunk through a ring of
 * 64 MiB. A slot is filled again only when its chunk was acknowledged, so files of any size fit.
 *
 * Reads are asynchronous and go straight into the view: no byte is copied twice, and the system process
 * serves others meanwhile.
 */
import { createHash } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Acknowledgements } from './acknowledgements.ts';
import { CHUNK_BYTES, CHUNK_SLOTS, TransferFailure, TransferState, Word } from './layout.ts';

/** How often requests and acknowledgements are looked at, in milliseconds. */
const REQUEST_INTERVAL = 10;
const ACKNOWLEDGEMENT_INTERVAL = 1;

export interface TransferOptions {
  /** The file to send; null when the driver was given none. */
  readonly file: string | null;
  /** Milliseconds without an acknowledgement after which the application counts as gone. */
  readonly patience: number;
}

/** Why a transfer ended before its time. */
class Ended extends Error {
  readonly failure: TransferFailure;

  constructor(failure: TransferFailure) {
    super('the transfer ended');
    this.failure = failure;
  }
}

export class FileTransfer {
  readonly #words: Int32Array;
  readonly #ring: Uint8Array;
  readonly #acknowledgements: Acknowledgements;
  readonly #options: TransferOptions;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> = Promise.resolve();
  #stopping = false;
  /** When the application last showed that it is there. */
  #heard = 0;

  /**
   * @param words of the telemetry section, where the state is published
   * @param ring the bulk section
   */
  constructor(words: Int32Array, ring: Uint8Array, acknowledgements: Acknowledgements, options: TransferOptions) {
    this.#words = words;
    this.#ring = ring;
    this.#acknowledgements = acknowledgements;
    this.#options = options;
    words[Word.chunkBytes] = CHUNK_BYTES;
    words[Word.chunkSlots] = CHUNK_SLOTS;
  }

  start(): void {
    this.#timer = setTimeout(() => {
      const request = this.#acknowledgements.takeRequest();
      this.#running = request === null ? this.#running : this.#serve(request);
      void this.#running.then(() => {
        if (!this.#stopping) this.start();
      });
    }, REQUEST_INTERVAL);
  }

  /** Resolves when no read is under way any more: only then may the views be unmapped. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer as NodeJS.Timeout);
    await this.#running;
  }

  async #serve(request: number): Promise<void> {
    this.#publish(Word.produced, 0);
    this.#publish(Word.acknowledged, 0);
    this.#publish(Word.transferFailure, TransferFailure.none);
    this.#publish(Word.transferState, TransferState.preparing);
    this.#publish(Word.request, request);
    this.#heard = performance.now();
    let file: FileHandle | null = null;
    try {
      file = await this.#open();
      await this.#stream(file);
      this.#publish(Word.transferState, TransferState.complete);
    } catch (error) {
      this.#publish(Word.transferFailure, error instanceof Ended ? error.failure : TransferFailure.unreadable);
      this.#publish(Word.transferState, TransferState.failed);
    } finally {
      await file?.close().catch(() => {});
    }
  }

  async #open(): Promise<FileHandle> {
    const { file } = this.#options;
    if (file === null) throw new Ended(TransferFailure.noFile);
    // Not blocking: a pipe without a writer would hold a thread for good.
    return open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  }

  async #stream(file: FileHandle): Promise<void> {
    const before = await file.stat({ bigint: true });
    if (!before.isFile()) throw new Ended(TransferFailure.unreadable);
    const size = Number(before.size);
    const chunks = Math.ceil(size / CHUNK_BYTES);
    this.#words[Word.fileBytesLow] = Number(BigInt.asIntN(32, before.size));
    this.#words[Word.fileBytesHigh] = Number(BigInt.asIntN(32, before.size >> 32n));
    this.#publish(Word.transferState, TransferState.streaming);

    const hash = createHash('sha256');
    for (let chunk = 0; chunk < chunks; chunk++) {
      await this.#until(chunk, (received) => chunk - received < CHUNK_SLOTS);
      const start = (chunk % CHUNK_SLOTS) * CHUNK_BYTES;
      const slot = this.#ring.subarray(start, start + Math.min(CHUNK_BYTES, size - chunk * CHUNK_BYTES));
      await fill(slot, file, chunk * CHUNK_BYTES);
      hash.update(slot);
      this.#publish(Word.produced, chunk + 1);
    }
    requireSame(before, await file.stat({ bigint: true }));
    this.#words.set(new Int32Array(new Uint8Array(hash.digest()).buffer), Word.digest);
    this.#publish(Word.transferState, TransferState.sent);
    await this.#until(chunks, (received) => received === chunks);
  }

  /** Waits for acknowledgements. Throws when they stay out, and when the transfer shall end. */
  async #until(sent: number, isEnough: (received: number) => boolean): Promise<void> {
    for (let before = Atomics.load(this.#words, Word.acknowledged); ; ) {
      if (this.#stopping) throw new Ended(TransferFailure.unloaded);
      if (this.#acknowledgements.isCancelled()) throw new Ended(TransferFailure.cancelled);
      const received = this.#acknowledgements.received(sent);
      if (received !== before) {
        this.#heard = performance.now();
        before = received;
        // Told before a slot is filled again: so the application can see whether one was under its hands.
        this.#publish(Word.acknowledged, received);
      }
      if (isEnough(received)) return;
      if (performance.now() - this.#heard > this.#options.patience) throw new Ended(TransferFailure.timedOut);
      await new Promise((resolve) => setTimeout(resolve, ACKNOWLEDGEMENT_INTERVAL));
    }
  }

  #publish(word: number, value: number): void {
    Atomics.store(this.#words, word, value);
  }
}

/** Reads until the slot is full. A file that ends before has been cut short. */
async function fill(slot: Uint8Array, file: FileHandle, position: number): Promise<void> {
  for (let done = 0; done < slot.length; ) {
    const { bytesRead } = await file.read(slot, done, slot.length - done, position + done);
    if (bytesRead === 0) throw new Ended(TransferFailure.fileChanged);
    done += bytesRead;
  }
}

function requireSame(before: BigIntStats, after: BigIntStats): void {
  if (after.size !== before.size || after.mtimeNs !== before.mtimeNs) throw new Ended(TransferFailure.fileChanged);
}
