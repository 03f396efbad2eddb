/**
 * Something that lives until the last of its holders lets go of it.
 */
export class Lease {
  #holders = 1;
  readonly #end: () => void;

  /** @param end Called once, by the last holder; it must not throw. */
  constructor(end: () => void) {
    this.#end = end;
  }

  /** One more holder; returns how it lets go, which is safe to call twice. */
  hold(): () => void {
    this.#holders++;
    let holds = true;
    return () => {
      if (!holds) return;
      holds = false;
      this.release();
    };
  }

  /** The first holder, who made it, lets go. */
  release(): void {
    if (--this.#holders === 0) this.#end();
  }
}
