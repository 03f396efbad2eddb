/**
 * Where the native part is looked for, and what is said when it is not there. A copy of the built
 * files stands for an installed package.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const library = process.platform === 'linux' ? '-gnu' : '';
const packageName = `@sectile/${process.platform}-${process.arch}${library}`;

function installed(use: (project: string, run: (environment?: NodeJS.ProcessEnv) => string) => void): void {
  const project = mkdtempSync(join(tmpdir(), 'sectile-installed-'));
  try {
    const folder = join(project, 'node_modules', 'sectile');
    mkdirSync(folder, { recursive: true });
    cpSync(join(root, 'package.json'), join(folder, 'package.json'));
    cpSync(join(root, 'dist'), join(folder, 'dist'), {
      recursive: true,
      filter: (source) => !source.endsWith(join('dist', 'native')),
    });
    const script = `import('sectile').then(({ Section }) => Section.create({ size: 4096 }).close(), (error) => console.log(error.code, error.message)).then(() => console.log('end'))`;
    use(project, (environment = {}) => {
      const { SECTILE_NATIVE: _, ...rest } = process.env;
      const result = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
        cwd: project,
        env: { ...rest, SECTILE_RUNTIME_DIR: project, ...environment },
        encoding: 'utf8',
      });
      assert.equal(result.status, 0, result.stderr);
      return result.stdout;
    });
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

function addPackage(project: string, content: (folder: string) => void): void {
  const folder = join(project, 'node_modules', packageName);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: packageName, version: '0.1.0', main: 'sectile.node' }));
  content(folder);
}

const addon = process.env['SECTILE_NATIVE'] || join(root, 'dist', 'native', 'sectile.node');

test('a native part that is missing is named, with the ways to get it', () => {
  installed((_project, run) => {
    const said = run();
    assert.match(said, /^ERR_SECTION_NATIVE/);
    assert.ok(said.includes(packageName), said);
    assert.match(said, /--omit=optional/);
  });
});

test('the package for this system is found without any setting', () => {
  installed((project, run) => {
    addPackage(project, (folder) => cpSync(addon, join(folder, 'sectile.node')));
    assert.equal(run(), 'end\n');
  });
});

test('a build of its own comes before the package, a named one before both', () => {
  installed((project, run) => {
    addPackage(project, (folder) => writeFileSync(join(folder, 'sectile.node'), 'not a library'));
    assert.match(run(), /^ERR_SECTION_NATIVE .*does not load/);
    const own = join(project, 'node_modules', 'sectile', 'dist', 'native');
    mkdirSync(own);
    cpSync(addon, join(own, 'sectile.node'));
    assert.equal(run(), 'end\n');
    writeFileSync(join(own, 'sectile.node'), 'not a library');
    assert.match(run(), /^ERR_SECTION_NATIVE .*does not load/);
    assert.equal(run({ SECTILE_NATIVE: addon }), 'end\n');
  });
});
