/**
 * Builds drivers/linux-ebpf: the eBPF program by clang, its loader by cc with libbpf.
 *
 *   node scripts/build-ebpf.mjs
 *
 * CLANG and CC name other compilers. What is up to date is left alone.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const source = (name) => join(root, 'drivers', 'linux-ebpf', name);
const folder = join(root, 'build', 'linux-ebpf');
const PACKAGES = 'Debian: apt-get install clang gcc libc6-dev libbpf-dev';

function stop(reason) {
  console.error(`linux-ebpf: ${reason}`);
  process.exit(1);
}

function firstOf(...names) {
  for (const name of names) {
    try {
      execFileSync(name, ['--version'], { stdio: 'ignore' });
      return name;
    } catch {
      // the next one
    }
  }
  return stop(`no compiler: ${names.join(' and ')} were not found. ${PACKAGES}.`);
}

/** Whether an output is older than any of what it is made of, or absent. */
function isStale(output, inputs) {
  if (!existsSync(output)) return true;
  const { mtimeMs } = statSync(output);
  return [...inputs, fileURLToPath(import.meta.url)].some((file) => statSync(file).mtimeMs > mtimeMs);
}

function build(name, inputs, compiler, flags, libraries = []) {
  const output = join(folder, name);
  if (!isStale(output, inputs.map(source))) return;
  const fresh = `${output}.${process.pid}`;
  try {
    execFileSync(compiler(), [...flags(), '-o', fresh, source(inputs[0]), ...libraries], { stdio: 'inherit' });
    renameSync(fresh, output);
  } catch {
    stop(`${inputs[0]} does not compile; the compiler's words are above. ${PACKAGES}.`);
  }
}

const WARNINGS = ['-Wall', '-Wextra', '-Werror', '-Wshadow'];
const cc = () => firstOf(process.env.CC ?? 'cc');
const clang = () => firstOf(process.env.CLANG ?? 'clang', 'clang-14');

if (process.platform !== 'linux') stop('eBPF is a part of Linux: there is nothing to build here.');
mkdirSync(folder, { recursive: true });
build('loader', ['loader.c'], cc, () => ['-std=gnu11', '-O2', ...WARNINGS, '-D_FORTIFY_SOURCE=2'], ['-lbpf']);
build('events.bpf.o', ['events.bpf.c', 'layout.h'], clang, () => [
  ...['-target', 'bpf', '-mcpu=v3', '-O2', '-g', ...WARNINGS],
  // The kernel's headers of this machine's processor: for the target bpf clang does not look there.
  ...['-idirafter', join('/usr/include', execFileSync(cc(), ['-print-multiarch'], { encoding: 'utf8' }).trim())],
  '-c',
]);
