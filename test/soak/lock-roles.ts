/**
 * Who works with the mutex, the semaphore and the events in the soak run: every way to wait for them.
 */
import { waitAll, waitAllSync, waitAny, waitAnySync } from 'sectile';
import { BLOCKED, type Duty, pause, spin } from './duty.js';
import { PostWord } from './ledger.js';
import { Guarded, LockPlace, TOKENS } from './lock-place.js';
import { oneOf } from './pattern.js';

/** Milliseconds for which a thread is blocked for a token at most: a count may be wanted meanwhile. */
const SHORT = 50;

class Guard {
  readonly duty: Duty;
  readonly place: LockPlace;
  /** Operations that were done. */
  done = 0;

  constructor(duty: Duty) {
    this.duty = duty;
    this.place = LockPlace.open(duty.orders.name, duty.orders.more['placed'] === 1);
  }

  /** Who owns the mutex does something in two halves. */
  async critical(ownership: 'owned' | 'abandoned'): Promise<void> {
    const { duty, place } = this;
    duty.doing('in the mutex');
    const wrong = place.judge(ownership);
    if (wrong !== null) duty.fail(wrong);
    place.set(Guarded.owner, duty.life);
    const begun = place.get(Guarded.begun) + 1;
    place.set(Guarded.begun, begun);
    if (duty.random(6) === 0) await pause(duty.random(6));
    else spin(duty.random(60));
    if (place.get(Guarded.begun) !== begun || place.get(Guarded.owner) !== duty.life) {
      duty.fail(`life ${place.get(Guarded.owner)} was in the mutex as well`);
    }
    place.set(Guarded.done, begun);
    place.set(Guarded.owner, 0);
    place.mutex.release();
    this.done++;
    duty.count();
    duty.progress();
  }

  /** Who has a token says so; there are never more of them than tokens. */
  async token(): Promise<void> {
    const { duty, place } = this;
    duty.doing('holding a token');
    let at = Guarded.holders;
    while (Atomics.compareExchange(place.words, at, 0, duty.life) !== 0) {
      if (++at === Guarded.holders + TOKENS) duty.fail(`more than ${TOKENS} have a token`);
    }
    if (duty.random(2) === 0) spin(duty.random(100));
    else await pause(duty.random(2));
    place.set(at, 0);
    place.semaphore.release();
    this.done++;
    duty.set(PostWord.first, (duty.get(PostWord.first) + 1) | 0);
    duty.progress();
  }

  /** A signal that ends waits when a count is wanted. */
  async untilCensus<T>(wait: (signal: AbortSignal) => Promise<T>): Promise<T | false> {
    const stop = new AbortController();
    const look = setInterval(() => {
      if (this.duty.ledger.census !== 0 || !this.duty.running) stop.abort(stop);
    }, 5);
    try {
      return await wait(stop.signal);
    } catch (error) {
      if (error === stop) return false;
      throw error;
    } finally {
      clearInterval(look);
    }
  }

  /** Stops while the parent counts. */
  async park(): Promise<void> {
    const { duty, place } = this;
    duty.doing('parked');
    if (duty.random(2) === 0) await place.resume.wait();
    else if (!place.resume.waitSync({ timeout: BLOCKED })) duty.fail('nobody said that it goes on');
    duty.progress();
  }
}

type Work = (guard: Guard) => Promise<void>;

const works: readonly Work[] = [
  async (guard) => {
    guard.duty.doing('waiting for the mutex');
    await guard.critical(notFalse(guard, await guard.place.mutex.wait()));
  },
  async (guard) => {
    guard.duty.doing('waiting for the mutex, blocked');
    await guard.critical(notFalse(guard, guard.place.mutex.waitSync({ timeout: BLOCKED })));
  },
  async (guard) => {
    guard.duty.doing('waiting for the mutex');
    const ownership = guard.place.mutex.tryWait() || (await guard.place.mutex.wait({ timeout: guard.duty.random(5) }));
    if (ownership !== false) await guard.critical(ownership);
  },
  async (guard) => {
    // Twice: it is this thread's all the time.
    guard.duty.doing('waiting for the mutex');
    const ownership = notFalse(guard, await guard.place.mutex.wait());
    if (guard.place.mutex.waitSync({ timeout: BLOCKED }) !== 'owned') guard.duty.fail('its owner does not get the mutex again');
    guard.place.mutex.release();
    await guard.critical(ownership);
  },
  async (guard) => {
    guard.duty.doing('waiting for the semaphore');
    if (await guard.untilCensus((signal) => guard.place.semaphore.wait({ signal }))) await guard.token();
  },
  async (guard) => {
    guard.duty.doing('waiting for the semaphore');
    if (await guard.place.semaphore.wait({ timeout: guard.duty.random(SHORT) })) await guard.token();
  },
  async (guard) => {
    guard.duty.doing('waiting for the semaphore, blocked');
    if (guard.place.semaphore.waitSync({ timeout: guard.duty.random(SHORT) })) await guard.token();
  },
  async (guard) => {
    // Both at once or none.
    guard.duty.doing('waiting for several');
    const objects = [guard.place.mutex, guard.place.semaphore];
    const outcome =
      guard.duty.random(2) === 0
        ? await guard.untilCensus((signal) => waitAll(objects, { signal }))
        : waitAllSync(objects, { timeout: guard.duty.random(SHORT) });
    if (!outcome) return;
    await guard.critical(outcome.abandoned ? 'abandoned' : 'owned');
    await guard.token();
  },
  async (guard) => {
    // Whichever comes first.
    guard.duty.doing('waiting for several');
    const objects = [guard.place.semaphore, guard.place.mutex];
    const outcome =
      guard.duty.random(2) === 0
        ? await guard.untilCensus((signal) => waitAny(objects, { signal }))
        : waitAnySync(objects, { timeout: guard.duty.random(SHORT) });
    if (!outcome) return;
    if (outcome.index === 0) await guard.token();
    else await guard.critical(outcome.abandoned ? 'abandoned' : 'owned');
  },
];

function notFalse(guard: Guard, ownership: 'owned' | 'abandoned' | false): 'owned' | 'abandoned' {
  return ownership === false ? guard.duty.fail('a wait for the mutex has taken too long') : ownership;
}

async function work(duty: Duty): Promise<void> {
  const guard = new Guard(duty);
  while (duty.running && guard.done < duty.orders.quota) {
    if (duty.ledger.census !== 0) await guard.park();
    await oneOf(duty.random, works)(guard);
    if (duty.random(3) === 0) guard.place.baton.set();
  }
  duty.doing('closing');
  guard.place.close();
}

/** Waits for a signal that one at a time gets. */
async function listen(duty: Duty): Promise<void> {
  const guard = new Guard(duty);
  const { baton } = guard.place;
  while (duty.running) {
    if (duty.ledger.census !== 0) await guard.park();
    let isGot: boolean;
    if (duty.random(2) === 0) {
      duty.doing('waiting for the event');
      isGot = await guard.untilCensus((signal) => baton.wait({ signal }));
    } else {
      duty.doing('waiting for the event, blocked');
      isGot = baton.waitSync({ timeout: SHORT });
    }
    if (isGot) duty.progress();
  }
  duty.doing('closing');
  guard.place.close();
}

export const lockRoles = { work, listen };
