/**
 * The rules of sharing a file, as data: what an open handle, a section or its views let others know of
 * themselves (marks), and which marks of others stand in the way of a new one. No file is touched here.
 *
 * Source: Microsoft's page "Creating and Opening Files" and IoCheckShareAccess; nt-semantics 1.12 for
 * sections.
 */
import { type NTSTATUS, Status } from '../base/status.js';
import { DELETE, FILE_APPEND_DATA, FILE_EXECUTE, FILE_READ_DATA, FILE_WRITE_DATA } from '../security/index.js';

export const FILE_SHARE_READ = 1;
export const FILE_SHARE_WRITE = 2;
export const FILE_SHARE_DELETE = 4;

/** What holders of a file let others know, in the order of their bytes in its registry file. */
export const Mark = {
  reads: 0,
  writes: 1,
  deletes: 2,
  deniesReading: 3,
  deniesWriting: 4,
  deniesDeleting: 5,
  /** Any handle, also one without access to the data. */
  handle: 6,
  /** A handle whose closing deletes the file. */
  deletesOnClose: 7,
  /** A section, or a view of one. */
  section: 8,
  /** One that can be written through. */
  writableSection: 9,
} as const;
export type Mark = (typeof Mark)[keyof typeof Mark];

const marks: readonly unknown[] = Object.values(Mark);
export const isMark = (value: unknown): value is Mark => marks.includes(value);

/** How a file is to be opened. */
export interface ShareRequest {
  /** Rights, without generic ones. */
  readonly access: number;
  /** FILE_SHARE_… */
  readonly share: number;
  /** Whether opening empties the file. */
  readonly truncates: boolean;
}

interface Kind {
  readonly rights: number;
  readonly share: number;
  readonly user: Mark;
  readonly denier: Mark;
}

/** The three ways to use a file that sharing is about. */
const kinds: readonly Kind[] = [
  { rights: FILE_READ_DATA | FILE_EXECUTE, share: FILE_SHARE_READ, user: Mark.reads, denier: Mark.deniesReading },
  { rights: FILE_WRITE_DATA | FILE_APPEND_DATA, share: FILE_SHARE_WRITE, user: Mark.writes, denier: Mark.deniesWriting },
  { rights: DELETE, share: FILE_SHARE_DELETE, user: Mark.deletes, denier: Mark.deniesDeleting },
];
const SHARED_RIGHTS = kinds.reduce((all, { rights }) => all | rights, 0);

/** The marks of an open handle. One without access to the data denies nobody anything. */
export function handleMarks({ access, share }: ShareRequest): readonly Mark[] {
  const uses = (access & SHARED_RIGHTS) !== 0;
  return [
    ...kinds.filter(({ rights }) => (access & rights) !== 0).map(({ user }) => user),
    ...kinds.filter((kind) => uses && (share & kind.share) === 0).map(({ denier }) => denier),
    Mark.handle,
  ];
}

/** The marks of a section and its views. */
export function sectionMarks(writable: boolean): readonly Mark[] {
  return writable ? [Mark.section, Mark.writableSection] : [Mark.section];
}

/** What stands in the way of a handle, in the order in which it is found: marks of others, and what the open then returns. */
export function handleObstacles({ access, share, truncates }: ShareRequest): readonly (readonly [Mark, NTSTATUS])[] {
  const uses = (access & SHARED_RIGHTS) !== 0;
  const violation = (mark: Mark): [Mark, NTSTATUS] => [mark, Status.STATUS_SHARING_VIOLATION];
  return [
    ...kinds.filter(({ rights }) => (access & rights) !== 0).map(({ denier }) => violation(denier)),
    // A section that can be written through is a writer, whatever has become of its file's handle.
    ...((share & FILE_SHARE_WRITE) === 0 ? [violation(Mark.writableSection)] : []),
    ...(truncates ? [[Mark.section, Status.STATUS_USER_MAPPED_FILE] as const] : []),
    ...kinds.filter((kind) => uses && (share & kind.share) === 0).map(({ user }) => violation(user)),
  ];
}
