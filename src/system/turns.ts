/**
 * Whose request is served next: users take turns, each with its oldest one. However much one user asks
 * for, another waits for one of its requests and no more.
 */

type Work = () => void;

export class Turns {
  /** What waits, by user; whoever was served goes to the end. */
  readonly #waiting = new Map<number, Work[]>();
  #isBusy = false;

  /** Does it now if nothing else is to be done; else when it is this user's turn. */
  take(user: number, work: Work): void {
    if (this.#isBusy) {
      const own = this.#waiting.get(user);
      if (own === undefined) this.#waiting.set(user, [work]);
      else own.push(work);
      return;
    }
    this.#isBusy = true;
    this.#serve(work);
  }

  /** One for each round of the event loop: whatever came meanwhile has its place before the next. */
  #serve(work: Work): void {
    setImmediate(() => this.#next());
    work();
  }

  #next(): void {
    const [first] = this.#waiting;
    if (first === undefined) {
      this.#isBusy = false;
      return;
    }
    const [user, works] = first;
    const work = works.shift() as Work;
    this.#waiting.delete(user);
    if (works.length > 0) this.#waiting.set(user, works);
    this.#serve(work);
  }
}
