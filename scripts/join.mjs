/**
 * The built project once more, below build/joined, with the modules of dist/ joined: a process that a test starts loads
 * thirty files in place of two hundred, and starting processes is most of what the tests do. The tests run there, with the
 * same folders around them. Modules that are named from outside keep their names, and hand on what the joined files have, so
 * that a process has one instance of each. Users get the code joined as well: see bundle.mjs.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rollup } from '@rollup/wasm-node';
import { minify } from 'terser';
import { places, scriptsBelow, startedByPath } from './bundle.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const place = join(root, 'build', 'joined');
/** Folders of scripts that name modules by the way from theirs to dist/: they lie beside it. */
const besideCode = ['build-test', 'build-conformance'];
/** Loaded by name: copied as they are. */
const APART = 'drivers/';

const scriptsOf = (folder) => scriptsBelow(join(root, folder)).map((name) => join(folder, name));

/** Names below dist/ by which modules are imported or started. */
function namedModules(modules) {
  const { exports, bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const published = [...Object.values(exports).map((each) => each.default), ...Object.values(bin)]
    .filter((path) => path !== undefined)
    .map((path) => path.replace(/^(\.\/)?dist\//, ''));
  const imported = besideCode
    .flatMap(scriptsOf)
    .flatMap((file) => [...readFileSync(join(root, file), 'utf8').matchAll(/\bdist\/([\w./-]+\.js)\b/g)].map(([, name]) => name));
  const named = new Set([...published, ...startedByPath(join(root, 'dist'), modules), ...imported]);
  return modules.filter((name) => named.has(name));
}

/**
 * Without comments, which are half of it: a process that starts reads all that it loads. In ASCII, of which V8 keeps a byte each:
 * one letter beyond takes two for each of a file, and a tenth of the time that importing takes. Lines and names stay.
 */
const bare = {
  name: 'bare',
  renderChunk: async (code) =>
    (
      await minify(code, {
        module: true,
        ecma: 2022,
        compress: false,
        mangle: false,
        format: { beautify: true, comments: false, ascii_only: true },
      })
    ).code,
};

let closure;

/** The modules that one leads to, itself too. */
function closureOf(entry, getModuleInfo) {
  if (closure !== undefined) return closure;
  closure = new Set([entry]);
  for (const id of closure) for (const imported of getModuleInfo(id)?.importedIds ?? []) closure.add(imported);
  return closure;
}

async function joinModules(modules) {
  const from = join(root, 'dist');
  const nameOf = (id) => relative(from, id).split(sep).join('/');
  const build = await rollup({
    input: Object.fromEntries(namedModules(modules).map((name) => [name.replace(/\.js$/, ''), join(from, name)])),
    treeshake: false,
    external: (name, importer) => importer !== undefined && !/^[./]/.test(name),
    plugins: [places(nameOf), bare],
    onwarn(warning) {
      throw new Error(`joining the modules: ${warning.message}`);
    },
  });
  await build.write({
    dir: join(place, 'dist'),
    format: 'es',
    entryFileNames: '[name].js',
    chunkFileNames: 'parts/[name]-[hash].js',
    hoistTransitiveImports: false,
    // Else each entry would split what is loaded nearly always, for those that want a part of it.
    manualChunks: (id, { getModuleInfo }) => (closureOf(join(from, 'index.js'), getModuleInfo).has(id) ? 'core' : undefined),
  });
  await build.close();
}

function copy(name) {
  mkdirSync(dirname(join(place, name)), { recursive: true });
  cpSync(join(root, name), join(place, name));
}

function link(name) {
  const there = join(root, name);
  // Whoever may make no symbolic links on Windows may make junctions.
  if (statSync(there).isDirectory()) symlinkSync(there, join(place, name), 'junction');
  else copy(name);
}

/** Joins what is built, unless nothing has changed since. @returns the folder that the tests have for the project's root */
export async function joinBuilt() {
  const stamp = join(place, 'joined');
  const scripts = ['dist', ...besideCode].flatMap(scriptsOf);
  const inputs = [...scripts, 'package.json', 'scripts/bundle.mjs', 'scripts/join.mjs'];
  const newest = Math.max(...inputs.map((file) => statSync(join(root, file)).mtimeMs));
  if (existsSync(stamp) && statSync(stamp).mtimeMs > newest) return place;

  rmSync(place, { recursive: true, force: true });
  const modules = scriptsBelow(join(root, 'dist'));
  await joinModules(modules.filter((name) => !name.startsWith(APART)));
  for (const name of modules.filter((each) => each.startsWith(APART))) copy(join('dist', name));
  // For what compiles against the package. A module that is no name of its own any more keeps its types.
  const types = readdirSync(join(root, 'dist'), { recursive: true }).filter((name) => name.endsWith('.d.ts'));
  for (const name of types) copy(join('dist', name));
  link(join('dist', 'native'));
  for (const name of besideCode.flatMap(scriptsOf)) copy(name);
  // Everything else is what it is, from wherever it is looked at.
  for (const name of readdirSync(root)) if (name !== '.git' && !existsSync(join(place, name))) link(name);
  writeFileSync(stamp, '');
  return place;
}
