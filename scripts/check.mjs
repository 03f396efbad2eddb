/**
 * Everything that must hold besides the tests. Each part says what it found; a part that cannot run is
 * reported, and counts as a failure where CI=true.
 *
 *   node scripts/check.mjs [--only PART]...
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({ options: { only: { type: 'string', multiple: true } } });

const has = (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
const cFiles = [
  'native',
  'native/posix',
  'native/linux',
  'native/portable',
  'native/darwin',
  'native/win32',
  'native/without_crt',
  'bench/floors',
  'clients/c',
  'test/fixtures',
  'test/windows',
  'drivers/linux-ebpf',
  'drivers/windows-wdm',
].flatMap((folder) => {
  try {
    return readdirSync(join(root, folder))
      .filter((name) => /\.[ch]$/.test(name))
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
});

/** It uses them for files as well, where they hide what it says. */
const colours = process.stdout.isTTY ? [] : ['--colors=off'];

/** name, what it needs, command */
const parts = [
  { name: 'types', command: [process.execPath, 'scripts/build.mjs', '--quiet'] },
  { name: 'lint and format of TypeScript', command: ['node_modules/.bin/biome', 'ci', ...colours, '--error-on-warnings', '.'] },
  { name: 'format of C', needs: 'clang-format', command: ['clang-format', '--dry-run', '--Werror', ...cFiles] },
  { name: 'README examples', command: [process.execPath, 'scripts/readme.mjs'] },
  {
    name: 'sanitizers',
    needs: 'cc',
    command: [
      process.execPath,
      'scripts/test.mjs',
      '--sanitize',
      '--brief',
      ...[
        'promises',
        'sections',
        'dispatcher/alone',
        'os/',
        'files/',
        'nt/virtual',
        'nt/placeholders',
        'nt/file',
        'system/devices',
      ].flatMap((text) => ['--only', text]),
    ],
  },
];

let failures = 0;
const summary = [];
for (const { name, needs, command } of parts) {
  if (values.only !== undefined && !values.only.some((text) => name.includes(text))) continue;
  if (needs !== undefined && !has(needs)) {
    const counts = process.env.CI === 'true';
    if (counts) failures++;
    summary.push(`${counts ? 'FAILED' : 'not run'}  ${name}: ${needs} is not installed`);
    continue;
  }
  const started = performance.now();
  const { status } = spawnSync(command[0], command.slice(1), { cwd: root, stdio: 'inherit' });
  if (status !== 0) failures++;
  summary.push(`${status === 0 ? 'ok     ' : 'FAILED '}  ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
}
console.log(`\n${summary.join('\n')}`);
process.exit(failures === 0 ? 0 : 1);
