/**
 * Every wait of `sectile/ntdll` and `sectile/kernel32` answers whatever it is given beside a short time, throws for nothing and
 * leaves nothing behind.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { type Call, Company, callsOf, drawn, holdings, waitsOf } from './any-value.js';
import './runtime.js';

/** Where each has its timeout. */
const positions: Readonly<Record<string, number>> = {
  NtWaitForSingleObject: 2,
  NtWaitForSingleObjectAsync: 2,
  NtWaitForMultipleObjects: 4,
  NtWaitForMultipleObjectsAsync: 4,
  NtSignalAndWaitForSingleObject: 3,
  WaitForSingleObject: 1,
  WaitForSingleObjectEx: 1,
  WaitForSingleObjectAsync: 1,
  WaitForMultipleObjects: 3,
  WaitForMultipleObjectsEx: 3,
  WaitForMultipleObjectsAsync: 3,
  SignalObjectAndWait: 2,
};

async function tryAll(face: object, timeouts: readonly unknown[]): Promise<void> {
  const calls = callsOf(face, {}).filter(([name]) => Object.hasOwn(waitsOf(face), name));
  const company = new Company();
  const close = (handle: number): void => void n.NtClose(handle);
  // What is made once for good, with the first view and the first promise, is no leak.
  assert.equal(await w.WaitForSingleObjectAsync(w.GetCurrentProcess(), 1), w.WAIT_TIMEOUT);
  company.invite();
  company.dismiss([], close);
  const before = holdings();
  company.invite();
  const trial = fc.tuple(
    fc.constantFrom(...calls),
    fc.array(drawn, { minLength: 7, maxLength: 7 }),
    fc.constantFrom(...timeouts),
    fc.boolean(),
  );
  await fc.assert(
    fc.asyncProperty(trial, async ([[name, call], all, timeout, several]) => {
      const given = all.map((each) => each(company));
      if (several && name.includes('Multiple')) [given[0], given[1]] = [2, given.slice(0, 2)];
      given[positions[name] ?? assert.fail(`where has ${name} its timeout?`)] = timeout;
      const answer = (call as Call)(...given);
      try {
        const result = await answer;
        assert.ok(Number.isInteger(result) && (result as number) >= 0, `${name}: ${String(result)}`);
      } catch (error) {
        assert.ok(answer instanceof Promise && (error as Error).name === 'SectionError', `${name} threw ${String(error)}`);
      }
    }),
    { numRuns: 3000 },
  );
  company.dismiss([], close);
  assert.deepEqual(holdings(), before);
}

test('NT waits answer every input with a status', () => tryAll(n, [0, -1, -20n, 1, 'x', Number.NaN, {}]));

test('Win32 waits answer every input', () => tryAll(w, [0, 1, 1.5, 'x', {}, null]));
