/**
 * The conformance run: nothing fails, nothing is skipped but what stands here, nothing of it is left.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const runner = fileURLToPath(new URL('../../build-conformance/main.js', import.meta.url));

interface Summary {
  readonly total: number;
  readonly passed: number;
  readonly failed: readonly unknown[];
  readonly skipped: readonly { readonly id: string; readonly reason: string }[];
}

const numbered = (family: string, ...numbers: readonly number[]): string[] =>
  numbers.map((number) => `${family}-${String(number).padStart(3, '0')}`);

/** What no process on Linux, or none of JavaScript, can do: skipped everywhere. */
const everywhere: readonly string[] = [
  // Files on another machine, what the page promises nothing about, and what cannot be seen from outside.
  ...numbered('ms-docs', 39, 40, 43),
  // Faults of C pointers in the kernel, and physical memory.
  ...numbered('ros-mmsection', 3, 4, 7, 23, 24, 25, 26, 27, 28, 29, 30),
  // Image sections of valid images.
  ...numbered('ros-zwcreatesection', 170, 178, 180),
  ...numbered('wine-cfmflags', 40),
  // MmMapViewOfSection, inside the kernel.
  ...numbered('ros-zwmapview', 51),
  // Output pointers.
  ...numbered('wine-om', 40, 41, 82),
];

/** What a host or a user may lack. */
const lacking: readonly RegExp[] = [
  /large pages set aside/,
  /needs a second user, and only root/,
  /need SeCreatePermanentPrivilege, which only root holds/,
  /row is for a session whose own names/,
  /only where this user may mount one/,
];

interface Ending {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What the run left in its folder for temporary files. */
  readonly left: readonly string[];
}

async function run(t: TestContext, ...args: readonly string[]): Promise<Ending> {
  const temporary = mkdtempSync(join(tmpdir(), 'sectile-test-'));
  chmodSync(temporary, 0o755); // other users of the run enter it
  t.after(() => rmSync(temporary, { recursive: true, force: true }));
  const child = spawn(process.execPath, [runner, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: temporary },
  });
  const text = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (chunk: string) => {
      text[stream] += chunk;
    });
  }
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, ...text, left: readdirSync(temporary) };
}

test('every vector holds, or is one that Linux cannot do', async (t) => {
  const { code, stdout, stderr, left } = await run(t, '--json');
  assert.equal(stderr, '');
  const { total, passed, failed, skipped } = JSON.parse(stdout) as Summary;
  assert.deepEqual(failed, []);
  assert.equal(code, 0);
  const isLacking = ({ reason }: { readonly reason: string }) => lacking.some((each) => each.test(reason));
  const unexpected = skipped.filter((each) => !everywhere.includes(each.id) && !isLacking(each));
  assert.deepEqual(unexpected, []);
  const ids = skipped.map(({ id }) => id);
  assert.deepEqual(
    everywhere.filter((id) => !ids.includes(id)),
    [],
    'a case of the list is not skipped any more',
  );
  assert.equal(passed + skipped.length, total);
  const tried = total - skipped.filter(isLacking).length;
  assert.ok(passed >= 0.97 * tried, `${passed} of ${tried}`);
  assert.deepEqual(left, []);
});

test('an expectation that does not hold is a failure, and so is a case that nobody reads', async (t) => {
  const folder = fileURLToPath(new URL('../../test/fixtures/vectors', import.meta.url));
  const { code, stdout } = await run(t, '--vectors', folder, '--json');
  const { passed, failed } = JSON.parse(stdout) as Summary;
  assert.equal(code, 1);
  assert.equal(passed, 1);
  assert.deepEqual(failed, [
    { id: 'wrong-002', expected: { status: 'STATUS_SUCCESS' }, got: { status: 'STATUS_SECTION_TOO_BIG' } },
    { id: 'unread-003', expected: {}, got: 'no reader for this case' },
  ]);
});

test('a folder that is not there is told in one line', async (t) => {
  const { code, stdout, stderr } = await run(t, '--vectors', '/nowhere');
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /^conformance: [^\n]*\/nowhere[^\n]*\n$/);
});
