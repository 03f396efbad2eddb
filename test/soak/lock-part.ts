/**
 * The locks' part of the soak run, from the parent's side: owners are killed with the mutex, holders with their tokens; the
 * parent gives tokens back for the dead, and now and then lets all stop and counts.
 */
import { doings, Phase, PostWord } from './ledger.js';
import { Guarded, LockPlace, TOKENS } from './lock-place.js';
import type { Counts, Fate, Part, PostPlan, Turn } from './part.js';

const PARKED = doings.indexOf('parked');

/** Milliseconds between two counts. */
const APART = 1500;

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

class LockPart implements Part {
  readonly posts: readonly PostPlan[];
  readonly #turn: Turn;
  readonly #place: LockPlace;
  /** Killed when nobody can tell whether they had a token. */
  #doubtful = 0;
  #lostTokens = 0;

  constructor(turn: Turn) {
    this.#turn = turn;
    const isPlaced = turn.random(2) === 0;
    this.#place = LockPlace.create(turn.name, isPlaced);
    const worker = { role: 'work', until: Phase.windDown, quota: 3000, more: { placed: isPlaced ? 1 : 0 } } as const;
    const never = Number.POSITIVE_INFINITY;
    this.posts = [
      { ...worker, title: 'worker 1', life: 150 },
      { ...worker, title: 'worker 2', life: 150 },
      { ...worker, title: 'worker 3', life: 400 },
      { ...worker, title: 'worker 4', life: never },
      { ...worker, title: 'listener 1', role: 'listen', life: 300 },
      { ...worker, title: 'listener 2', role: 'listen', life: never },
    ];
  }

  /** A token that a killed process had is the next one's. */
  ended(_post: number, life: number, fate: Fate): void {
    for (let at = Guarded.holders; at < Guarded.holders + TOKENS; at++) {
      if (this.#place.get(at) !== life) continue;
      if (fate === 'done') throw new Error(`life ${life} has ended with a token`);
      this.#place.set(at, 0);
      this.#place.semaphore.release();
      return;
    }
    if (fate === 'killed') this.#doubtful++;
  }

  async meanwhile(): Promise<void> {
    const { ledger } = this.#turn;
    while (ledger.phase === Phase.run) {
      await pause(APART);
      if (ledger.phase === Phase.run && this.#doubtful > 0) await this.#census();
    }
  }

  /** All stop, and are counted: exactly the tokens are missing that may have died with somebody. */
  async #census(): Promise<void> {
    const turn = this.#turn;
    const { ledger } = turn;
    turn.mercy = true;
    this.#place.resume.reset();
    ledger.census = 1;
    const isStill = (_: PostPlan, index: number): boolean =>
      turn.isManned(index) && ledger.post(index, PostWord.doing) === PARKED;
    for (const end = performance.now() + 1000 * turn.options.patience; !this.posts.every(isStill); await pause(5)) {
      if (ledger.phase !== Phase.run) break;
      if (performance.now() > end) throw new Error(`not all stopped for a count:\n${turn.report().join('\n')}`);
    }
    if (ledger.phase === Phase.run) this.#count();
    ledger.census = 0;
    this.#place.resume.set();
    turn.mercy = false;
  }

  #count(): void {
    const { mutex, semaphore } = this.#place;
    const ownership = mutex.tryWait();
    if (ownership === false) throw new Error(`nobody works, and process ${mutex.ownerPid} owns the mutex`);
    const wrong = this.#place.judge(ownership);
    if (wrong !== null) throw new Error(wrong);
    mutex.release();
    const missing = TOKENS - semaphore.count;
    if (missing < 0 || missing > this.#doubtful) {
      throw new Error(`${missing} of ${TOKENS} tokens are missing, ${this.#doubtful} were killed with one perhaps`);
    }
    if (missing > 0) semaphore.release(missing);
    this.#lostTokens += missing;
    this.#doubtful = 0;
  }

  async windDown(): Promise<void> {}

  settle(): void {
    this.#count();
    const counted = this.posts.reduce((sum, _, index) => sum + (this.#turn.ledger.post(index, PostWord.count) >>> 0), 0);
    const begun = this.#place.get(Guarded.begun);
    if (begun < counted || begun > counted + this.#turn.kills) {
      throw new Error(`${begun} were in the mutex, ${counted} know that they were, ${this.#turn.kills} were killed`);
    }
  }

  counts(): Counts {
    const { ledger } = this.#turn;
    let done = 0;
    for (const index of this.posts.keys()) done += ledger.post(index, PostWord.count) + ledger.post(index, PostWord.first);
    return { done, lost: this.#lostTokens, told: this.#place.get(Guarded.abandoned) };
  }

  positions(): string[] {
    const place = this.#place;
    const words = Object.entries(Guarded).map(([name, at]) => `${name} ${place.get(at)}`);
    return [
      `mutex of process ${place.mutex.ownerPid}, ${place.semaphore.count} of ${TOKENS} tokens free`,
      `baton ${place.baton.signalled}, resume ${place.resume.signalled}`,
      words.join(', '),
    ];
  }

  close(): void {
    this.#place.close();
  }
}

export const openLocks = (turn: Turn): Part => new LockPart(turn);
