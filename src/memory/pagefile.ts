/**
 * Memory of the paging file: what may be asked for, how it is made on this host, and what it means when the system refuses.
 */
import { dirname } from 'node:path';
import { SectionError } from '../base/error.js';
import { Commit, isOsError, os } from '../os/index.js';
import { checkCommit } from './commit.js';
import { hugePagesHelp, largePages, transparentHugePages } from './huge-pages.js';
import { sectionErrorFrom } from './system-errors.js';

export interface PagefileOptions {
  /** Shown in /proc as the object's name; carries no meaning. */
  readonly label: string;
  readonly size: number;
  readonly reserve?: boolean;
  readonly largePages?: boolean;
  /** Only this object may ever be mapped for writing: the kernel refuses every later writable map. */
  readonly soleWriter?: boolean;
  /** Further seals may still be set, by whoever gets a writable descriptor. */
  readonly leaveSealable?: boolean;
  /** Make it a new file at this path, for others of this user to find. Such memory cannot be sealed. */
  readonly path?: string | undefined;
}

/** Rounds up to whole pages. */
export function roundUp(size: number, page: number): number {
  return Math.ceil(size / page) * page;
}

/** How a new object is made. */
export interface PagefilePlan {
  readonly label: string;
  readonly size: number;
  readonly mapped: number;
  readonly pageSize: number;
  readonly largePageSize: number;
  readonly commit: number;
  readonly soleWriter: boolean;
  readonly leaveSealable: boolean;
  readonly seals: boolean;
  readonly path: string | undefined;
}

/** @throws SectionError ERR_SECTION_INVALID_ARGUMENT, ERR_SECTION_LARGE_PAGES, ERR_SECTION_COMMIT_LIMIT */
export function planPagefile(operation: string, object: string, options: PagefileOptions): PagefilePlan {
  const { size, reserve = false, largePages: large = false, soleWriter = false, path } = options;
  let largePageSize = 0;
  if (large) {
    if (reserve) {
      throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
        operation,
        object,
        rule: 'large pages are always committed, so largePages and reserve exclude each other',
      });
    }
    largePageSize = path === undefined ? (largePages()?.size ?? 0) : 0;
    if (largePageSize === 0) {
      const rule = path === undefined ? 'this host has no large pages' : 'memory that is a file has no large pages';
      throw new SectionError('ERR_SECTION_LARGE_PAGES', { operation, object, rule });
    }
    if (size % largePageSize !== 0) {
      throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
        operation,
        object,
        rule: `with largePages, size must be a multiple of ${largePageSize}, not ${size}`,
        wayOut: `Ask for ${roundUp(size, largePageSize)}`,
      });
    }
  } else if (!reserve) {
    checkCommit(operation, object, size);
  }
  const pageSize = largePageSize || os.pageSize;
  const huge = largePageSize === 0 && hugePagesHelp(size);
  return {
    label: options.label,
    size,
    mapped: roundUp(size, pageSize),
    pageSize,
    largePageSize,
    commit: reserve ? Commit.none : huge && transparentHugePages() === 'advise' ? Commit.nowHuge : Commit.now,
    soleWriter,
    leaveSealable: options.leaveSealable ?? false,
    seals: path === undefined && os.sealsMemory,
    path,
  };
}

/** What it means that the system refused to make it. */
export function creationError(error: unknown, operation: string, object: string, plan: PagefilePlan): unknown {
  if (!isOsError(error)) return error;
  if (plan.largePageSize !== 0) {
    const needed = plan.mapped / plan.largePageSize;
    return new SectionError('ERR_SECTION_LARGE_PAGES', {
      operation,
      object,
      rule: `${needed} large pages of ${plan.largePageSize} bytes are not free on this host (${largePages()?.free ?? 0} are)`,
      wayOut: `Set them aside as root: "sysctl vm.nr_hugepages=${needed}", or leave out largePages`,
      errno: error.errno,
      cause: error,
    });
  }
  if (['ENOSPC', 'ENOMEM', 'EDQUOT'].includes(error.code) || (!plan.seals && error.code === 'EFBIG')) {
    return new SectionError('ERR_SECTION_COMMIT_LIMIT', {
      operation,
      object,
      rule: `${plan.size} bytes cannot be committed${plan.path === undefined ? '' : ` in ${dirname(plan.path)}`}: ${error.message}`,
      wayOut: 'Ask for less, or use reserve: true and touch only what you need',
      errno: error.errno,
      cause: error,
    });
  }
  return sectionErrorFrom(error, operation, object);
}
