/**
 * Writers and readers of Broadcast and Latest in the soak run. Readers write nothing: what they have seen they note in the
 * ledger.
 */
import { SectionError } from 'sectile';
import { Broadcast, Latest } from 'sectile/channel';
import { BLOCKED, type Duty, pause, taken, turn } from './duty.js';
import { LifeWord, PostWord } from './ledger.js';
import { fill, firstWrong, identityOf, lengthOf, oneOf, type Sizes } from './pattern.js';

const codeOf = (error: unknown): string => (error instanceof SectionError ? error.code : '');

/** A writer was killed, or writes faster than this process can read at the moment. */
const isPassing = (error: unknown): boolean => ['ERR_SECTION_PEER_ENDED', 'ERR_SECTION_TIMEOUT'].includes(codeOf(error));

/** The length follows from the number alone, so that whoever lost messages knows how long they were. */
const sizeOf = (number: number, sizes: Sizes): number => lengthOf(0, number, sizes);

/** A writer's turn to let others run: mostly none. */
async function breathe(duty: Duty): Promise<void> {
  const kind = duty.random(20);
  if (kind === 0) await pause(duty.random(4));
  else if (kind < 8) await turn();
}

/** What one writer has shown for certain, the next one finds. */
function goesOn(duty: Duty, number: number): void {
  const { ledger } = duty;
  if (number < ledger.current) duty.fail(`a writer goes on behind ${number}, and ${ledger.current} were written for certain`);
  ledger.current = number;
}

/** Notes what is begun, writes, notes what is written. */
function noting(duty: Duty, number: number, write: () => void): void {
  duty.ledger.setLife(duty.life, LifeWord.begun, number);
  write();
  duty.ledger.current = number;
  duty.progress();
}

/** What every message must be, whoever reads it. Returns its sender and number. */
function judge(duty: Duty, message: Uint8Array<ArrayBuffer>, sizes: Sizes): { sender: number; number: number } {
  const identity = identityOf(message);
  if (identity === null) duty.fail(`${message.length} bytes came, and none so short were written`);
  const { sender, number } = identity;
  const length = sizeOf(number, sizes);
  if (message.length !== length) duty.fail(`number ${number} has ${message.length} bytes, it was written with ${length}`);
  const wrong = firstWrong(message, sender, number);
  if (wrong >= 0) duty.fail(`byte ${wrong} of ${length} of number ${number} of life ${sender} is wrong`);
  if (number > duty.ledger.life(sender, LifeWord.begun)) duty.fail(`number ${number} came, which nobody has begun to write`);
  return identity;
}

/* ------------------------------------------------------------------------------------- Broadcast ---- */

async function broadcast(duty: Duty): Promise<void> {
  const writer = await taken(duty, () => Broadcast.openWriter(`${duty.orders.name}-log`));
  const sizes = { maximum: writer.longest, shorts: false };
  duty.doing('writing');
  goesOn(duty, writer.written);
  const first = writer.written;
  const next = (more = 0) => {
    const number = writer.written + more + 1;
    return fill(new Uint8Array(sizeOf(number, sizes)), duty.life, number);
  };
  const writes = [
    () => noting(duty, writer.written + 1, () => writer.write(next())),
    () => {
      const messages = Array.from({ length: 1 + duty.random(20) }, (_, index) => next(index));
      noting(duty, writer.written + messages.length, () => writer.writeAll(messages));
    },
    () => {
      const number = writer.written + 1;
      noting(duty, number, () => writer.writeInPlace(sizeOf(number, sizes), (bytes) => void fill(bytes, duty.life, number)));
    },
  ];
  while (duty.running && writer.written - first < duty.orders.quota) {
    oneOf(duty.random, writes)();
    await breathe(duty);
  }
  duty.doing('closing');
  writer.close();
}

/** A reader's account: what came and what it was told that it has lost, without a gap. */
class Account {
  readonly #duty: Duty;
  sizes: Sizes = { maximum: 0, shorts: false };
  /** Numbers count from 1 on. */
  next = 0;
  #sender = 0;
  isOver = false;

  constructor(duty: Duty) {
    this.#duty = duty;
  }

  take(message: Uint8Array<ArrayBuffer>): void {
    const duty = this.#duty;
    const { sender, number } = judge(duty, message, this.sizes);
    if (number !== this.next) duty.fail(`message ${number} came in place of ${this.next}, and nothing was said of a loss`);
    if (sender < this.#sender) duty.fail(`life ${sender} writes again, after life ${this.#sender}`);
    this.#sender = sender;
    this.next = number + 1;
    duty.count();
    duty.progress();
    if (sender === duty.ledger.lastLife) this.isOver = true;
  }

  lost({ messages, bytes }: { readonly messages: number; readonly bytes: number }): void {
    let sum = 0;
    for (let number = this.next; number < this.next + messages; number++) sum += sizeOf(number, this.sizes);
    if (sum !== bytes) this.#duty.fail(`${messages} lost messages from ${this.next} on had ${sum} bytes, told were ${bytes}`);
    this.next += messages;
    this.#duty.told(messages);
  }
}

async function listen(duty: Duty): Promise<void> {
  const account = new Account(duty);
  const reader = Broadcast.open(`${duty.orders.name}-log`, {
    from: oneOf(duty.random, ['oldest', 'now'] as const),
    onLost: (lost) => account.lost(lost),
  });
  account.sizes = { maximum: reader.longest, shorts: false };
  account.next = reader.position + 1;
  const first = account.next;
  let received = 0;
  const take = (message: Uint8Array<ArrayBuffer>): void => {
    account.take(message);
    received++;
  };
  const target = new Uint8Array(new ArrayBuffer(Math.ceil(reader.longest / 4) * 4));
  const reads = [
    async () => {
      const length = duty.random(2) === 0 ? await reader.read(target) : reader.tryRead(target);
      if (length !== null) take(target.subarray(0, length));
      return length !== null;
    },
    async () => {
      const message = reader.readSync(undefined, BLOCKED);
      if (message !== null) take(message);
      return message !== null;
    },
    async () => {
      const batch = (duty.random(2) === 0 ? await reader.readBatch() : reader.tryReadBatch()) ?? [];
      // Parts of one buffer, at multiples of 8 bytes.
      for (const message of batch) take(message);
      return batch.length > 0;
    },
  ];
  const slow = duty.orders.more['slow'] ?? 0;
  while (!account.isOver && received < duty.orders.quota) {
    duty.doing('reading');
    let isSome = false;
    try {
      isSome = await oneOf(duty.random, reads)();
    } catch (error) {
      if (!isPassing(error)) throw error;
    }
    if (!isSome) await pause(1);
    else if (slow > 0) await pause(duty.random(slow));
    if (reader.position + 1 !== account.next) duty.fail(`the reader is at ${reader.position}, ${account.next} comes next`);
    if (first + received + reader.lost.messages !== account.next) duty.fail('received and told lost are not what was written');
  }
  duty.doing('closing');
  reader.close();
}

/* ---------------------------------------------------------------------------------------- Latest ---- */

async function write(duty: Duty): Promise<void> {
  const writer = await taken(duty, () => Latest.openWriter(`${duty.orders.name}-value`));
  const sizes = { maximum: writer.capacity, shorts: false };
  duty.doing('writing');
  goesOn(duty, writer.version);
  const first = writer.version;
  while (duty.running && writer.version - first < duty.orders.quota) {
    const number = writer.version + 1;
    const length = sizeOf(number, sizes);
    noting(duty, number, () => {
      if (duty.random(2) === 0) writer.write(fill(new Uint8Array(length), duty.life, number));
      else {
        writer.update((bytes) => {
          fill(bytes.subarray(0, length), duty.life, number);
          return length;
        });
      }
    });
    await breathe(duty);
  }
  duty.doing('closing');
  writer.close();
}

async function watch(duty: Duty): Promise<void> {
  const reader = Latest.open(`${duty.orders.name}-value`);
  const sizes = { maximum: reader.capacity, shorts: false };
  const target = new Uint8Array(new ArrayBuffer(Math.ceil(reader.capacity / 4) * 4));
  const slow = duty.orders.more['slow'] ?? 0;
  let received = 0;
  for (let isOver = false; !isOver && received < duty.orders.quota; ) {
    duty.doing('reading');
    try {
      const way = duty.random(3);
      if (way === 0) await reader.changed();
      else if (way === 1) reader.changedSync(BLOCKED);
      // Whoever had this post before has seen that much, and the writers have written this much.
      const least = Math.max(duty.get(PostWord.first), duty.ledger.current);
      const length = reader.tryRead(target);
      if (length === null) {
        if (least > 0) duty.fail(`there is no value, and ${least} were written`);
        await pause(1);
        continue;
      }
      const { sender, number } = judge(duty, target.subarray(0, length), sizes);
      if (number !== reader.version) duty.fail(`value ${number} is said to be ${reader.version}`);
      if (number < least) duty.fail(`value ${number} is older than ${least}, which was there before`);
      if (number > duty.get(PostWord.first)) {
        received++;
        duty.count();
        duty.progress();
      } else await pause(1);
      duty.set(PostWord.first, number);
      isOver = sender === duty.ledger.lastLife;
    } catch (error) {
      if (!isPassing(error)) throw error;
    }
    if (slow > 0) await pause(duty.random(slow));
  }
  duty.doing('closing');
  reader.close();
}

export const broadcastRoles = { write: broadcast, read: listen };
export const latestRoles = { write, read: watch };
