/**
 * A part of the soak run and one turn of it: posts that workers fill one after another, each until it is killed at a random
 * moment or has done enough, and what is watched meanwhile. What a post's work is, the part knows.
 */
import type { Crew, Worker } from './crew.js';
import { doings, Ledger, LifeWord, MOST_LIVES, Phase, PostWord } from './ledger.js';
import { mix, type Random, randoms } from './pattern.js';
import { processState, Resources, sleeps } from './proc.js';

/** How a worker's life ended. */
export type Fate = 'killed' | 'done';

export interface PostPlan {
  readonly title: string;
  readonly role: string;
  /** Milliseconds that its workers live on average until they are killed; Infinity: none is. */
  readonly life: number;
  /** The first half of the turn only: then its worker stays, and must not grow. */
  readonly halfOnly?: boolean;
  /** Its workers stop when the turn gets there. */
  readonly until: number;
  /** Operations after which a worker ends by itself, of those that do. */
  readonly quota: number;
  /** The next worker may come before the system has quite buried the one before. */
  readonly overlaps?: boolean;
  readonly more?: Readonly<Record<string, number>>;
}

/** What a part counts, for the table. */
export interface Counts {
  /** Operations that were done and checked. */
  readonly done: number;
  /** What was lost in the hands of killed processes. */
  readonly lost: number;
  /** What slow readers were told that they have lost. */
  readonly told: number;
}

export const noCounts: Counts = { done: 0, lost: 0, told: 0 };

export interface Part {
  readonly posts: readonly PostPlan[];
  /** Just before a worker begins. */
  begins?(post: number, life: number): void;
  /** After a worker has ended, when nothing of it goes on. */
  ended?(post: number, life: number, fate: Fate): void | Promise<void>;
  /** Something that goes on while the turn runs. */
  meanwhile?(): Promise<void>;
  /** Those that stop first have stopped; brings the others to the end. */
  windDown(): Promise<void>;
  /** All have ended: the account. Throws if it is wrong. */
  settle(): void | Promise<void>;
  counts(): Counts;
  /** Whether there is something at this moment that a post's worker must not sleep over. */
  isDue?(post: number): boolean;
  /** Where its objects stand, for a report. */
  positions(): string[];
  close(): void;
}

export type OpenPart = (turn: Turn) => Part;

/** Milliseconds between two looks at progress. */
const LOOK = 500;

/** Looks in a row at which nobody may be found asleep over something to do. */
const MOST_ASLEEP = 6;

/** Looks in a row that must find a worker grown: files that are open for a moment are no leak. */
const MOST_GROWN = 3;

/** The share of a turn after which nobody is killed: an end wakes others, who could have slept for ever. */
const CALM = 0.75;

export interface TurnOptions {
  readonly part: string;
  readonly open: OpenPart;
  readonly name: string;
  readonly seed: number;
  readonly seconds: number;
  /** Seconds without progress after which somebody hangs. */
  readonly patience: number;
  readonly crew: Crew;
}

class Post {
  readonly plan: PostPlan;
  readonly index: number;
  worker: Worker | null = null;
  life = 0;
  /** Of the worker that stays, after it has warmed up. */
  resources: Resources | null = null;
  seen = -1;
  quiet = 0;
  /** Looks in a row that found it asleep over something to do. */
  asleep = 0;
  /** And those that found that it has more than it had. */
  grown = 0;

  constructor(plan: PostPlan, index: number) {
    this.plan = plan;
    this.index = index;
  }
}

export class Turn {
  readonly options: TurnOptions;
  readonly ledger: Ledger;
  readonly random: Random;
  readonly #part: Part;
  readonly #posts: Post[];
  readonly #fail: (error: Error) => void;
  /** Rejects at the first failure of anybody. */
  readonly #failed: Promise<never>;
  readonly #started = performance.now();
  #lives = 0;
  /** Milliseconds that a worker is waited for, of late. */
  #wait = 0;
  #isOver = false;
  #counts: Counts | null = null;
  kills = 0;
  /** While it is set, nobody is killed. */
  mercy = false;

  constructor(options: TurnOptions) {
    this.options = options;
    let fail: (error: Error) => void = () => {};
    this.#failed = new Promise<never>((_, reject) => {
      fail = reject;
    });
    this.#failed.catch(() => {});
    this.#fail = fail;
    this.random = randoms(options.seed);
    this.ledger = Ledger.create(`${options.name}-ledger`);
    this.#part = options.open(this);
    this.#posts = this.#part.posts.map((plan, index) => new Post(plan, index));
  }

  get name(): string {
    return this.options.name;
  }

  /** The share of its time that has passed. */
  get passed(): number {
    return (performance.now() - this.#started) / (1000 * this.options.seconds);
  }

  get lives(): number {
    return this.#lives;
  }

  /** Whether a worker is at a post that was not killed. */
  isManned(post: number): boolean {
    const worker = this.#posts[post]?.worker ?? null;
    return worker !== null && !worker.isKilled;
  }

  nextLife(): number {
    if (++this.#lives >= MOST_LIVES) throw new Error(`${MOST_LIVES} lives are the most: take shorter turns`);
    return this.#lives;
  }

  /** What it has counted so far, or in all. */
  counts(): Counts {
    return this.#counts ?? this.#part.counts();
  }

  /** Ends the turn with a failure, now. */
  fail(error: Error): void {
    this.#fail(error);
  }

  /** Waits for something of the part's, unless somebody fails before. */
  orFails<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#failed]);
  }

  async run(): Promise<void> {
    const watchdog = setInterval(() => this.#look(), LOOK);
    try {
      const done = this.#posts.map((post) => this.#fill(post));
      const meanwhile = this.#part.meanwhile?.();
      for (const each of [...done, meanwhile]) each?.catch((error: Error) => this.fail(error));
      const left = 1000 * this.options.seconds * (1 - this.passed);
      await this.orFails(new Promise((resolve) => setTimeout(resolve, left)));
      this.ledger.phase = Phase.windDown;
      await this.orFails(Promise.all([meanwhile, ...done.filter((_, index) => this.#untilOf(index) === Phase.windDown)]));
      await this.orFails(this.#part.windDown());
      this.ledger.phase = Phase.end;
      await this.orFails(Promise.all(done));
      await this.#part.settle();
    } finally {
      this.#isOver = true;
      clearInterval(watchdog);
      for (const { worker } of this.#posts) worker?.kill();
      this.#counts = this.#part.counts();
      this.#part.close();
      this.ledger.close();
    }
  }

  #untilOf(index: number): number {
    return this.#posts[index]?.plan.until ?? Phase.end;
  }

  /** One worker after another. */
  async #fill(post: Post): Promise<void> {
    const { plan, index } = post;
    while (!this.#isOver && this.ledger.phase < plan.until) {
      const asked = performance.now();
      const worker = await this.options.crew.take();
      this.#wait += (performance.now() - asked - this.#wait) / 4;
      if (this.#isOver || this.ledger.phase >= plan.until) {
        this.options.crew.giveBack(worker);
        return;
      }
      const life = this.nextLife();
      this.ledger.setLife(life, LifeWord.windows, this.ledger.windows);
      this.ledger.setPost(index, PostWord.life, life);
      this.ledger.setPost(index, PostWord.doing, 0);
      this.#part.begins?.(index, life);
      Object.assign(post, { worker, life, resources: null, grown: 0 });
      const isDoomed = plan.life !== Number.POSITIVE_INFINITY && !(plan.halfOnly === true && this.passed > 0.45);
      const quota = isDoomed && this.random(4) === 0 ? 1 + this.random(plan.quota) : 2 ** 31 - 1;
      worker.tell({
        part: this.options.part,
        role: plan.role,
        name: this.name,
        post: index,
        life,
        seed: mix(this.options.seed, life),
        quota,
        more: plan.more ?? {},
      });
      await this.#live(post, worker, isDoomed);
    }
  }

  async #live(post: Post, worker: Worker, isDoomed: boolean): Promise<void> {
    const { plan, life, index } = post;
    if (isDoomed) await Promise.race([this.#killLater(worker, plan.life), worker.ended]);
    else await this.#staying(post, worker);
    const settled = this.#settled(worker, post, life, index);
    // The one that comes next finds a role whose holder may not be gone yet.
    if (plan.overlaps === true && worker.isKilled && this.random(2) === 0 && this.ledger.phase === Phase.run) {
      settled.catch((error: Error) => this.fail(error));
    } else {
      await settled;
    }
  }

  async #settled(worker: Worker, post: Post, life: number, index: number): Promise<void> {
    const { code, signal, stderr } = await worker.ended;
    if (post.worker === worker) post.worker = null;
    if (this.#isOver) return;
    const isKilled = worker.isKilled && signal === 'SIGKILL';
    if (!isKilled && code !== 0) {
      const { title } = post.plan;
      throw new Error(`${title} (life ${life}) ended with ${code === null ? signal : `exit code ${code}`}:\n${stderr.trim()}`);
    }
    await this.#part.ended?.(index, life, isKilled ? 'killed' : 'done');
  }

  /** At a random moment: mostly in its work, sometimes before. */
  async #killLater(worker: Worker, mean: number): Promise<void> {
    const isEarly = this.random(10) === 0;
    // Where workers are slow to come they live for longer, or nobody would ever meet.
    const wait = isEarly ? this.random(30) : -Math.log(1 - this.random(1e6) / 1e6) * (mean + this.#wait);
    await new Promise((resolve) => setTimeout(resolve, wait));
    while (this.mercy) await new Promise((resolve) => setTimeout(resolve, 5));
    // Timers end on whole milliseconds, at which the others' ends come too.
    for (const until = performance.now() + this.random(1000) / 2000; performance.now() < until; );
    if (this.passed > CALM || this.#isOver) return;
    worker.kill();
    this.kills++;
  }

  /** A worker that is not killed: what it has must stay what it is. */
  async #staying(post: Post, worker: Worker): Promise<void> {
    const end = worker.ended.then(() => true);
    const warm = Math.min(5000, 250 * this.options.seconds);
    if (await Promise.race([end, new Promise((resolve) => setTimeout(resolve, warm, false))])) return;
    post.resources = Resources.of(worker.pid);
  }

  /** Of workers that stay: as their turn's time is over, before they stop. */
  #judgeResources(post: Post): void {
    if (post.resources === null || post.worker === null) return;
    const grown = post.resources.grownTo(Resources.of(post.worker.pid));
    post.grown = grown === null ? 0 : post.grown + 1;
    if (post.grown >= MOST_GROWN) this.fail(new Error(`${post.plan.title} (life ${post.life}) leaks: ${grown}`));
  }

  /** The watchdog. */
  #look(): void {
    const isLate = this.passed > 0.9;
    for (const post of this.#posts) {
      if (isLate && this.ledger.phase === Phase.run) this.#judgeResources(post);
      const progress = this.ledger.post(post.index, PostWord.progress) ^ (post.life << 16);
      if (post.worker === null || progress !== post.seen) {
        post.seen = progress;
        post.quiet = 0;
        post.asleep = 0;
        continue;
      }
      const isAsleep = this.#part.isDue?.(post.index) === true && sleeps(post.worker.pid);
      post.asleep = isAsleep ? post.asleep + 1 : 0;
      if (post.asleep > MOST_ASLEEP) {
        this.fail(new Error(`${post.plan.title} sleeps, and there is something to do:\n${this.report().join('\n')}`));
      }
      // Counted in looks, so that a machine that stands still hangs nobody.
      if (++post.quiet * LOOK > 1000 * this.options.patience) {
        const what = `${post.plan.title} has not got on for ${this.options.patience} s`;
        this.fail(new Error(`${what}:\n${this.report().join('\n')}`));
      }
    }
  }

  /** Who waits for what. */
  report(): string[] {
    const posts = this.#posts.map(({ plan, worker, life, index, quiet }) => {
      const doing = doings[this.ledger.post(index, PostWord.doing)] ?? 'lost';
      const state = worker === null ? 'no process' : processState(worker.pid);
      return `${plan.title}: life ${life}, ${doing}, quiet for ${(quiet * LOOK) / 1000} s; ${state}`;
    });
    return [...posts, `phase ${this.ledger.phase}, ${this.kills} kills`, ...this.#part.positions()];
  }
}
