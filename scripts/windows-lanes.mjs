/**
 * Windows for tests: each lane one that runs one program at a time, under Wine a fresh prefix with names of its own, or
 * Windows itself. Work that waits is done by whichever lane is free.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Wine, windowsPath } from './wine.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
export const onWindows = process.platform === 'win32';

/** A path, and its URL, as programs there name it. */
export const there = (path) => (onWindows ? path : windowsPath(path));
export const thereUrl = (path) => (onWindows ? pathToFileURL(path).href : `file:///Z:${path}`);

function runHere(node, args, { output, timeout }, environment) {
  const [out, err] = [openSync(output, 'w'), openSync(`${output}.err`, 'w')];
  const child = spawn(node, args, { cwd: root, stdio: ['ignore', out, err], env: { ...process.env, ...environment } });
  for (const each of [out, err]) closeSync(each);
  const timer = setTimeout(() => child.kill(), timeout);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout: readFileSync(output, 'utf8'), stderr: readFileSync(`${output}.err`, 'utf8') });
    });
  });
}

/**
 * @param {string} folder Where Wine's prefix is made
 * @param {Record<string, string>} environment For every program
 * @returns `run(node, args, { output, timeout, env })`: `output` is a file that it may write, `timeout` in milliseconds,
 *   `env` what is set for this program under Wine; `stop()`
 */
async function startLane(folder, environment) {
  if (onWindows) return { run: (node, args, options) => runHere(node, args, options, environment), stop: () => {} };
  const wine = await Wine.start({ folder, env: { ...environment, WINEDLLOVERRIDES: 'mscoree,mshtml,winedbg.exe=' } });
  return {
    run: (node, args, { timeout, env }) => wine.run(node, args, { cwd: root, timeout, env, stdin: 'ignore' }),
    stop: () => wine.stop(),
  };
}

export function startLanes(count, folder, environment) {
  return Promise.all(Array.from({ length: count }, (_, index) => startLane(join(folder, `lane-${index}`), environment)));
}

/** Does all of the work, each piece in one lane: `one(lane, piece)`. */
export async function share(lanes, pieces, one) {
  const queue = [...pieces];
  await Promise.all(
    lanes.map(async (lane) => {
      for (let piece = queue.shift(); piece !== undefined; piece = queue.shift()) await one(lane, piece);
    }),
  );
}
