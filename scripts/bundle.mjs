/**
 * Makes few and short files of the compiled code, for the published package: modules are joined, comments
 * and what nobody calls left out, local names shortened. Functions and classes keep their names, for stack
 * traces. Every file that is named from outside (an export, a program, a file that code starts by its path)
 * stays where it was.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative, resolve, sep } from 'node:path';
import { rollup } from '@rollup/wasm-node';
import { minify } from 'terser';

const names = { keep_fnames: true, keep_classnames: true };
const mangle = { toplevel: true, ...names };
// Functions stay functions of their own: a stack trace shows each call that the source has.
const compress = { inline: 0, reduce_funcs: false, passes: 2, ...names };
// V8 keeps ASCII in a byte a letter; one letter beyond it takes two for each of a file, and importing a tenth longer.
const format = { ascii_only: true };
const shorten = async (code) => (await minify(code, { module: true, ecma: 2022, compress, mangle, format })).code;
const write = (file, text) => {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
};
export const scriptsBelow = (folder) =>
  readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.js'))
    .map((name) => name.split(sep).join('/'));

/** The scripts that code names by their place beside it, as `new URL('./peer.js', import.meta.url)`. */
export function startedByPath(folder, names) {
  return names.flatMap((name) =>
    [...readFileSync(join(folder, name), 'utf8').matchAll(/new URL\(['"](\.[^'"]+\.js)['"],\s*import\.meta\.url\)/g)].map(
      ([, path]) => posix.join(posix.dirname(name), path),
    ),
  );
}

/** For rollup: a module finds what lies beside it from where it was, not from the file that it has come into. */
export const places = (named) => ({
  name: 'places',
  resolveImportMeta: (property, { chunkId, moduleId }) =>
    property === 'url'
      ? `new URL(${JSON.stringify(posix.relative(posix.dirname(chunkId), named(moduleId)).replace(/^(?!\.)/, './'))}, import.meta.url).href`
      : null,
});

/** Joins what the inputs lead to, without the lists that are no input. */
async function joinModules(from, to, inputs, lists) {
  const named = (file) => relative(from, file).split(sep).join('/');
  // Rollup counts paths from the folder that all inputs share.
  const base = inputs.length === 1 ? posix.dirname(inputs[0]) : '.';
  const build = await rollup({
    input: Object.fromEntries(inputs.map((name) => [posix.relative(base, name).replace(/\.js$/, ''), join(from, name)])),
    // Of what a list takes its values from, nothing else is wanted a second time.
    ...(lists.includes(inputs[0]) ? { treeshake: { moduleSideEffects: false } } : {}),
    external: (name, importer) => {
      if (importer === undefined) return false;
      const file = named(resolve(dirname(importer), name));
      return !/^[./]/.test(name) || (lists.includes(file) && !inputs.includes(file));
    },
    plugins: [places(named)],
    onwarn(warning) {
      throw new Error(`joining the modules: ${warning.message}`);
    },
  });
  const { output } = await build.generate({
    format: 'es',
    entryFileNames: '[name].js',
    // Without a hash: names decide what stands beside what in the package, and so how well that is compressed.
    chunkFileNames: 'parts/[name].js',
    // A part names what it uses itself: what that uses in turn would be named once more in each.
    hoistTransitiveImports: false,
  });
  await build.close();
  for (const { fileName, code } of output) write(join(to, base, fileName), await shorten(code));
}

/**
 * Writes the code below `from` to `to`.
 *
 * @param {{ entries: string[], lists: string[], apart: string }} options `entries`: the files that are named from outside;
 *   `lists`: modules of named values that entries export as a whole (`export *`): they stay files of their own, or each entry
 *   would spell out every name; `apart`: a folder whose files are shortened and not joined, because they are loaded by name
 */
export async function bundle(from, to, { entries, lists, apart }) {
  const all = scriptsBelow(from);
  const loaded = all.filter((name) => name.startsWith(`${apart}/`));
  for (const name of loaded) write(join(to, name), await shorten(readFileSync(join(from, name), 'utf8')));

  const joined = all.filter((name) => !name.startsWith(`${apart}/`));
  const roots = [...new Set([...entries, ...startedByPath(from, joined)])];
  for (const inputs of [roots, ...lists.map((name) => [name])]) await joinModules(from, to, inputs, lists);
}
