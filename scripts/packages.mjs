/**
 * Lays out, below build/packages/, the packages as they are published: one with the binary of each target,
 * one with the C sources for those who compile them on their own machine, and the main package.
 *
 * The main package's own package.json names no platform packages: they are in no registry until a version
 * is released, and `npm ci` refuses a lock file without them. They are written in here.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { bundle } from './bundle.mjs';
import { root, targets } from './native-targets.mjs';
import { writeTypes } from './types.mjs';

export const packagesFolder = join(root, 'build', 'packages');
/** The driver of `sectile demo`; the others are samples to read. */
const DEMO_DRIVER = 'host-telemetry';
/** The modules of constants, which faces export as a whole, and what these share with the rest of the code. */
const LISTS = ['base/status.js', 'nt/constants.js', 'win32/constants.js'];
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The folder of a package, by its name. */
export const folderOf = (name) => join(packagesFolder, name);
/** The name of a target's package. */
export const packageOf = (target) => `@sectile/${target.name}`;
export const SOURCE_PACKAGE = '@sectile/source';
export const KIT_PACKAGE = '@sectile/driver-kit';

/** What all packages say of themselves alike. */
const common = {
  version: manifest.version,
  license: manifest.license,
  // npm compares it with where a release is built: on GitHub the runner says.
  ...(process.env.GITHUB_REPOSITORY
    ? { repository: { type: 'git', url: `git+https://github.com/${process.env.GITHUB_REPOSITORY}.git` } }
    : {}),
};

function start(name, content, readme) {
  const folder = folderOf(name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ name, ...content }, null, 2)}\n`);
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  if (readme !== undefined) writeFileSync(join(folder, 'README.md'), readme);
  return folder;
}

/** Lays out the package of one target; its binary is to be written to the returned path. */
export function layPlatformPackage(target) {
  const name = packageOf(target);
  const folder = start(
    name,
    {
      ...common,
      description: `The native part of sectile for ${target.name}`,
      os: [target.os],
      cpu: [target.cpu],
      ...(target.libc ? { libc: [target.libc] } : {}),
      main: 'sectile.node',
      engines: manifest.engines,
      publishConfig: { access: 'public' },
    },
    `# ${name}\n\nThe native part of [sectile](https://www.npmjs.com/package/sectile) for ${target.name}. Install \`sectile\`: it brings\nthe package for the system.\n`,
  );
  return join(folder, 'sectile.node');
}

/** Lays out the C sources with a command that compiles them for the `sectile` of the project it is run in. */
export function laySourcePackage() {
  const headers = 'node-api-headers';
  const folder = start(
    SOURCE_PACKAGE,
    {
      ...common,
      description: 'The C sources of sectile, and a command that compiles them on this machine',
      type: 'module',
      bin: { 'sectile-build': 'scripts/build-installed.mjs' },
      dependencies: { [headers]: manifest.devDependencies[headers] },
      engines: manifest.engines,
      publishConfig: { access: 'public' },
    },
    `# ${SOURCE_PACKAGE}\n\nThe native part of [sectile](https://www.npmjs.com/package/sectile) as C sources, for systems without a prebuilt package:\n\n\`\`\`sh\nnpm install ${SOURCE_PACKAGE} && npx sectile-build\n\`\`\`\n\nIt needs a C compiler.\n`,
  );
  cpSync(join(root, 'native'), join(folder, 'native'), { recursive: true });
  for (const script of ['build-installed.mjs', 'build-native.mjs', 'native-targets.mjs']) {
    cpSync(join(root, 'scripts', script), join(folder, 'scripts', script));
  }
  chmodSync(join(folder, 'scripts', 'build-installed.mjs'), 0o755);
}

/** Lays out the templates of `sectile driver init`. */
export function layKitPackage() {
  const folder = start(
    KIT_PACKAGE,
    {
      ...common,
      description: 'The templates of "sectile driver init"',
      publishConfig: { access: 'public' },
    },
    `# ${KIT_PACKAGE}\n\nThe templates of \`sectile driver init\`. Install [sectile](https://www.npmjs.com/package/sectile): it brings them.\n`,
  );
  // What somebody built there is none of it.
  const filter = (source) => basename(source) !== 'build';
  cpSync(join(root, 'drivers', 'windows-wdm'), join(folder, 'windows-wdm'), { recursive: true, filter });
}

/**
 * Lays out the main package: the code shortened, and of the types those that users can reach, with comments
 * where users read them. Needs a finished `npm run build`.
 */
export async function layMainPackage() {
  const kept = ['description', 'keywords', 'type', 'engines', 'os', 'bin', 'exports'];
  const folder = start(manifest.name, {
    ...common,
    ...Object.fromEntries(kept.map((key) => [key, manifest[key]])),
    dependencies: { ...manifest.dependencies, [KIT_PACKAGE]: manifest.version },
    optionalDependencies: Object.fromEntries(targets.map((target) => [packageOf(target), manifest.version])),
    publishConfig: { access: 'public' },
  });
  for (const file of ['README.md', ...manifest.files.filter((name) => name !== 'dist')]) {
    cpSync(join(root, file), join(folder, file), { recursive: true });
  }

  // Emitted anew: dist/ may hold what a source that has gone left behind.
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  const whole = ['--sourceMap', 'false', '--composite', 'false', '--incremental', 'false'];
  const scratch = join(packagesFolder, '.emitted');
  rmSync(scratch, { recursive: true, force: true });
  const emit = (project, output, ...options) =>
    execFileSync(process.execPath, [tsc, '-p', join(root, project), ...whole, '--outDir', output, ...options], {
      stdio: 'inherit',
    });
  for (const [project, output] of [
    ['src', scratch],
    ['drivers', join(scratch, 'drivers')],
  ])
    emit(project, output, '--removeComments', '--declaration', 'false');
  for (const name of readdirSync(join(scratch, 'drivers'))) {
    if (name !== DEMO_DRIVER) rmSync(join(scratch, 'drivers', name), { recursive: true });
  }
  const code = join(folder, 'dist');
  const below = (path) => relative('dist', path);
  const modules = Object.values(manifest.exports).filter((entry) => typeof entry === 'object');
  const programs = Object.values(manifest.bin);
  await bundle(scratch, code, {
    entries: [...modules.map((entry) => entry.default), ...programs].map(below),
    lists: LISTS,
    apart: 'drivers',
  });

  const types = join(packagesFolder, '.types');
  rmSync(types, { recursive: true, force: true });
  const entries = modules.map((entry) => below(entry.types));
  emit('src', types, '--emitDeclarationOnly');
  writeTypes(types, code, entries);
  for (const used of [scratch, types]) rmSync(used, { recursive: true, force: true });
  for (const path of programs) chmodSync(join(folder, path), 0o755);
}

/** Where the packed packages are. */
export const tarballsFolder = join(root, 'build', 'tarballs');

/** The packages that are laid out, the main package last: the order to publish them in. */
export function laidPackages() {
  const scope = join(packagesFolder, '@sectile');
  const names = existsSync(scope) ? readdirSync(scope).sort() : [];
  return [...names.map((name) => `@sectile/${name}`), manifest.name]
    .filter((name) => existsSync(folderOf(name)))
    .map((name) => {
      const content = JSON.parse(readFileSync(join(folderOf(name), 'package.json'), 'utf8'));
      const file = `${name.replace(/^@/, '').replace('/', '-')}-${content.version}.tgz`;
      return { name, manifest: content, tarball: join(tarballsFolder, file) };
    });
}

/** Packs every package that is laid out, as npm publishes it. */
export function packAll() {
  rmSync(tarballsFolder, { recursive: true, force: true });
  mkdirSync(tarballsFolder, { recursive: true });
  const options = ['pack', '--silent', '--ignore-scripts', '--pack-destination', tarballsFolder];
  for (const { name } of laidPackages())
    execFileSync('npm', options, { cwd: folderOf(name), stdio: ['ignore', 'ignore', 'inherit'] });
}
