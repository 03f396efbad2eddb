/**
 * The demo's stage: a runtime directory that nobody else uses, the file to move, and the certainty that
 * both are gone afterwards.
 */
import { randomFillSync } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { SectionError } from '../../index.js';

const MIB = 2 ** 20;
const REAL_FILE_MINIMUM = 64 * MIB;
const MADE_FILE_BYTES = 96 * MIB;

export interface Payload {
  readonly file: string;
  readonly bytes: number;
  readonly origin: string;
}

/** Whether any user gets down to a folder. */
function isOpenToAll(folder: string): boolean {
  for (let path = resolve(folder); ; path = dirname(path)) {
    try {
      if ((statSync(path).mode & 0o001) === 0) return false;
    } catch {
      return false;
    }
    if (path === dirname(path)) return true;
  }
}

export class Stage {
  readonly folder: string;
  readonly runtime: string;

  constructor() {
    const isRoot = process.geteuid?.() === 0;
    // As root the application becomes another user, who must get to the socket.
    const place = isRoot ? ([tmpdir(), '/tmp', '/run', '/var/tmp'].find(isOpenToAll) ?? tmpdir()) : tmpdir();
    this.folder = mkdtempSync(join(place, 'sectile-demo-'));
    if (isRoot) chmodSync(this.folder, 0o755);
    this.runtime = join(this.folder, 'run');
    // This process looks at the system process as well.
    process.env['SECTILE_RUNTIME_DIR'] = this.runtime;
  }

  /** The file to move: the one that was named, else Node.js itself, else one made for this. */
  async payload(named: string | undefined, signal: AbortSignal): Promise<Payload> {
    if (named !== undefined) return { file: named, bytes: fileSize(named), origin: 'as --file says' };
    const own = statSync(process.execPath).size;
    if (own >= REAL_FILE_MINIMUM) return { file: process.execPath, bytes: own, origin: 'the program that runs this' };
    return { file: await this.#makeFile(signal), bytes: MADE_FILE_BYTES, origin: 'made for this, random' };
  }

  async #makeFile(signal: AbortSignal): Promise<string> {
    const path = join(this.folder, 'payload');
    const block = new Uint8Array(MIB);
    const file = await open(path, 'wx', 0o600);
    try {
      for (let offset = 0; offset < MADE_FILE_BYTES; offset += block.length) {
        signal.throwIfAborted();
        await file.write(randomFillSync(block), 0, block.length, offset);
      }
    } finally {
      await file.close();
    }
    return path;
  }

  /** Removes everything. Safe to call twice. */
  strike(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * The size of a file that can be moved.
 *
 * @throws SectionError ERR_SECTION_NOT_FOUND, ERR_SECTION_FILE
 */
export function fileSize(path: string): number {
  const refuse = (code: 'ERR_SECTION_NOT_FOUND' | 'ERR_SECTION_FILE', rule: string): SectionError =>
    new SectionError(code, { operation: 'sectile demo', object: `file ${path}`, rule, wayOut: 'Give --file a regular file' });
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw refuse('ERR_SECTION_NOT_FOUND', 'there is no such file');
  if (!stat.isFile()) throw refuse('ERR_SECTION_FILE', 'it is no regular file');
  return stat.size;
}
