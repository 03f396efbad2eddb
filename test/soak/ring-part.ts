/**
 * The ring's two parts of the soak run, from the parent's side: who is killed, and the account of every message at the end.
 */
import { Ring } from 'sectile/channel';
import { doings, LifeWord, Phase, PostWord } from './ledger.js';
import type { Counts, Fate, Part, PostPlan, Turn } from './part.js';
import { fill, lengthOf } from './pattern.js';

const KiB = 1024;

const producer = { role: 'produce', until: Phase.windDown, quota: 20_000 } as const;
const consumer = { title: 'consumer', role: 'consume', until: Phase.end, quota: 20_000 } as const;

class RingPart implements Part {
  readonly posts: readonly PostPlan[];
  readonly #turn: Turn;
  readonly #ring: Ring;
  readonly #consumer: number;
  #last: { close(): void } | null = null;

  constructor(turn: Turn, producers: 'one' | 'many', posts: readonly PostPlan[]) {
    this.#turn = turn;
    this.posts = posts;
    this.#consumer = posts.indexOf(posts.find(({ role }) => role === 'consume') as PostPlan);
    const capacity = KiB * 2 ** turn.random(9);
    this.#ring = Ring.create({ name: `${turn.name}-ring`, capacity, producers });
  }

  /** What a consumer had in its hands when it was killed. */
  ended(post: number, _life: number, fate: Fate): void {
    const { ledger } = this.#turn;
    if (post !== this.#consumer) return;
    if (fate === 'killed') ledger.windows += ledger.post(post, PostWord.calling);
    ledger.setPost(post, PostWord.calling, 0);
  }

  /** The last message of the turn, which tells the consumer that there are no more. */
  async windDown(): Promise<void> {
    const { ledger } = this.#turn;
    const life = this.#turn.nextLife();
    const sender = this.#ring.producer({ peerEnd: 'wait' });
    this.#last = sender;
    ledger.setLife(life, LifeWord.windows, ledger.windows);
    ledger.setLife(life, LifeWord.begun, 1);
    ledger.lastLife = life;
    const sizes = { maximum: this.#ring.maximum, shorts: this.#ring.producers === 'one' };
    await sender.send(fill(new Uint8Array(lengthOf(life, 0, sizes)), life, 0));
    ledger.setLife(life, LifeWord.noted, 1);
  }

  settle(): void {
    const { ledger, lives } = this.#turn;
    let lost = 0;
    for (let life = 1; life <= lives; life++) {
      const [begun, noted, next] = [LifeWord.begun, LifeWord.noted, LifeWord.next].map((word) => ledger.life(life, word)) as [
        number,
        number,
        number,
      ];
      if (next > begun) throw new Error(`of life ${life} ${next} messages came, and it had begun to send ${begun}`);
      const missing = Math.max(noted - next, 0);
      const most = ledger.windows - ledger.life(life, LifeWord.windows);
      if (missing > most) {
        throw new Error(`the last ${missing} messages of life ${life} are lost; consumers that were killed had ${most} at most`);
      }
      lost += missing + ledger.life(life, LifeWord.lost);
      ledger.setLife(life, LifeWord.lost, missing + ledger.life(life, LifeWord.lost));
      ledger.setLife(life, LifeWord.next, next + missing);
    }
    if (lost > ledger.windows) {
      throw new Error(`${lost} messages are lost; consumers that were killed had ${ledger.windows} at most`);
    }
    if (this.#ring.used !== 0) throw new Error(`the ring still holds ${this.#ring.used} bytes`);
  }

  counts(): Counts {
    const { ledger, lives } = this.#turn;
    let lost = 0;
    for (let life = 1; life <= lives; life++) lost += ledger.life(life, LifeWord.lost);
    return { done: ledger.post(this.#consumer, PostWord.count) >>> 0, lost, told: 0 };
  }

  /** A consumer with messages, a producer with all the room there is. */
  isDue(post: number): boolean {
    if (post === this.#consumer) return this.#ring.used > 0;
    const doing = doings[this.#turn.ledger.post(post, PostWord.doing)] ?? '';
    return this.#ring.used === 0 && (doing.startsWith('sending') || doing === 'waiting for room');
  }

  positions(): string[] {
    const { ledger } = this.#turn;
    const lives = this.posts.map((_, index) => ledger.post(index, PostWord.life));
    return [
      `ring: ${this.#ring.used} of ${this.#ring.capacity} bytes used, producers: ${this.#ring.producers}`,
      ...lives.map((life) => {
        const [begun, noted, next] = [LifeWord.begun, LifeWord.noted, LifeWord.next].map((word) => ledger.life(life, word));
        return `life ${life}: ${begun} begun, ${noted} sent for certain, ${next} received`;
      }),
    ];
  }

  close(): void {
    this.#last?.close();
    this.#ring.close();
  }
}

/** One producer; in each turn one of the two lives on from the middle. */
export const openRing = (turn: Turn): Part => {
  const stays = turn.random(2);
  return new RingPart(turn, 'one', [
    { ...producer, title: 'producer', life: 250, overlaps: true, halfOnly: stays === 0 },
    { ...consumer, life: 250, halfOnly: stays === 1 },
  ]);
};

/** Three producers; from the middle on the consumer stays, and sees many of them die. */
export const openRingOfMany = (turn: Turn): Part =>
  new RingPart(turn, 'many', [
    { ...producer, title: 'producer 1', life: 200, overlaps: true },
    { ...producer, title: 'producer 2', life: 500, overlaps: true },
    { ...producer, title: 'producer 3', life: Number.POSITIVE_INFINITY },
    { ...consumer, life: 300, halfOnly: true },
  ]);
