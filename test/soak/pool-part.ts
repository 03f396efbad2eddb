/**
 * The pool's part of the soak run, from the parent's side: producer and consumers are killed, and at the end every block is
 * free again.
 */
import { Section } from 'sectile';
import { Pool, type PoolProducer } from 'sectile/channel';
import { LifeWord, Phase, PostWord } from './ledger.js';
import type { Counts, Part, PostPlan, Turn } from './part.js';
import { BLOCK_BYTES, fillFrame } from './pool-roles.js';

const BLOCKS = 5;
/** One more than there are: a killed one's row is free only when it has gone. */
const CONSUMERS = 4;

class PoolPart implements Part {
  readonly posts: readonly PostPlan[];
  readonly #turn: Turn;
  readonly #name: string;
  readonly #holder: Section;
  #last: PoolProducer | null = null;
  #wakes: NodeJS.Timeout | undefined;

  constructor(turn: Turn) {
    this.#turn = turn;
    this.#name = `${turn.name}-pool`;
    const producer = Pool.create({ name: this.#name, blockSize: BLOCK_BYTES, blocks: BLOCKS, consumers: CONSUMERS });
    this.#holder = Section.open(this.#name, { access: 'readwrite' });
    producer.close();
    const consumer = { role: 'consume', until: Phase.end, quota: 300 } as const;
    this.posts = [
      { title: 'producer', role: 'produce', until: Phase.windDown, quota: 300, life: 700, overlaps: true },
      { ...consumer, title: 'consumer 1', life: 600 },
      { ...consumer, title: 'consumer 2', life: 1200 },
      { ...consumer, title: 'consumer 3', life: Number.POSITIVE_INFINITY },
    ];
  }

  /** The last producer hands over frames until all have stopped, so that nobody waits for one. */
  async windDown(): Promise<void> {
    const { ledger } = this.#turn;
    const life = this.#turn.nextLife();
    const producer = Pool.openProducer(this.#name);
    this.#last = producer;
    if (producer.number < ledger.current) throw new Error(`${producer.number} frames, ${ledger.current} were handed over`);
    this.#wakes = setInterval(() => {
      const block = producer.tryAcquire();
      if (block === null) return;
      const number = producer.number + 1;
      ledger.setLife(life, LifeWord.begun, number);
      block.publish(fillFrame(block.bytes, life, number));
    }, 20);
  }

  async settle(): Promise<void> {
    clearInterval(this.#wakes);
    const producer = this.#last as PoolProducer;
    await producer.drained({ timeout: 1000 * this.#turn.options.patience });
    const blocks = Array.from({ length: BLOCKS }, () => producer.tryAcquire());
    if (blocks.includes(null)) throw new Error(`${producer.free} of ${BLOCKS} blocks are free when all consumers have gone`);
    for (const block of blocks) block?.discard();
  }

  counts(): Counts {
    const { ledger } = this.#turn;
    let [done, told] = [0, 0];
    for (const index of this.posts.keys()) {
      done += ledger.post(index, PostWord.count) >>> 0;
      told += ledger.post(index, PostWord.told) >>> 0;
    }
    return { done, lost: 0, told };
  }

  positions(): string[] {
    const free = this.#last === null ? '' : `, ${this.#last.free} of ${BLOCKS} blocks free`;
    return [`${this.#turn.ledger.current} frames handed over for certain${free}`];
  }

  close(): void {
    clearInterval(this.#wakes);
    this.#last?.close();
    this.#holder.close();
  }
}

export const openPool = (turn: Turn): Part => new PoolPart(turn);
