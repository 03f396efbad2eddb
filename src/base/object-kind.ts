/**
 * The kinds of kernel objects that can have a name, spelt as NT spells its types. All of them share one
 * namespace.
 */
export const objectKinds = ['Section', 'Event', 'Mutant', 'Semaphore', 'Directory', 'SymbolicLink'] as const;

export type ObjectKind = (typeof objectKinds)[number];

/** A kind in the middle of a sentence, with its article: "a section", "an event". */
export function kindText(kind: ObjectKind): string {
  const words = kind.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return `${/^[aeiou]/.test(words) ? 'an' : 'a'} ${words}`;
}
