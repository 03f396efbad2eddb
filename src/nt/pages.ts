/**
 * The pages of a view or of private memory: each one's state and protection. Protections are of this
 * view alone and kept here; which pages of a section are committed is the section's, and asked of the
 * system each time, for any process may commit.
 */

import { SectionError } from '../base/error.js';
import { checkCommit } from '../memory/commit.js';
import { transparentHugePages } from '../memory/huge-pages.js';
import { sectionErrorFrom } from '../memory/system-errors.js';
import { CommitRule, isOsError, type Mapping, os } from '../os/index.js';
import { PAGE_NOACCESS } from './constants.js';
import { PageRuns } from './page-runs.js';
import { baseProtection, protectionOfCopies, viewKind } from './protection.js';

/** Pages from one offset on that are alike. */
export interface PageStretch {
  readonly committed: boolean;
  /** PAGE_…, as it is now: a page that was copied on a write is an ordinary writable one. 0 for reserved pages. */
  readonly protection: number;
  /** Bytes. */
  readonly length: number;
}

/** What a page of private memory has that is only reserved. */
const RESERVED = 0;

/** Copies are looked for so far in one go; a stretch that is longer comes in parts. */
const MOST_LOOKED_AT = 2 ** 32;

export interface PagesOfView {
  /** As messages name it. */
  readonly object: string;
  readonly length: number;
  /** PAGE_…, with which the view was mapped. */
  readonly protection: number;
  /** PAGE_NOCACHE and PAGE_WRITECOMBINE, as the section's attributes make its pages show. */
  readonly cache: number;
  /** One of `CommitRule`; null for private memory, whose state is kept here. */
  readonly commit: number | null;
}

export class Pages {
  readonly mapping: Mapping;
  readonly length: number;
  readonly #facts: PagesOfView;
  readonly #runs: PageRuns<number>;

  constructor(mapping: Mapping, facts: PagesOfView, runs: PageRuns<number> = new PageRuns(facts.length, facts.protection)) {
    this.mapping = mapping;
    this.length = facts.length;
    this.#facts = facts;
    this.#runs = runs;
  }

  /** Private memory of which nothing is committed yet. */
  static reserved(mapping: Mapping, length: number): Pages {
    const facts = { object: 'private memory', length, protection: RESERVED, cache: 0, commit: null };
    return new Pages(mapping, facts);
  }

  /** The pages from an offset on, up to where the next differs in anything. */
  #at(offset: number): PageStretch {
    const { commit } = this.#facts;
    const { value, end } = this.#runs.at(offset);
    let length = end - offset;
    if (value === RESERVED) return { committed: false, protection: 0, length };
    if (commit !== null && commit !== CommitRule.all) {
      const committed = os.mappingCommitted(this.mapping, offset, this.length - offset);
      if (!committed.is) return { committed: false, protection: 0, length: committed.length };
      length = Math.min(length, committed.length);
    }
    const ofCopies = protectionOfCopies(value);
    if (ofCopies === value) return { committed: true, protection: this.#shown(value), length };
    const copied = os.mappingCopied(this.mapping, offset, Math.min(length, MOST_LOOKED_AT));
    return { committed: true, protection: this.#shown(copied.is ? ofCopies : value), length: copied.length };
  }

  #shown(protection: number): number {
    return baseProtection(protection) === PAGE_NOACCESS ? protection : protection | this.#facts.cache;
  }

  /** All pages from an offset on that are as the one there. */
  at(offset: number): PageStretch {
    const { committed, protection, length } = this.#at(offset);
    let end = offset + length;
    while (end < this.length) {
      const next = this.#at(end);
      if (next.committed !== committed || next.protection !== protection) break;
      end += next.length;
    }
    return { committed, protection, length: end - offset };
  }

  /** Whether every page of a range is committed. */
  isCommitted(start: number, length: number): boolean {
    for (let offset = start; offset < start + length; ) {
      const stretch = this.#at(offset);
      if (!stretch.committed) return false;
      offset += stretch.length;
    }
    return true;
  }

  /** Committed bytes; of private memory, where that takes no look at the section. */
  get committedBytes(): number {
    let sum = 0;
    for (let offset = 0; offset < this.length; ) {
      const { committed, length } = this.#at(offset);
      if (committed) sum += length;
      offset += length;
    }
    return sum;
  }

  /** Sets the protection of whole pages that are committed. */
  protect(start: number, length: number, protection: number): void {
    const { map, access } = viewKind(protection);
    try {
      os.mappingProtectPages(this.mapping, start, length, map, access === 'copy');
    } catch (error) {
      throw sectionErrorFrom(error, 'VirtualProtect', this.#facts.object);
    }
    this.#runs.set(start, start + length, protection);
  }

  /** Commits pages, for all who have views of the section, and sets their protection in this one. */
  commit(start: number, length: number, protection: number): void {
    if (this.#facts.commit === null || this.#facts.commit === CommitRule.data) {
      checkCommit('VirtualAlloc', this.#facts.object, this.#missing(start, length));
    }
    this.commitAlone(start, length);
    this.protect(start, length, protection);
  }

  /** As {@link commit}; their protection stays. */
  commitAlone(start: number, length: number): void {
    if (this.#facts.commit === null || this.#facts.commit === CommitRule.all) return;
    try {
      os.mappingCommit(this.mapping, start, length, !givesHugePagesUnasked());
    } catch (error) {
      throw commitError(error, this.#facts.object, length);
    }
  }

  #missing(start: number, length: number): number {
    let missing = 0;
    for (let offset = start; offset < start + length; ) {
      const stretch = this.#at(offset);
      if (!stretch.committed) missing += Math.min(stretch.length, start + length - offset);
      offset += stretch.length;
    }
    return missing;
  }

  /** Private memory gives pages back, and keeps their addresses. */
  decommit(start: number, length: number): void {
    try {
      os.mappingDiscard(this.mapping, start, length);
      os.mappingProtectPages(this.mapping, start, length, 0, true);
    } catch (error) {
      throw sectionErrorFrom(error, 'VirtualFree', this.#facts.object);
    }
    this.#runs.set(start, start + length, RESERVED);
  }

  /** Cuts private memory in two: what lies before an offset, and what from it on. */
  split(offset: number): readonly [Pages, Pages] {
    const mapping = os.mappingSplit(this.mapping, offset);
    const runs = this.#runs.split(offset);
    const length = this.length - offset;
    return [
      new Pages(this.mapping, { ...this.#facts, length: offset }, this.#runs),
      new Pages(mapping, { ...this.#facts, length }, runs),
    ];
  }
}

/** Then allocating one page may commit its neighbours. */
function givesHugePagesUnasked(): boolean {
  return ['always', 'within_size', 'force'].includes(transparentHugePages());
}

function commitError(error: unknown, object: string, length: number): unknown {
  if (!isOsError(error) || !['ENOSPC', 'ENOMEM'].includes(error.code)) return sectionErrorFrom(error, 'VirtualAlloc', object);
  return new SectionError('ERR_SECTION_COMMIT_LIMIT', {
    operation: 'VirtualAlloc',
    object,
    rule: `${length} bytes cannot be committed: ${error.message}`,
    wayOut: 'Commit less at a time, or free memory',
    errno: error.errno,
    cause: error,
  });
}
