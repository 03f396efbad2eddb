/**
 * Plays of our own vectors on rights: every right against access lists, in both namespaces, and checks
 * that drivers ask for.
 */
import assert from 'node:assert/strict';
import * as n from 'sectile/ntdll';
import type { World } from '../script.js';
import { kernelSection, mapKernel } from '../support/kernel.js';
import { attributes, kinds, sessionDirectory } from '../support/kinds.js';
import { family, type Trial } from '../support/trial.js';
import { asAnotherUser } from '../support/users.js';
import { numberOf } from '../support/values.js';

const { Section } = kinds;

interface Answer {
  readonly status: number;
  readonly granted: number;
}

/** Makes a section with a list, opens it, and says what that gave; as whoever runs it. */
export function openAgainst(_world: World, _parent: unknown, name: string, list: string, access: number): Answer {
  const oa = attributes(name, 0, null, list);
  const made = n.NtCreateSection(n.SECTION_ALL_ACCESS, oa, 4096, n.PAGE_EXECUTE_READWRITE, n.SEC_COMMIT, null);
  assert.equal(made.status, n.STATUS_SUCCESS, `create ${name}`);
  const { status, handle } = Section.open(attributes(name), access);
  const { objectInformation } = n.NtQueryObject(handle, n.ObjectBasicInformation);
  for (const each of [made.sectionHandle, handle]) n.NtClose(each);
  return { status, granted: (objectInformation as { GrantedAccess: number } | null)?.GrantedAccess ?? 0 };
}

async function againstList(t: Trial): Promise<void> {
  const { inputs } = t;
  const args = [String(inputs.securityDescriptor), numberOf(inputs.desiredAccess)] as const;
  const check = ({ status, granted }: Answer, where: string): void => {
    t.status(status, where);
    if ('grantedAccess' in t.case.expect) assert.equal(granted, numberOf(t.expect.grantedAccess), where);
  };
  if (inputs.user === 'nobody') {
    const name = `\\Sessions\\1\\BaseNamedObjects\\${t.name()}`;
    check((await asAnotherUser(t, import.meta.url, 'openAgainst', [name, ...args], 'alone')) as Answer, name);
    return;
  }
  for (const directory of ['\\BaseNamedObjects', sessionDirectory]) {
    const name = `${directory}\\${t.name()}`;
    check(openAgainst(t.world, null, name, ...args), name);
  }
}

/** What is done with a handle, and its status. */
function use(t: Trial, handle: number, what: string): number {
  const protection = /^map (\w+)$/.exec(what)?.[1];
  if (protection !== undefined) return mapKernel(t, handle, { protection: numberOf(protection) }).status;
  if (what === 'query') return t.k.ZwQuerySection(handle, n.SectionBasicInformation).status;
  assert.equal(what, 'extend', `nobody here knows the use ${what}`);
  return t.k.ZwExtendSection(handle, 8192).status;
}

function forcedCheck(t: Trial): void {
  const { inputs } = t;
  const name = `\\BaseNamedObjects\\${t.name()}`;
  kernelSection(t, 4096, { name, security: String(inputs.securityDescriptor) });
  const { status, sectionHandle } = t.k.ZwOpenSection(
    numberOf(inputs.desiredAccess),
    attributes(name, numberOf(inputs.attributes)),
  );
  t.keep(sectionHandle);
  t.status(status);
  if (inputs.use !== null) t.is(use(t, sectionHandle, String(inputs.use)), t.expect.useStatus, String(inputs.use));
}

export const scripts = family({ 'sectile-rights-001..067': againstList, 'sectile-force-001..016': forcedCheck });
