/**
 * One line of work: a system process with the runner's driver and an application beside it, in a runtime directory
 * of their own. Sequences run in it one after the other; what a failed case may have left behind goes with the process.
 */
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { nt } from '../dist/os/index.js';
import type { Mode, Vector } from './case.js';
import { NO_READER, type Outcome } from './outcome.js';
import { Post } from './post.js';

type Kind = 'system' | 'application';

/** Where the kernel is NT itself, kernel mode is a driver of its own kind, and an application needs nobody beside it. */
const NO_KERNEL_MODE = nt === null ? null : 'kernel mode is code of the kernel: drivers/windows-wdm and its tests';

const kindOf = (mode: Mode): Kind => (mode === 'kernel' ? 'system' : 'application');

/** A folder that other users may enter. */
function openFolder(path: string): string {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o755);
  return path;
}

/** Whether a folder could be removed. */
function remove(folder: string): boolean {
  try {
    rmSync(folder, { recursive: true, force: true });
    return true;
  } catch {
    return false;
  }
}

export class Lane {
  readonly #folder: string;
  readonly #runtime: string;
  readonly #known: ReadonlySet<string>;
  #sequences = 0;
  #posts: Partial<Record<Kind, Post>> = {};

  /** @param known Cases after which the processes go on although they failed. */
  constructor(folder: string, known: ReadonlySet<string>) {
    this.#known = known;
    this.#folder = openFolder(folder);
    this.#runtime = openFolder(join(folder, 'runtime'));
  }

  async #post(kind: Kind): Promise<Post> {
    // An application may ask for global names: the system process is there first.
    if (kind === 'application' && NO_KERNEL_MODE === null && this.#posts.system === undefined) await this.#post('system');
    const post = this.#posts[kind] ?? (await Post.start(kind, this.#runtime, this.#folder));
    this.#posts[kind] = post;
    return post;
  }

  /** Runs a sequence to its end, whatever becomes of its cases. */
  async run(sequence: readonly Vector[], report: (outcome: Outcome) => void): Promise<void> {
    const folder = openFolder(join(this.#folder, `sequence-${++this.#sequences}`));
    const used = new Set<Kind>();
    let failed = false;
    for (const { testCase, suite } of sequence) {
      const kind = kindOf(testCase.mode);
      if (kind === 'system' && NO_KERNEL_MODE !== null) {
        report({ id: testCase.id, kind: 'skipped', reason: NO_KERNEL_MODE });
        continue;
      }
      let outcome: Outcome;
      try {
        const post = await this.#post(kind);
        used.add(kind);
        const answer = await post.ask({ order: 'run', testCase, suite, folder });
        if (!('outcome' in answer)) throw new Error('the process answered out of order');
        outcome = answer.outcome;
      } catch (error) {
        outcome = { id: testCase.id, kind: 'failed', expected: testCase.expect, got: (error as Error).message };
        await this.#stop(kind);
      }
      // A case that nothing reads has done nothing.
      failed ||= outcome.kind === 'failed' && outcome.got !== NO_READER && !this.#known.has(outcome.id);
      report(outcome);
    }
    try {
      for (const kind of used) await this.#posts[kind]?.ask({ order: 'end' });
    } catch {
      failed = true;
    }
    // Where open files cannot be removed, a process that goes on may still have some.
    if (!failed) failed = !remove(folder);
    if (!failed) return;
    for (const kind of used) await this.#stop(kind);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #stop(kind: Kind): Promise<void> {
    const post = this.#posts[kind];
    delete this.#posts[kind];
    // Applications do not outlive the system process that they are connected to.
    if (kind === 'system') await this.#stop('application');
    await post?.stop();
  }

  async close(): Promise<void> {
    await this.#stop('system');
    await this.#stop('application');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
