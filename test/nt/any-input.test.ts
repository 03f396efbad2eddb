/**
 * Every call of `sectile/ntdll` and `sectile/kernel32` answers whatever it is given, throws for nothing
 * and leaves nothing behind.
 */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { Company, callsOf, holdings, type Trial, trials, waitsOf } from './any-value.js';
import { runtimeDirectory } from './runtime.js';

// Whatever files come about by chance come about here.
process.chdir(mkdtempSync(join(runtimeDirectory, 'any-')));

const COMPANY_STAYS = 40;

/** A handle that cannot be closed can be made to. */
function close(handle: number): void {
  n.NtSetInformationObject(handle, n.ObjectHandleFlagInformation, { Inherit: false, ProtectFromClose: false });
  n.NtClose(handle);
}

function tryAll(calls: ReturnType<typeof callsOf>, numRuns: number, judge: (trial: Trial, answer: unknown) => void): void {
  const company = new Company();
  const answers: unknown[] = [];
  const dismiss = () => company.dismiss(answers.splice(0), close);
  // What is made once for good, with the first view, is no leak.
  company.invite();
  dismiss();
  const before = holdings();
  company.invite();
  let runs = 0;
  fc.assert(
    fc.property(trials(calls), (trial) => {
      if (++runs % COMPANY_STAYS === 0) {
        dismiss();
        company.invite();
      }
      const answer = trial.call(...trial.given(company));
      judge(trial, answer);
      if (/Create|Open|Duplicate|Map|Alloc/.test(trial.name)) answers.push(answer);
    }),
    { numRuns },
  );
  dismiss();
  assert.deepEqual(holdings(), before);
}

/** Those that are no calls into the system. */
const helpers = new Set(['InitializeObjectAttributes', 'NT_SUCCESS', 'RtlNtStatusToDosError', 'CTL_CODE', 'NtCurrentProcess']);

test('NT calls answer every input with a status', () => {
  tryAll(callsOf(n, waitsOf(n)), 6000, ({ name }, answer) => {
    if (helpers.has(name)) return;
    const status = typeof answer === 'number' ? answer : (answer as { readonly status: number }).status;
    assert.ok(Number.isInteger(status) && status >= 0 && status < 2 ** 32, `${name}: ${String(status)}`);
  });
});

/** What these answer with may be 0 or negative, and no failure. */
const zeroIsAnAnswer =
  /^(CTL_CODE|GetCurrent.*|GetLastError|GetLargePageMinimum|GetHandleInformation|GetFileSize.*|SetFilePointer|SetFilePointerEx|ReadFile|WriteFile|GetExitCodeProcess)$/;
const UNTOUCHED = 0xdead;

test('Win32 calls answer every input, and say why they fail', async () => {
  w.AllowProcessAccess();
  const rejections: Promise<void>[] = [];
  const leftOut = {
    ...waitsOf(w),
    TerminateProcess: 'would end this process by one of its handles',
    inheritance: 'ours, and throws what sectile throws',
    SetLastError: 'returns nothing',
  };
  tryAll(callsOf(w, leftOut), 8000, ({ name }, answer) => {
    if (answer instanceof Promise) {
      rejections.push(assert.rejects(answer, { name: 'SectionError' }));
    } else if (answer === null || answer === false || ((answer === 0 || answer === -1) && !zeroIsAnAnswer.test(name))) {
      const error = w.GetLastError();
      // 317 stands for a status that has no error of its own.
      assert.ok(![UNTOUCHED, 0, 317].includes(error), `${name} returned ${answer} with the last error ${error}`);
    } else {
      assert.notEqual(answer, undefined, name);
    }
    w.SetLastError(UNTOUCHED);
  });
  await Promise.all(rejections);
  for (const value of [Symbol.iterator, 1n, {}, null]) assert.equal(w.SetLastError(value as never), undefined);
  assert.equal(w.TerminateProcess(Symbol.iterator as never, 0), false);
  assert.throws(() => w.inheritance(5 as never), { name: 'SectionError' });
});
