/**
 * The vectors as they stand in the folders: what a case is, reading folders of them, and the order that
 * cases of one sequence run in. It judges nothing.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Who calls: a driver, or an application through the NT or the Win32 face. */
export type Mode = 'kernel' | 'user' | 'win32';

/** One case. `inputs` and `expect` are in the words of its suite. */
export interface Case {
  readonly id: string;
  /** The suite's function that it is from. */
  readonly fn?: string;
  readonly call: string;
  readonly mode: Mode;
  readonly given?: string;
  /** Cases of the same sequence that come before it, in the same process. */
  readonly after?: readonly string[];
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly expect: Readonly<Record<string, unknown>>;
  readonly scope: string;
  readonly versionDependent?: boolean;
  /** What differs between versions of Windows. */
  readonly versions?: string;
  readonly note?: string;
  readonly testable?: boolean;
  /** Documented statements only: what refutes it. */
  readonly contradictedBy?: unknown;
}

/** What all cases of a file share. */
export interface Suite {
  /** The file's name without its ending. */
  readonly name: string;
  /** The path of the public source, as far as the file names one. */
  readonly path: string;
  readonly environment: Readonly<Record<string, unknown>>;
}

export interface Vector {
  readonly testCase: Case;
  readonly suite: Suite;
}

/** The vectors of every `.json` file in the folders, in the order of the files. */
export function readVectors(folders: readonly string[]): Vector[] {
  return folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .sort()
      .flatMap((name) => readFile(join(folder, name))),
  );
}

function readFile(path: string): Vector[] {
  const content = JSON.parse(readFileSync(path, 'utf8')) as {
    source?: { path?: string };
    environment?: Record<string, unknown>;
    cases?: readonly Case[];
  };
  if (!Array.isArray(content.cases)) throw new Error(`${path} holds no list of cases`);
  const suite = {
    name: basename(path, '.json'),
    path: String(content.source?.path ?? ''),
    environment: content.environment ?? {},
  };
  return (content.cases as readonly Case[]).map((testCase) => ({ testCase, suite }));
}

/** The cases that this one names as those before it, or whose object it uses. */
function namedBy({ after, given }: Case): string[] {
  const used = /\bof case (\S+)/.exec(given ?? '')?.[1];
  return [...(after ?? []), ...(used === undefined ? [] : [used])];
}

/** Sequences: cases that name one another, directly or not, in the order of the file. */
export function sequences(vectors: readonly Vector[]): Vector[][] {
  const leader = new Map<string, string>(vectors.map(({ testCase: { id } }) => [id, id]));
  const find = (id: string): string => {
    const above = leader.get(id);
    return above === undefined || above === id ? id : find(above);
  };
  for (const { testCase } of vectors) {
    for (const id of namedBy(testCase)) if (leader.has(id)) leader.set(find(testCase.id), find(id));
  }
  const groups = new Map<string, Vector[]>();
  for (const vector of vectors) {
    const key = find(vector.testCase.id);
    groups.set(key, [...(groups.get(key) ?? []), vector]);
  }
  return [...groups.values()];
}
