/**
 * A command line's arguments, as the Microsoft C runtime and CommandLineToArgvW take them apart.
 *
 * Source: Microsoft's page "Parsing C command-line arguments".
 */

/** The first argument, where backslashes mean themselves, and where the rest begins. */
function program(line: string): { readonly name: string; readonly end: number } {
  if (line.startsWith('"')) {
    const close = line.indexOf('"', 1);
    const end = close < 0 ? line.length : close;
    return { name: line.slice(1, end), end: Math.min(end + 1, line.length) };
  }
  const end = /[ \t]/.exec(line)?.index ?? line.length;
  return { name: line.slice(0, end), end };
}

/** One argument, from where it begins. */
function argument(line: string, start: number): { readonly text: string; readonly end: number } {
  let text = '';
  let quoted = false;
  let at = start;
  while (at < line.length && (quoted || !/[ \t]/.test(line[at] as string))) {
    const slashes = /^\\*/.exec(line.slice(at))?.[0].length ?? 0;
    at += slashes;
    if (line[at] !== '"') {
      text += '\\'.repeat(slashes);
      if (slashes === 0) text += line[at++];
      continue;
    }
    // Before a quote, two stand for one; an odd one makes the quote a character.
    text += '\\'.repeat(slashes >> 1);
    at++;
    if (slashes % 2 === 1) {
      text += '"';
    } else if (quoted && line[at] === '"') {
      text += '"';
      at++;
    } else {
      quoted = !quoted;
    }
  }
  return { text, end: at };
}

/** The arguments of a command line, the program's name first. */
export function argumentsOf(commandLine: string): string[] {
  const line = commandLine.trimStart();
  const { name, end } = program(line);
  const all = [name];
  for (let at = end; ; ) {
    while (at < line.length && /[ \t]/.test(line[at] as string)) at++;
    if (at >= line.length) return all;
    const next = argument(line, at);
    all.push(next.text);
    at = next.end;
  }
}
