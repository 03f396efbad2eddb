/**
 * Keeps of the declaration files, for the published package, what its users can reach: the declarations that the entries
 * export and those that these name, without members that are marked @internal. Comments stay where users read them: in
 * files that the entries re-export from.
 *
 * It reads what tsc wrote, where each declaration starts at the beginning of a line. A name counts as used wherever it
 * stands, so too much may stay and nothing that is needed goes.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

const NAME = /[A-Za-z_$][\w$]*/g;
const comments = (text) => text.replace(/^[ \t]*\/\*\*[\s\S]*?\*\/[ \t]*\n?/gm, '');

/** Takes @internal members out of a declaration; a constructor stays as one that users cannot call. */
function withoutInternal(text) {
  const lines = text.split('\n');
  const kept = [];
  for (let at = 0; at < lines.length; at++) {
    const indent = /^( +)\/\*\*/.exec(lines[at])?.[1];
    let end = at;
    if (indent !== undefined) while (!lines[end].includes('*/')) end++;
    const internal = indent !== undefined && lines.slice(at, end + 1).some((line) => line.includes('@internal'));
    if (!internal) {
      kept.push(lines[at]);
      continue;
    }
    // The member: to the line at its own indent that ends it.
    at = end + 1;
    if (lines[at].startsWith(`${indent}constructor(`)) kept.push(`${indent}protected constructor();`);
    while (!(lines[at].startsWith(indent) && lines[at][indent.length] !== ' ' && lines[at].endsWith(';'))) at++;
  }
  return kept.join('\n');
}

/** The top-level statements of a file, each with the comments above it. */
function statementsOf(text) {
  const statements = [];
  let commented = false;
  for (const line of text.split('\n').filter((line) => line !== '' && !line.startsWith('//#'))) {
    const starts = /^[A-Za-z/]/.test(line);
    if (starts && !commented) statements.push('');
    if (starts) commented = line.startsWith('/**');
    statements[statements.length - 1] += `${line}\n`;
  }
  return statements;
}

const specifiers = (list) =>
  list
    .split(',')
    .map((item) => /^\s*(type\s+)?([\w$]+)(?:\s+as\s+([\w$]+))?\s*$/.exec(item))
    .filter((match) => match !== null)
    .map(([, type = '', name, as = name]) => ({ type, name, as }));

/** What a declaration file holds. */
function parse(folder, file) {
  const declared = new Map(); // name -> indexes of the declarations
  const imported = new Map(); // local name -> { file, name }
  const parsed = statementsOf(withoutInternal(readFileSync(join(folder, file), 'utf8'))).map((text, index) => {
    const code = comments(text).trim();
    const from = /\bfrom ['"]([^'"]+)['"];$/.exec(code)?.[1];
    const target = from?.startsWith('.') ? posix.join(posix.dirname(file), from.replace(/\.js$/, '.d.ts')) : null;
    const list = /^(import|export)( type)? \{([\s\S]*)\}(?: from|;)/.exec(code);
    if (list !== null) {
      const names = specifiers(list[3]);
      if (list[1] === 'import') for (const { name, as } of names) imported.set(as, { file: target, name, index });
      return { text, code, kind: list[1], type: list[2] ?? '', from, target, names };
    }
    if (/^export \* from/.test(code)) return { text, code, kind: 'all', from, target };
    const whole = /^import (?:type )?(?:\* as )?([\w$]+) from/.exec(code);
    if (whole !== null) {
      imported.set(whole[1], { file: target, name: '*', index });
      return { text, code, kind: 'whole', from, target };
    }
    if (/^import ['"]/.test(code)) return { text, code, kind: 'bare' };
    const name =
      /^(?:export )?(?:declare )?(?:abstract )?(?:const enum|class|const|let|enum|function|interface|namespace|type) ([\w$]+)/.exec(
        code,
      )?.[1];
    if (name === undefined) throw new Error(`${file}: no declaration that this reads: ${code.slice(0, 80)}`);
    declared.set(name, [...(declared.get(name) ?? []), index]);
    return { text, code, kind: 'declaration', name, exported: code.startsWith('export ') };
  });
  return { file, statements: parsed, declared, imported, used: new Set(), names: new Set() };
}

/**
 * Writes to `to` what the entries lead to of the declaration files below `from`.
 *
 * @param {string[]} entries the files that are named from outside
 */
export function writeTypes(from, to, entries) {
  const files = new Map();
  const fileOf = (name) => {
    if (!files.has(name)) files.set(name, parse(from, name));
    return files.get(name);
  };
  const commented = new Set();

  /** A name within a file is needed: its declarations, or what it was imported from. */
  function use(file, name) {
    const from = file.imported.get(name);
    if (from !== undefined && !file.names.has(name)) {
      file.names.add(name);
      file.used.add(from.index);
      if (from.file !== null) from.name === '*' ? everything(fileOf(from.file)) : need(fileOf(from.file), from.name);
    }
    for (const index of file.declared.get(name) ?? []) {
      if (file.used.has(index)) continue;
      file.used.add(index);
      const { code } = file.statements[index];
      for (const [word] of code.matchAll(NAME)) use(file, word);
      for (const [, path, member] of code.matchAll(/import\(['"](\.[^'"]+)['"]\)\.([\w$]+)/g))
        need(fileOf(posix.join(posix.dirname(file.file), path.replace(/\.js$/, '.d.ts'))), member);
    }
  }

  /** An export of a file is needed. Tells whether the file has it. */
  function need(file, name) {
    const declaration = file.statements.find((one) => one.kind === 'declaration' && one.exported && one.name === name);
    if (declaration !== undefined) {
      use(file, name);
      return true;
    }
    for (const [index, one] of file.statements.entries()) {
      const listed = one.kind === 'export' ? one.names.find(({ as }) => as === name) : undefined;
      if (listed !== undefined) {
        file.used.add(index);
        file.names.add(`export ${name}`);
        if (one.from === undefined) use(file, listed.name);
        else if (one.target !== null) need(fileOf(one.target), listed.name);
        return true;
      }
    }
    return file.statements.some((one, index) => {
      if (one.kind !== 'all' || one.target === null || !need(fileOf(one.target), name)) return false;
      file.used.add(index);
      return true;
    });
  }

  /** All exports of a file are needed. */
  function everything(file) {
    for (const [index, one] of file.statements.entries()) {
      if (one.kind === 'declaration' && one.exported) use(file, one.name);
      if (one.kind === 'export') for (const { as } of one.names) need(file, as);
      if (one.kind === 'all') {
        file.used.add(index);
        if (one.target !== null) everything(fileOf(one.target));
      }
    }
  }

  function read(name) {
    if (commented.has(name)) return;
    commented.add(name);
    for (const { kind, target } of fileOf(name).statements) if ((kind === 'export' || kind === 'all') && target) read(target);
  }

  for (const entry of entries) {
    everything(fileOf(entry));
    read(entry);
  }
  for (const file of files.values()) {
    if (file.used.size === 0) continue;
    const kept = [...file.used].sort((a, b) => a - b).map((index) => written(file, file.statements[index]));
    const [first] = file.statements;
    const head =
      entries.includes(file.file) && first.kind !== 'declaration' ? first.text.slice(0, first.text.indexOf(first.code)) : '';
    const text = head + kept.join('');
    const path = join(to, file.file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, commented.has(file.file) ? text : comments(text));
  }
  for (const entry of entries) if (!existsSync(join(to, entry))) throw new Error(`${entry} exports nothing`);
}

/** A statement as it stays: of imports and lists, the names that are needed. */
function written(file, { text, code, kind, type, names, from }) {
  if (kind === 'declaration') return text;
  if (kind !== 'import' && kind !== 'export') return `${code}\n`;
  const kept = names.filter(({ as }) => file.names.has(kind === 'import' ? as : `export ${as}`));
  const list = kept.map((one) => `${one.type}${one.name === one.as ? one.name : `${one.name} as ${one.as}`}`).join(', ');
  return `${kind}${type} { ${list} }${from === undefined ? '' : ` from '${from}'`};\n`;
}
