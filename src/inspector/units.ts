/**
 * Numbers and names as people read them, in facts and in tables alike.
 */
const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** `64 MiB`, `1.5 GiB`, `812 bytes`: at most one decimal, and exact where it shows none. */
export function sizeText(bytes: number): string {
  if (bytes === 1) return '1 byte';
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  const rounded = Math.round(value * 10) / 10;
  return `${Number.isInteger(value) ? value : rounded.toFixed(1)} ${units[unit]}`;
}

/** `1 handle`, `2 handles`, `3 processes`. */
export function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : word.endsWith('s') ? 'es' : 's'}`;
}

/** Text from elsewhere (names, command lines, paths) with whatever could steer a terminal made visible. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
