/**
 * Makes few and short files of the compiled code, for the published package: modules are joined, comments
 * and what nobody calls left out, local names shortened. Functions and classes keep their names, for stack
 * traces. Every file that is named from outside (an export, a program, a file that code starts by its path)
 * stays where it was.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { rollup } from '@rollup/wasm-node';
import { minify } from 'terser';

const mangle = { toplevel: true, keep_fnames: true, keep_classnames: true };
const shorten = async (code) => (await minify(code, { module: true, ecma: 2022, compress: false, mangle })).code;
const write = (file, text) => {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
};
const scriptsBelow = (folder) =>
  readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.js'))
    .map((name) => name.split(sep).join('/'));

/** The scripts that code names by their place beside it, as `new URL('./peer.js', import.meta.url)`. */
function startedByPath(folder, names) {
  return names.flatMap((name) =>
    [...readFileSync(join(folder, name), 'utf8').matchAll(/new URL\(['"](\.[^'"]+\.js)['"],\s*import\.meta\.url\)/g)].map(
      ([, path]) => posix.join(posix.dirname(name), path),
    ),
  );
}

/**
 * Writes the code below `from` to `to`.
 *
 * @param {{ entries: string[], apart: string }} options `entries`: the files that are named from outside; `apart`: a folder
 *   whose files are shortened and not joined, because they are loaded by name
 */
export async function bundle(from, to, { entries, apart }) {
  const all = scriptsBelow(from);
  const loaded = all.filter((name) => name.startsWith(`${apart}/`));
  for (const name of loaded) write(join(to, name), await shorten(readFileSync(join(from, name), 'utf8')));

  const joined = all.filter((name) => !name.startsWith(`${apart}/`));
  const roots = [...new Set([...entries, ...startedByPath(from, joined)])];
  const build = await rollup({
    input: Object.fromEntries(roots.map((name) => [name.replace(/\.js$/, ''), join(from, name)])),
    external: (name) => !/^[./]/.test(name),
    plugins: [
      {
        name: 'places',
        // A module finds what lies beside it from where it was, not from the file that it has come into.
        resolveImportMeta: (property, { chunkId, moduleId }) =>
          property === 'url'
            ? `new URL(${JSON.stringify(posix.relative(posix.dirname(chunkId), relative(from, moduleId).split(sep).join('/')).replace(/^(?!\.)/, './'))}, import.meta.url).href`
            : null,
      },
    ],
    onwarn(warning) {
      throw new Error(`joining the modules: ${warning.message}`);
    },
  });
  const { output } = await build.generate({
    format: 'es',
    entryFileNames: '[name].js',
    chunkFileNames: 'parts/[name]-[hash].js',
  });
  await build.close();
  for (const { fileName, code } of output) write(join(to, fileName), await shorten(code));
}
