/**
 * Wine as a Windows for tests: a fresh prefix, programs in it, drivers in its kernel, and nothing left behind.
 *
 *   import { Wine } from './wine.mjs';
 *   const wine = await Wine.start();
 *   try {
 *     const { code, stdout } = await wine.run('program.exe', ['argument']);
 *     await wine.loadDriver('SectileWdm', 'SectileWdm.sys');
 *     await wine.unloadDriver('SectileWdm');
 *   } finally {
 *     wine.stop();
 *   }
 *
 * A program's output goes to files, because Node.js for Windows cannot write to a Unix pipe under Wine.
 */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** The compiler for Windows programs, drivers and addons. */
export const WINDOWS_CC = process.env.SECTILE_WINDOWS_CC ?? 'x86_64-w64-mingw32-gcc';

/** Debian keeps the 64-bit loader beside a script that complains of a missing 32-bit one. */
function findTool(...candidates) {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return candidates
    .flatMap((name) => (name.startsWith('/') ? [name] : folders.map((folder) => join(folder, name))))
    .find((path) => existsSync(path));
}

const findLoader = () => findTool('/usr/lib/wine/wine64', 'wine64', 'wine');
const findServer = () => findTool('wineserver', '/usr/lib/wine/wineserver64', '/usr/lib/wine/wineserver');

/** What is missing on this machine, as one line that says what to install; null when everything is there. */
export function missingTools() {
  const missing = [];
  if (findLoader() === undefined || findServer() === undefined) missing.push('wine', 'wine64');
  if (spawnSync(WINDOWS_CC, ['--version'], { stdio: 'ignore' }).error !== undefined) missing.push('gcc-mingw-w64-x86-64');
  if (spawnSync('make', ['--version'], { stdio: 'ignore' }).error !== undefined) missing.push('make');
  if (missing.length === 0) return null;
  return `missing for tests of Windows: apt-get install --no-install-recommends ${missing.join(' ')}`;
}

/** A file of this machine as Windows programs name it. */
export const windowsPath = (path) => `Z:${resolve(path).replaceAll('/', '\\')}`;

/**
 * Compiles C for Windows, when the program is not newer than all its sources.
 *
 * @param {string} output The program or library to be made
 * @param {string[]} sources C files, below the project
 * @param {{ flags?: string[], libraries?: string[], depends?: string[] }} [options]
 * @returns {string} the output's path
 */
export function compileForWindows(output, sources, { flags = [], libraries = [], depends = [] } = {}) {
  const inputs = sources.map((source) => resolve(root, source));
  const changed = [...inputs, ...depends.map((file) => resolve(root, file))].map((file) => statSync(file).mtimeMs);
  if (existsSync(output) && statSync(output).mtimeMs > Math.max(...changed)) return output;
  mkdirSync(dirname(output), { recursive: true });
  const command = [
    '-std=gnu11',
    '-O2',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-municode',
    ...flags,
    '-o',
    output,
    ...inputs,
    ...libraries,
  ];
  const { status, error, stderr } = spawnSync(WINDOWS_CC, command, { encoding: 'utf8' });
  if (error) throw new Error(missingTools() ?? error.message);
  if (status !== 0) throw new Error(`${sources.join(' ')} does not compile for Windows:\n${stderr}`);
  return output;
}

/** Builds the driver kit of a folder (its Makefile) into another, and gives the folder with the .sys and .exe files. */
export function buildDriverKit(
  folder = join(root, 'drivers', 'windows-wdm'),
  output = join(root, 'build', 'windows', 'SectileWdm'),
) {
  const { status, error, stderr } = spawnSync('make', ['-C', folder, `OUT=${output}`, `CC=${WINDOWS_CC}`], { encoding: 'utf8' });
  if (error) throw new Error(missingTools() ?? error.message);
  if (status !== 0) throw new Error(`${folder} does not build:\n${stderr}`);
  return output;
}

/** Prefixes that are still there: whatever ends this process, they go. */
const running = new Set();
function stopAll() {
  for (const wine of running) wine.stop();
}
process.once('exit', stopAll);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    stopAll();
    process.kill(process.pid, signal);
  });
}

export class Wine {
  /** The folder that is this Windows. */
  prefix;
  #loader = findLoader();
  #server = findServer();
  #runs = 0;
  #env;
  #before;

  constructor(folder, env, processors) {
    this.prefix = join(folder, 'prefix');
    this.folder = folder;
    this.#before = processors === undefined ? [] : ['taskset', '-c', processors];
    this.#env = {
      ...process.env,
      WINEPREFIX: this.prefix,
      WINELOADER: this.#loader,
      WINEDEBUG: '-all',
      // No .NET, no browser engine: a prefix without them starts in seconds and asks nothing.
      WINEDLLOVERRIDES: 'mscoree,mshtml=',
      DISPLAY: '',
      // Node.js reads them at every start, and there byte by byte: half of the time that a start takes.
      NODE_EXTRA_CA_CERTS: undefined,
      ...env,
    };
  }

  /**
   * Makes a fresh prefix and starts it as Windows 10.
   *
   * @param {{ folder?: string, env?: Record<string, string>, processors?: string }} [options] `folder`: where to make it,
   *   a temporary one otherwise; `env`: for every program in it; `processors`: the only ones that it and its server run
   *   on, as taskset(1) takes them
   */
  static async start({ folder = mkdtempSync(join(tmpdir(), 'sectile-wine-')), env = {}, processors } = {}) {
    const missing = missingTools();
    if (missing !== null) throw new Error(missing);
    mkdirSync(folder, { recursive: true });
    const wine = new Wine(folder, env, processors);
    running.add(wine);
    try {
      await wine.#prepare().catch((error) => {
        // Wine's own services, half started, may fail a program: seen once in hundreds of prefixes.
        console.error(`${error.message} Once more, in another prefix.`);
        wine.#endServer();
        rmSync(wine.prefix, { recursive: true, force: true, maxRetries: 5 });
        return wine.#prepare();
      });
      return wine;
    } catch (error) {
      wine.stop();
      throw error;
    }
  }

  async #prepare() {
    for (const [program, ...args] of [
      ['wineboot', '-i'],
      ['winecfg', '-v', 'win10'],
    ]) {
      const { code, stderr } = await this.run(program, args, { timeout: 120_000 });
      if (code !== 0) throw new Error(`Wine does not start: ${program} ended with ${code}. ${stderr.trim()}`.trim());
    }
    // Services that found the prefix half made may hang, and drivers with them: the next program starts them anew.
    this.#endServer();
  }

  /**
   * Starts a program and does not wait for it.
   *
   * @param {string} program A .exe of this machine, or a program that Wine has
   * @param {string[]} [args]
   * @param {{ cwd?: string, env?: Record<string, string>, timeout?: number, stdin?: 'pipe' | 'ignore' }} [options]
   *   `stdin`: 'ignore' for Node.js that looks at it: a Unix pipe is nothing that it knows
   * @returns `finished`, a promise of {@link run}'s result; `stdout()` and `stderr()`, what has come so far; `stdin`,
   *   a stream; `kill()`
   */
  spawn(program, args = [], { cwd, env = {}, timeout = 60_000, stdin = 'pipe' } = {}) {
    const name = join(this.folder, `run-${++this.#runs}`);
    const files = { stdout: `${name}.out`, stderr: `${name}.err` };
    const descriptors = [openSync(files.stdout, 'w'), openSync(files.stderr, 'w')];
    const [command, ...more] = [...this.#before, this.#loader, program, ...args];
    const child = spawn(command, more, {
      cwd,
      env: { ...this.#env, ...env },
      stdio: [stdin, ...descriptors],
    });
    for (const descriptor of descriptors) closeSync(descriptor);
    // A program that ends before it has read everything is its own affair.
    child.stdin?.on('error', () => {});
    const stdout = () => readFileSync(files.stdout, 'utf8');
    const stderr = () => readFileSync(files.stderr, 'utf8');
    const finished = new Promise((fulfil, reject) => {
      const timer = setTimeout(() => child.kill('SIGKILL'), timeout);
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        const result = { code, signal, stdout: stdout(), stderr: stderr() };
        if (signal === 'SIGKILL') result.stderr += `\n${program} was killed, after ${timeout} ms or by hand`;
        fulfil(result);
      });
    });
    return { child, stdin: child.stdin, finished, stdout, stderr, kill: () => child.kill('SIGKILL') };
  }

  /**
   * Runs a program to its end.
   *
   * @returns {Promise<{ code: number | null, signal: string | null, stdout: string, stderr: string }>}
   */
  async run(program, args = [], { input = '', ...options } = {}) {
    const started = this.spawn(program, args, options);
    started.stdin?.end(input);
    return await started.finished;
  }

  async #service(...args) {
    const program = compileForWindows(join(root, 'build', 'windows', 'service.exe'), ['test/windows/service.c']);
    const { code, stderr } = await this.run(program, args);
    if (code !== 0) throw new Error(`service ${args.join(' ')}: ${stderr.trim()}`);
  }

  /** Loads a driver by its service; the promise is kept when DriverEntry has succeeded. */
  async loadDriver(name, file) {
    await this.#service('load', name, windowsPath(file));
  }

  /** Unloads it; the promise is kept when the driver has gone. */
  async unloadDriver(name) {
    await this.#service('unload', name);
  }

  #endServer() {
    spawnSync(this.#server, ['-k'], { env: this.#env, stdio: 'ignore' });
    spawnSync(this.#server, ['-w'], { env: this.#env, stdio: 'ignore', timeout: 10_000 });
  }

  /** Ends every program of this prefix and removes it. Safe to call twice. */
  stop() {
    if (!running.delete(this)) return;
    this.#endServer();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
