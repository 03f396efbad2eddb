/**
 * Keeps of the declaration files, for the published package, what its users can reach: the declarations that the entries
 * export and those that these name, without members that are marked @internal. Comments stay where users read them: in
 * files that the entries re-export from. Small files come joined.
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
  const kept = [...files.values()].filter((file) => file.used.size > 0);
  const joined = chooseJoined(kept, entries, (name, exported) => origin(fileOf(name), exported));
  const textOf = (file, text) => (commented.has(file.file) ? text : comments(text));
  const out = (name, text) => {
    mkdirSync(dirname(join(to, name)), { recursive: true });
    writeFileSync(join(to, name), text);
  };
  /** Imports or exports, one for each file that they come from; none of what stands in the same file. */
  const lists = (from, one, names) => {
    const groups = new Map();
    for (const each of names) {
      const [file, name] =
        one.target === null || one.from === undefined ? [null, each.name] : origin(fileOf(one.target), each.name);
      const place = file === null ? one.from : joined.has(file.file) ? JOINED : file.file;
      if (place === from && one.kind === 'import') continue;
      const path =
        file === null
          ? place
          : posix
              .relative(posix.dirname(from), place)
              .replace(/^(?!\.)/, './')
              .replace(/\.d\.ts$/, '.js');
      groups.set(path, [...(groups.get(path) ?? []), `${each.type}${name === each.as ? name : `${name} as ${each.as}`}`]);
    }
    return [...groups].map(
      ([path, all]) => `${one.kind}${one.type} { ${all.join(', ')} }${path === undefined ? '' : ` from '${path}'`};\n`,
    );
  };
  const written = (file, place) =>
    [...file.used]
      .sort((first, second) => first - second)
      .map((index) => {
        const one = file.statements[index];
        // What the file is for stands above it with nobody to read it.
        if (one.kind === 'declaration') return textOf(file, one.text.replace(/^\/\*\*[\s\S]*?\*\/\n(?=\/\*\*)/, ''));
        // Whoever wants what a joined file passes on gets it from where it is.
        if (one.kind === 'export' && place === JOINED) return '';
        if (one.kind !== 'import' && one.kind !== 'export') return `${one.code}\n`;
        return lists(place, one, namesOf(file, one)).join('');
      })
      .join('');
  const together = kept.filter((file) => joined.has(file.file)).map((file) => written(file, JOINED));
  const imported = new Set();
  const once = (whole, path) => {
    const names = specifiers(/\{(.*)\}/.exec(whole)[1]).filter(({ as }) => !imported.has(as));
    for (const { as } of names) imported.add(as);
    return names.length === 0 ? '' : `import type { ${names.map(({ name }) => name).join(', ')} } from '${path}';\n`;
  };
  if (together.length > 0) out(JOINED, together.join('').replace(/^import .* from '(.*)';\n/gm, once));
  for (const file of kept) {
    const passesOn = !file.statements.some((one, index) => file.used.has(index) && one.kind === 'declaration');
    if (joined.has(file.file) || (passesOn && !entries.includes(file.file) && !isStarred(kept, file.file))) continue;
    const [first] = file.statements;
    const head =
      entries.includes(file.file) && first.kind !== 'declaration' ? first.text.slice(0, first.text.indexOf(first.code)) : '';
    out(file.file, head + written(file, file.file));
  }
  for (const entry of entries) if (!existsSync(join(to, entry))) throw new Error(`${entry} exports nothing`);

  /** Where an export of a file is declared, and under which name. */
  function origin(file, name) {
    if (file.statements.some((one) => one.kind === 'declaration' && one.exported && one.name === name)) return [file, name];
    for (const one of file.statements) {
      const listed = one.kind === 'export' ? one.names.find(({ as }) => as === name) : undefined;
      if (listed === undefined) continue;
      if (one.from !== undefined) return one.target === null ? [file, name] : origin(fileOf(one.target), listed.name);
      const from = file.imported.get(listed.name);
      return from === undefined || from.file === null ? [file, name] : origin(fileOf(from.file), from.name);
    }
    for (const one of file.statements) {
      const found = one.kind === 'all' && one.target !== null ? origin(fileOf(one.target), name) : null;
      if (found !== null) return found;
    }
    return null;
  }
}

/** The file into which the declarations of small files are joined: each file of its own costs its head in the package. */
const JOINED = 'types.d.ts';

/** Of a list, the names that are needed. */
const namesOf = (file, { kind, names }) => names.filter(({ as }) => file.names.has(kind === 'import' ? as : `export ${as}`));

/** Whether somebody exports a whole file. */
const isStarred = (files, name) =>
  files.some((file) => file.statements.some((one, index) => one.kind === 'all' && one.target === name && file.used.has(index)));

/** The files that can stand in one: nobody exports them as a whole, they rename nothing, and each name in them means one thing. */
function chooseJoined(files, entries, origin) {
  const chosen = new Set();
  const taken = new Set();
  for (const file of files) {
    const used = file.statements.filter((_, index) => file.used.has(index));
    const names = used.filter(({ kind }) => kind === 'declaration').map(({ name }) => name);
    const isPlain = used.every(
      (one) =>
        one.kind === 'declaration' ||
        (one.kind === 'import' && one.target !== null && one.names.every(({ name, as }) => name === as)) ||
        (one.kind === 'export' && one.from !== undefined),
    );
    const isClear = names.length > 0 && names.every((name) => !taken.has(name) && !(name in globalThis));
    if (!isPlain || !isClear || entries.includes(file.file) || isStarred(files, file.file)) continue;
    if (used.some(({ code }) => /import\(['"]\./.test(code))) continue;
    const renames = used.some(
      (one) => one.kind === 'import' && namesOf(file, one).some(({ name, as }) => origin(one.target, name)?.[1] !== as),
    );
    if (renames) continue;
    chosen.add(file.file);
    for (const name of names) taken.add(name);
  }
  return chosen;
}
