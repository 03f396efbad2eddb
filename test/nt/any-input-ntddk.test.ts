/**
 * Every call of `sectile/ntddk` answers whatever a driver gives it: with a status, or where NT would stop
 * the machine with a SectionError. Nothing is left behind.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { SectionError } from 'sectile';
import { runSystem } from '../../dist/system/run.js';
import { Company, callsOf, holdings, trials } from './any-value.js';
import { runtimeDirectory } from './runtime.js';

// Whatever files come about by chance come about here.
process.chdir(runtimeDirectory);

const file = join(runtimeDirectory, 'any-driver.mjs');
writeFileSync(file, 'export function DriverEntry(driverObject) { globalThis.anyDriver = driverObject; return 0; }');
const system = await runSystem({ log: () => {}, drivers: [{ file }] });
after(() => system.stop());
const k = await import('sectile/ntddk');
const driver = (globalThis as unknown as { anyDriver: import('sectile/ntddk').DriverObject }).anyDriver;

/** These have no status to answer with. */
const stops = /^(Io(DeleteDevice|CompleteRequest|MarkIrpPending|GetCurrent|GetRequestor|QueueWorkItem)|Ob(De)?[rR]ef|MmGet)/;

function close(handle: number): void {
  k.ZwSetInformationObject(handle, k.ObjectHandleFlagInformation, { Inherit: false, ProtectFromClose: false });
  k.ZwClose(handle);
}

test('kernel-mode calls answer every input', () => {
  const { deviceObject } = k.IoCreateDevice(driver, 0, '\\Device\\Any', k.FILE_DEVICE_UNKNOWN, 0, false);
  assert.ok(deviceObject !== null);
  const item = k.IoAllocateWorkItem(deviceObject);
  const company = new Company();
  const answers: unknown[] = [];
  // What is made once for good, with the first view, is no leak.
  company.invite();
  company.dismiss([], close);
  const before = holdings();
  company.invite();
  let runs = 0;
  fc.assert(
    fc.property(
      trials(callsOf(k, { DbgPrint: 'writes it to the terminal', ZwWaitForSingleObjectAsync: 'waits' })),
      fc.option(fc.constantFrom(driver, deviceObject, item)),
      ({ name, call, given }, own) => {
        if (++runs % 40 === 0) {
          company.dismiss(answers.splice(0), close);
          company.invite();
        }
        const all = given(company);
        // The driver's own come first where they come at all.
        if (own !== null && name.startsWith('Io') && !['IoDeleteDevice', 'IoQueueWorkItem'].includes(name)) all[0] = own;
        let answer: unknown;
        try {
          answer = call(...all);
        } catch (error) {
          assert.ok(error instanceof SectionError && stops.test(name), `${name} threw ${String(error)}`);
          return;
        }
        if (/^Zw(?!Current)/.test(name)) {
          const status = typeof answer === 'number' ? answer : (answer as { readonly status: number }).status;
          assert.ok(Number.isInteger(status) && status >= 0 && status < 2 ** 32, `${name}: ${String(status)}`);
        }
        if (/Zw.*(Create|Open|Duplicate|Map|Alloc)/.test(name)) answers.push(answer);
        const pointer = (answer as { object?: unknown } | null)?.object;
        if (name.startsWith('Ob') && pointer) k.ObDereferenceObject(pointer as never);
        const made = (answer as { deviceObject?: typeof deviceObject | null } | null)?.deviceObject;
        if (made) k.IoDeleteDevice(made);
      },
    ),
    { numRuns: 6000 },
  );
  company.dismiss(answers.splice(0), close);
  assert.deepEqual(holdings(), before);
});
