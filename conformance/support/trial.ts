/**
 * One case on trial: its inputs, its expectations, each of which must have been looked at when the script
 * ends, and what the script opened, which goes then.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import type { Case, Script, World } from '../script.js';
import { errorNameOf, namesIn, statusNameOf } from './values.js';

/** Keys that explain and assert nothing. */
const NOTES = new Set(['note', 'status32', 'versions']);

type Values = Readonly<Record<string, unknown>>;

/** Values whose keys are remembered once they are read. */
function remembering(values: Values, read: Set<string>): Values {
  return new Proxy(values, {
    get(target, key) {
      if (typeof key === 'string') read.add(key);
      return Reflect.get(target, key) as unknown;
    },
    has(target, key) {
      if (typeof key === 'string') read.add(key);
      return key in target;
    },
  });
}

export class Trial {
  readonly world: World;
  readonly case: Case;
  readonly inputs: Values;
  /** Reading a key says that the script asserts it. */
  readonly expect: Values;
  readonly #read = new Set<string>();
  readonly #after: (() => unknown)[] = [];

  constructor(world: World, testCase: Case) {
    this.world = world;
    this.case = testCase;
    this.inputs = testCase.inputs;
    this.expect = remembering(testCase.expect, this.#read);
  }

  /** `sectile/ntddk`, for cases of kernel mode. */
  get k(): World['k'] {
    return this.world.k;
  }

  /** Has something done when the script ends, however it does; last said, first done. */
  after(action: () => unknown): void {
    this.#after.push(action);
  }

  /** Keeps a handle until the script ends. A protected one has to be made closable by the script. */
  keep(handle: number): number {
    if (handle > 0) this.after(() => n.NtClose(handle));
    else if (handle !== 0 && handle !== w.INVALID_HANDLE_VALUE) this.after(() => this.k.ZwClose(handle));
    return handle;
  }

  /** A folder for this case alone. */
  folder(): string {
    return mkdtempSync(join(this.world.folder, 'case-'));
  }

  /** A new file with these bytes, or that many bytes with values 0, 1, 2, … */
  file(content: number | Uint8Array): string {
    const path = join(this.folder(), 'data');
    writeFileSync(path, typeof content === 'number' ? Uint8Array.from({ length: content }, (_, at) => at & 0xff) : content);
    return path;
  }

  /** A name that nobody else has. */
  name(): string {
    return `conformance-${randomBytes(6).toString('hex')}`;
  }

  /** The expected status, in whichever form the vector has it for Windows 10 on x64. */
  status(status: number, what: string = this.case.call): void {
    const { expect } = this;
    const key = ['orStatus64Win8', 'status64', 'anyOf64', 'anyOf', 'status'].find((each) => each in this.case.expect);
    if (key === undefined) assert.fail(`${this.case.id} expects no status`);
    if (key === 'orStatus64Win8') this.#read.add('status');
    this.is(status, expect[key], what);
  }

  /** A status by name, or one of several, or "failure". */
  is(status: number, expected: unknown, what: string = this.case.call): void {
    const name = statusNameOf(status);
    if (typeof expected === 'string' && expected.startsWith('failure')) {
      assert.ok(!n.NT_SUCCESS(status), `${what}: ${name}, expected a failure`);
      return;
    }
    const names = namesIn(expected, 'STATUS');
    if (names.length === 1) assert.equal(name, names[0], what);
    else assert.ok(names.includes(name), `${what}: ${name}, expected ${names.join(' or ')}`);
  }

  /** What a Win32 call returned: whether it went well, and the error the vector names, if it names one. */
  win32(ok: boolean, what: string = this.case.call): void {
    const error = errorNameOf(w.GetLastError());
    const { expect } = this;
    const keys = Object.keys(this.case.expect);
    assert.equal(ok, expect.ok, `${what}: last error ${error}`);
    for (const key of ['error', 'anyError', 'lastError']) {
      if (!keys.includes(key)) continue;
      const expected = expect[key];
      const names = expected === 0 ? ['ERROR_SUCCESS'] : namesIn(expected, 'ERROR');
      assert.ok(
        names.map((name) => (name === 'NO_ERROR' ? 'ERROR_SUCCESS' : name)).includes(error),
        `${what}: last error ${error}, expected ${names.join(' or ')}`,
      );
    }
  }

  /** Asserts a key that has words by what they mean. Words that are not in the table are a failure. */
  words(key: string, meanings: Readonly<Record<string, () => void>>): void {
    const text = String(this.expect[key]);
    const meaning = Object.hasOwn(meanings, text) ? meanings[text] : undefined;
    assert.ok(meaning !== undefined, `nobody here knows how to check ${key}: ${text}`);
    meaning();
  }

  /** Asserts that a key's value is this one. */
  equal(key: string, actual: unknown): void {
    assert.deepEqual(actual, this.expect[key], key);
  }

  async end(failed: boolean): Promise<void> {
    for (const action of this.#after.reverse()) await action();
    if (failed) return;
    const left = Object.keys(this.case.expect).filter((key) => !NOTES.has(key) && !this.#read.has(key));
    assert.deepEqual(left, [], `${this.case.id} expects what its script does not look at`);
  }
}

export type Play = (trial: Trial) => void | Promise<void>;

/** The script that plays a case through. */
export function played(play: Play): Script {
  return async (world, testCase) => {
    const trial = new Trial(world, testCase);
    let failed = true;
    try {
      await play(trial);
      failed = false;
    } finally {
      await trial.end(failed);
    }
  };
}

/** Scripts of a family: plays by the ids they are for, `wine-om-016, wine-om-020..022`. */
export function family(plays: Readonly<Record<string, Play>>): Readonly<Record<string, Script>> {
  const scripts: Record<string, Script> = {};
  for (const [ids, play] of Object.entries(plays)) {
    for (const id of ids.split(',').flatMap((each) => span(each.trim()))) {
      assert.ok(!(id in scripts), `two scripts for ${id}`);
      scripts[id] = played(play);
    }
  }
  return scripts;
}

function span(ids: string): string[] {
  const [, stem, first, last] = /^(.*-)(\d+)(?:\.\.(\d+))?$/.exec(ids) ?? assert.fail(`${ids} is no id`);
  const from = Number(first);
  return Array.from({ length: Number(last ?? first) - from + 1 }, (_, at) => `${stem}${String(from + at).padStart(3, '0')}`);
}
