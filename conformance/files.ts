/**
 * The files that cases speak of, from the words of their suites: "200-byte file opened GENERIC_WRITE,
 * share write", "8 KiB temp file opened read/write".
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { image } from './image.js';
import type { World } from './script.js';
import { flags } from './words.js';

/** What a text says about a file; absent is what it does not speak of. */
interface Words {
  readonly size?: number;
  readonly isImage?: boolean;
  readonly access?: number;
  readonly share?: number;
  /** A kind of file that no section can be made of. */
  readonly unmappable?: boolean;
}

export interface FilePlan {
  readonly size: number;
  readonly isImage: boolean;
  readonly access: number;
  readonly share: number;
  readonly unmappable: boolean;
}

const LARGE = 0x40000;
const USUAL_SIZE = 0x2000;
const FILE_SHARE = { read: 1, write: 2, delete: 4 } as const;
const GENERIC_READ = 0x8000_0000;
const GENERIC_WRITE = 0x4000_0000;
const GENERIC_EXECUTE = 0x2000_0000;

/** The first pattern that fits decides. */
const sizes: readonly (readonly [RegExp, (digits: string) => number])[] = [
  [/(0x[\da-f]+|\d+)[- ]?(?:bytes?|B)\b/i, Number],
  [/(\d+)[- ]?KiB/i, (digits) => Number(digits) * 1024],
  [/(\d+)[- ]?MiB/i, (digits) => Number(digits) * 1024 * 1024],
  [/(\d+)[- ]pages?\b/i, (digits) => Number(digits) * 4096],
  [/\bsize (0x[\da-f]+|\d+)/i, Number],
  [/\b(?:empty|truncated to 0)\b/i, () => 0],
  [/\blarge\b/i, () => LARGE],
];

const accesses: readonly (readonly [RegExp, (match: string) => number])[] = [
  [/(?:\bGENERIC_\w+|\bFILE_(?:READ|WRITE)_DATA\b)(?:\s*\|\s*\w+)*/, flags],
  [/\baccess 0\b/i, () => 0],
  [/\bread\/write\/execute\b|\bRWX\b/i, () => GENERIC_READ + GENERIC_WRITE + GENERIC_EXECUTE],
  [/\bread\/write\b|\bRW\b/i, () => GENERIC_READ + GENERIC_WRITE],
  [/\bread[- ]only\b/i, () => GENERIC_READ],
];

function firstMatch<T>(rows: readonly (readonly [RegExp, (text: string) => T])[], text: string): T | undefined {
  for (const [pattern, make] of rows) {
    const match = pattern.exec(text);
    if (match !== null) return make(match[1] ?? match[0]);
  }
  return undefined;
}

function shareOf(text: string): number | undefined {
  if (/\bexclusive\b/i.test(text)) return 0;
  const words = /\bshar(?:e|ing) ([a-z|, ]+)/i.exec(text)?.[1];
  if (words === undefined) return undefined;
  const found = Object.entries(FILE_SHARE).filter(([word]) => words.includes(word));
  return found.length === 0 ? undefined : found.reduce((all, [, bit]) => all | bit, 0);
}

function read(text: string): Words {
  const size = firstMatch(sizes, text);
  const access = firstMatch(accesses, text);
  const share = shareOf(text);
  return {
    ...(size === undefined ? {} : { size }),
    ...(access === undefined ? {} : { access }),
    ...(share === undefined ? {} : { share }),
    ...(/\bPE (?:image|file)\b|\.(?:dll|exe)\b/i.test(text) && !/\bnon-PE\b/i.test(text) ? { isImage: true } : {}),
    ...(/\bwithout section support\b|\bno SectionObjectPointer\b/i.test(text) ? { unmappable: true } : {}),
  };
}

/** What several texts say together: later ones win. */
export function filePlan(...texts: readonly unknown[]): FilePlan {
  const words: Words = Object.assign({}, ...texts.map((text) => (typeof text === 'string' ? read(text) : {})));
  const { isImage = false, size = isImage ? LARGE : USUAL_SIZE } = words;
  return {
    isImage,
    size,
    access: words.access ?? GENERIC_READ + GENERIC_WRITE,
    share: words.share ?? FILE_SHARE.read | FILE_SHARE.write | FILE_SHARE.delete,
    unmappable: words.unmappable ?? false,
  };
}

/** The bytes of a file with some text in it. */
export function contentOf({ size, isImage }: FilePlan): Buffer {
  return isImage ? image(size) : Buffer.alloc(size, 'conformance ');
}

let made = 0;

/** Makes the file, in the sequence's folder. A device stands for files that cannot be mapped. */
export function makeFile(world: World, plan: FilePlan): string {
  if (plan.unmappable) return '/dev/null';
  const path = join(world.folder, `file-${++made}${plan.isImage ? '.exe' : ''}`);
  writeFileSync(path, contentOf(plan));
  return path;
}

/** The name that a host's path has in NT's namespace. */
export const ntName = (path: string): string => `\\??\\${path}`;
