/**
 * How a case went, as it travels from the process that ran it to the report.
 */

export type Outcome =
  | { readonly id: string; readonly kind: 'passed' }
  | { readonly id: string; readonly kind: 'skipped'; readonly reason: string }
  | { readonly id: string; readonly kind: 'failed'; readonly expected: unknown; readonly got: unknown };

/** What came of a case that nothing reads. */
export const NO_READER = 'no reader for this case';

/** Values that JSON has no form for, as people read them. */
export function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return `0x${value.toString(16)}`;
  if (typeof value === 'function') return `function ${value.name}`;
  if (Array.isArray(value)) return value.map(plain);
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}
