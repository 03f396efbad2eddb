/**
 * The parts of the soak run with one writer and several readers, from the parent's side: Broadcast and Latest. Each reader judges
 * what it reads; here the writers are followed by a last one, whose message ends the turn.
 */
import { Broadcast, Latest } from 'sectile/channel';
import { LifeWord, Phase, PostWord } from './ledger.js';
import type { Counts, Part, PostPlan, Turn } from './part.js';
import { fill, lengthOf } from './pattern.js';

const never = Number.POSITIVE_INFINITY;

/** What the last writer needs of a channel. */
interface Channel {
  /** Keeps the memory while there is no writer. */
  readonly holder: { close(): void };
  readonly longest: number;
  /** Becomes the writer, writes what `make` gives for the next number, and closes. */
  last(make: (number: number) => Uint8Array): void;
}

class OneWriterPart implements Part {
  readonly posts: readonly PostPlan[];
  readonly #turn: Turn;
  readonly #channel: Channel;

  constructor(turn: Turn, channel: Channel) {
    this.#turn = turn;
    this.#channel = channel;
    const reader = { role: 'read', until: Phase.end, quota: 20_000 } as const;
    this.posts = [
      { title: 'writer', role: 'write', until: Phase.windDown, quota: 20_000, life: 500, overlaps: true },
      { ...reader, title: 'reader 1', life: 700 },
      { ...reader, title: 'reader 2', life: never },
      { ...reader, title: 'slow reader', life: never, more: { slow: 60 } },
    ];
  }

  async windDown(): Promise<void> {
    const { ledger } = this.#turn;
    const life = this.#turn.nextLife();
    const sizes = { maximum: this.#channel.longest, shorts: false };
    this.#channel.last((number) => {
      if (number <= ledger.current) throw new Error(`the last number is ${number}, ${ledger.current} were written for certain`);
      ledger.setLife(life, LifeWord.begun, number);
      ledger.lastLife = life;
      return fill(new Uint8Array(lengthOf(0, number, sizes)), life, number);
    });
  }

  settle(): void {}

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
    return [`${this.#turn.ledger.current} written for certain`];
  }

  close(): void {
    this.#channel.holder.close();
  }
}

export function openBroadcast(turn: Turn): Part {
  const name = `${turn.name}-log`;
  const writer = Broadcast.create({ name, capacity: 4096 * 2 ** turn.random(6) });
  const holder = Broadcast.open(name);
  const { longest } = writer;
  writer.close();
  const last = (make: (number: number) => Uint8Array): void => {
    using end = Broadcast.openWriter(name);
    end.write(make(end.written + 1));
  };
  return new OneWriterPart(turn, { holder, longest, last });
}

export function openLatest(turn: Turn): Part {
  const name = `${turn.name}-value`;
  const writer = Latest.create({ name, size: 1024 * 2 ** turn.random(7), slots: 2 ** (2 + turn.random(2)) });
  const holder = Latest.open(name);
  const longest = writer.capacity;
  writer.close();
  const last = (make: (number: number) => Uint8Array): void => {
    using end = Latest.openWriter(name);
    end.write(make(end.version + 1));
  };
  return new OneWriterPart(turn, { holder, longest, last });
}
