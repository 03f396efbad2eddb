/**
 * What is checked of every message that leaves a ring, and noted so that the next consumer goes on with it when this one is
 * killed: none twice, none torn, none out of order; and none lost but what a consumer had in its hands when it was killed.
 */
import { MessageBatch } from 'sectile/channel';
import type { Duty } from './duty.js';
import { LifeWord, PostWord } from './ledger.js';
import { firstWrong, identityOf, lengthOf, type Sizes } from './pattern.js';

export class Inbox {
  readonly #duty: Duty;
  readonly #sizes: Sizes;
  /** What all consumers before can have lost. */
  readonly #windows: number;
  /** By life, the number of the message that comes next. */
  readonly #next = new Map<number, number>();
  /** What of the first messages of this consumer is too short to say whose it is. */
  #unknown: Uint8Array<ArrayBuffer>[] = [];
  #isKnown: boolean;
  #current: number;
  #calling = 0;
  readonly memory: Uint8Array<ArrayBuffer>;
  readonly batch: MessageBatch;
  received = 0;
  isOver = false;

  constructor(duty: Duty, sizes: Sizes, many: number) {
    this.#duty = duty;
    this.#sizes = sizes;
    this.#windows = duty.ledger.windows;
    this.#current = duty.ledger.current;
    this.#isKnown = !sizes.shorts;
    this.memory = new Uint8Array(new ArrayBuffer(Math.ceil(sizes.maximum / 8) * 8));
    this.batch = new MessageBatch(2 * sizes.maximum, many);
  }

  /** A call begins that can take so many messages out of the ring. */
  calls(most: number): void {
    // What is not known yet is in its hands as well.
    this.#calling = most + this.#unknown.length;
    this.#duty.set(PostWord.calling, this.#calling);
  }

  /** All that it took is noted. */
  called(): void {
    this.#duty.set(PostWord.calling, this.#unknown.length);
    if (this.received > 0) return;
    this.#duty.progress();
  }

  take(message: Uint8Array<ArrayBuffer>): void {
    const identity = identityOf(message);
    if (this.#sizes.shorts) this.#takeOfOne(message, identity);
    else if (identity !== null) this.#accept(message, identity.sender, identity.number);
    else this.#duty.fail(`a message of ${message.length} bytes came, and none so short was sent`);
  }

  /** One producer at a time: a message that is too short to say whose it is follows from the one before. */
  #takeOfOne(message: Uint8Array<ArrayBuffer>, identity: ReturnType<typeof identityOf>): void {
    if (identity === null) {
      if (this.#isKnown) this.#accept(message, this.#current, this.#next.get(this.#current) ?? 0);
      else this.#unknown.push(message.slice());
      return;
    }
    const { sender, number } = identity;
    if (!this.#isKnown) {
      const unknown = this.#unknown;
      this.#unknown = [];
      this.#isKnown = true;
      if (number >= unknown.length) this.#acceptAll(unknown, sender, number - unknown.length);
      else if (unknown.length > 0) this.#acceptEnd(unknown, sender);
    }
    this.#accept(message, sender, number);
  }

  /** Short messages right before another life's first one: the last of a life before, whichever fits. */
  #acceptEnd(unknown: readonly Uint8Array<ArrayBuffer>[], before: number): void {
    const { ledger } = this.#duty;
    for (let life = before - 1; life >= Math.max(this.#current, 1); life--) {
      for (let end = ledger.life(life, LifeWord.begun); end >= ledger.life(life, LifeWord.noted); end--) {
        const first = end - unknown.length;
        if (first < ledger.life(life, LifeWord.next)) continue;
        if (unknown.every((each, index) => this.#fits(each, life, first + index))) {
          this.#acceptAll(unknown, life, first);
          return;
        }
      }
    }
    this.#duty.fail(`${unknown.length} short messages before life ${before} are no life's last ones`);
  }

  #acceptAll(messages: readonly Uint8Array<ArrayBuffer>[], life: number, first: number): void {
    for (const [index, message] of messages.entries()) this.#accept(message, life, first + index);
  }

  #fits(message: Uint8Array<ArrayBuffer>, life: number, number: number): boolean {
    return message.length === lengthOf(life, number, this.#sizes) && firstWrong(message, life, number) < 0;
  }

  #accept(message: Uint8Array<ArrayBuffer>, life: number, number: number): void {
    const { ledger } = this.#duty;
    let next = this.#next.get(life);
    if (next === undefined) {
      next = this.#meet(life, number);
    } else if (number !== next) {
      this.#duty.fail(`message ${number} of life ${life} came in place of ${next}, and no consumer was killed between them`);
    }
    const length = lengthOf(life, number, this.#sizes);
    if (message.length !== length) {
      this.#duty.fail(`message ${number} of life ${life} has ${message.length} bytes, it was sent with ${length}`);
    }
    const wrong = firstWrong(message, life, number);
    if (wrong >= 0) this.#duty.fail(`byte ${wrong} of ${length} of message ${number} of life ${life} is wrong`);
    if (number >= ledger.life(life, LifeWord.begun)) {
      this.#duty.fail(`message ${number} of life ${life} came, which has not begun to send it`);
    }
    this.#next.set(life, number + 1);
    this.received++;
    ledger.setLife(life, LifeWord.next, number + 1);
    this.#duty.count();
    this.#duty.progress();
    if (life === ledger.lastLife) this.isOver = true;
  }

  /** The first message of a life that this consumer gets: before it some may have been lost. */
  #meet(life: number, number: number): number {
    const { ledger } = this.#duty;
    if (this.#sizes.shorts) this.#follows(life);
    const next = ledger.life(life, LifeWord.next);
    const lost = number - next;
    const most = this.#windows - ledger.life(life, LifeWord.windows);
    if (lost < 0) this.#duty.fail(`message ${number} of life ${life} came once more: ${next} was next`);
    if (lost > most) {
      this.#duty.fail(
        `of life ${life} the messages ${next} to ${number - 1} are lost; consumers that were killed had ${most} at most`,
      );
    }
    if (lost > 0) ledger.setNextAndLost(life, number, ledger.life(life, LifeWord.lost) + lost);
    ledger.setLife(life, LifeWord.windows, this.#windows);
    return number;
  }

  /** One life after another; and of those that have gone all has come, but for what consumers lost. */
  #follows(life: number): void {
    const { ledger } = this.#duty;
    if (life < this.#current) this.#duty.fail(`life ${life} sends again, after life ${this.#current}`);
    for (let before = Math.max(this.#current, 1); before < life; before++) {
      const missing = ledger.life(before, LifeWord.noted) - ledger.life(before, LifeWord.next);
      const most = this.#windows - ledger.life(before, LifeWord.windows);
      if (missing > most) {
        this.#duty.fail(
          `the last ${missing} messages of life ${before} are lost; consumers that were killed had ${most} at most`,
        );
      }
    }
    this.#current = life;
    ledger.current = life;
  }
}
