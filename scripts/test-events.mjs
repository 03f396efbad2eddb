/**
 * A reporter for node:test that writes each outermost test as a line of JSON, for runners that judge and count
 * themselves.
 */
const words = (error) => {
  const cause = error?.cause ?? error;
  return String(cause?.stack ?? cause?.message ?? cause ?? '');
};

export default async function* lines(events) {
  for await (const { type, data } of events) {
    if (type === 'test:diagnostic' && data.nesting > 0) yield `${JSON.stringify({ note: data.message })}\n`;
    if ((type !== 'test:pass' && type !== 'test:fail') || data.nesting > 0) continue;
    const { name, skip, details } = data;
    yield `${JSON.stringify({
      name,
      passed: type === 'test:pass',
      skipped: skip === undefined || skip === false ? null : String(skip === true ? 'no reason given' : skip),
      milliseconds: Math.round(details?.duration_ms ?? 0),
      error: type === 'test:fail' ? words(details?.error) : null,
    })}\n`;
  }
}
