/**
 * A system process in a child, and clients of it that follow orders.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { SectionErrorCode } from 'sectile';
import type { SystemLimits } from '../../dist/system/limits.js';
import objects from '../fixtures/objects.js';
import systems from '../fixtures/systems.js';
import { type Child, type ChildOptions, start } from './child.js';

/** An unprivileged user that every Linux has: nobody. */
export const NOBODY = { uid: 65534, gid: 65534 } as const;

export async function startSystem(
  t: TestContext,
  options: ChildOptions & {
    readonly limits?: Partial<SystemLimits>;
    readonly drivers?: readonly { readonly file: string; readonly parameters?: Readonly<Record<string, string>> }[];
    readonly quiet?: boolean;
    /** Who else may create global sections: by default nobody. */
    readonly grantGlobal?: readonly number[] | 'all';
  } = {},
): Promise<Child> {
  const child = start(t, systems, 'runs a system process', {
    ...options,
    args: [options.limits ?? {}, options.drivers ?? [], options.quiet ?? false, options.grantGlobal ?? []],
  });
  await child.reached('ready');
  return child;
}

interface Outcome {
  readonly value?: unknown;
  readonly code?: string;
  readonly message?: string;
  readonly status?: string;
}

/** A process that follows orders; see the table in fixtures/systems.ts. */
export class Client {
  readonly child: Child;

  constructor(child: Child) {
    this.child = child;
  }

  async #do(what: string, argument?: unknown): Promise<Outcome> {
    this.child.tell('do', { what, argument });
    return (await this.child.reached('done')) as Outcome;
  }

  async succeeds(what: string, argument?: unknown): Promise<unknown> {
    const outcome = await this.#do(what, argument);
    assert.equal(outcome.code, undefined, outcome.message);
    return outcome.value;
  }

  async fails(code: SectionErrorCode, what: string, argument?: unknown): Promise<string> {
    const outcome = await this.#do(what, argument);
    assert.equal(outcome.code, code, outcome.message ?? `${what} went well: ${JSON.stringify(outcome.value)}`);
    return outcome.message ?? '';
  }

  /** As {@link fails}, by the name of the status. */
  async refuses(status: string, what: string, argument?: unknown): Promise<string> {
    const outcome = await this.#do(what, argument);
    assert.equal(outcome.status, status, outcome.message ?? `${what} went well: ${JSON.stringify(outcome.value)}`);
    return outcome.message ?? '';
  }

  async end(): Promise<void> {
    this.child.tell('do', { what: 'end' });
    await this.child.endsWell();
  }
}

/** A process that does with kernel objects what it is told; see the table in fixtures/objects.ts. */
export async function startUser(t: TestContext, options: ChildOptions): Promise<Client> {
  const child = start(t, objects, 'follows orders on objects', options);
  await child.reached('ready');
  return new Client(child);
}

export async function startClient(t: TestContext, options: ChildOptions): Promise<Client> {
  const child = start(t, systems, 'follows orders as a client', options);
  await child.reached('ready');
  return new Client(child);
}
