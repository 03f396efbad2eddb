/**
 * Explores every interleaving of the protocols in models/ with the model checker spin: each model says in its first
 * comment which variants hold, and which known bugs it must find. See docs/models.md.
 *
 *   node scripts/models.mjs [--only TEXT]... [--trail]
 *
 * --only   variants whose model and options hold the text
 * --trail  shows how a variant that should hold comes to its error
 */
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', 'models');
const { values } = parseArgs({
  options: { only: { type: 'string', multiple: true }, trail: { type: 'boolean', default: false } },
});

const compiler = process.env.CC ?? 'cc';
for (const [program, option] of [
  ['spin', '-V'],
  [compiler, '--version'],
]) {
  if (spawnSync(program, [option], { stdio: 'ignore' }).error === undefined) continue;
  console.error(`sectile: the models are not checked: ${program} is not installed (Debian: apt-get install spin gcc libc6-dev)`);
  process.exit(process.env.CI === 'true' ? 1 : 0);
}

/** What spin's verifier says of each kind of error. */
const errorTexts = { assertion: /assertion violated/, deadlock: /invalid end state/ };

/** ` * fails  -DOPTION…  deadlock  words`, from the first comment of a model. */
function variantsOf(file) {
  const [comment] = readFileSync(join(folder, file), 'utf8').split('*/');
  return [...comment.matchAll(/^ \* (holds|fails)((?: +-D\S+)*) +(?:(assertion|deadlock) +)?(\S.*)$/gm)].map(
    ([, outcome, options, error, words]) => {
      if ((outcome === 'fails') !== (error !== undefined)) throw new Error(`${file}: what does "${words}" end with?`);
      return { file, outcome, options: options.trim().split(/ +/).filter(Boolean), error, words };
    },
  );
}

const variants = readdirSync(folder)
  .filter((name) => name.endsWith('.pml'))
  .sort()
  .flatMap(variantsOf)
  .filter(
    ({ file, options }) => values.only === undefined || values.only.some((text) => `${file} ${options.join(' ')}`.includes(text)),
  );

/** Runs a program to its end; what it printed. */
function output(program, args, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        text += chunk;
      });
    }
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, text }));
  });
}

async function explore({ file, options, outcome }) {
  const work = mkdtempSync(join(tmpdir(), 'sectile-model-'));
  const started = performance.now();
  try {
    copyFileSync(join(folder, file), join(work, file));
    const steps = [
      ['spin', ['-a', ...options, file]],
      // A bug is found soon: compiling well would take longer than it saves.
      [compiler, [outcome === 'holds' ? '-O1' : '-O0', '-w', '-DSAFETY', '-DNOREDUCE', '-o', 'pan', 'pan.c']],
    ];
    for (const [program, args] of steps) {
      const { code, text } = await output(program, args, work);
      if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${text}`);
    }
    // To the first error, however deep; a search that is cut short says so, and is none.
    // -w: the states' hash table has two to the power of so many places. Two million states are met, or a few thousand until a bug.
    const places = outcome === 'holds' ? 22 : 18;
    const { text } = await output('./pan', ['-m100000', `-w${places}`], work);
    const errors = /errors: (\d+)/.exec(text)?.[1];
    const states = /^\s*(\d+) states, stored/m.exec(text)?.[1];
    if (errors === undefined || states === undefined) throw new Error(`the verifier said: ${text}`);
    if (/max search depth too small|Search not completed/.test(text) && errors === '0') throw new Error(`cut short: ${text}`);
    const found = Object.keys(errorTexts).find((kind) => errorTexts[kind].test(text)) ?? 'nothing';
    const trail =
      errors === '0' || !values.trail ? '' : (await output('spin', ['-t', '-p', '-g', '-l', ...options, file], work)).text;
    return { states: Number(states), found: errors === '0' ? 'nothing' : found, text, trail, seconds: since(started) };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const since = (started) => (performance.now() - started) / 1000;

const started = performance.now();
let failures = 0;
let states = 0;

async function judge(variant) {
  const { file, options, error = 'nothing', words } = variant;
  const result = await explore(variant);
  const good = result.found === error;
  if (!good) failures++;
  states += result.states;
  const found = `${good ? 'ok    ' : 'FAILED'} ${result.found === 'nothing' ? 'no error  ' : `finds ${result.found}`}`;
  const title = `${file.replace('.pml', '')} ${options.join(' ')}`.trimEnd();
  console.log(
    `${found.padEnd(23)} ${result.states.toLocaleString('en').padStart(10)} states ${result.seconds.toFixed(1).padStart(5)} s  ${title}: ${words}`,
  );
  if (!good) console.log(values.trail ? result.trail : result.text);
}

/** Two at a time: compiling a verifier takes about as long as running it. */
const waiting = [...variants];
const workers = [1, 2].map(async () => {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await judge(next);
});
await Promise.all(workers);

const summary = `${variants.length - failures} passed, ${failures} failed`;
console.log(`\n${states.toLocaleString('en')} states in ${since(started).toFixed(1)} s\n${summary}`);
process.exit(failures === 0 && variants.length > 0 ? 0 : 1);
