/**
 * Plays of wine-ntdll-om: names, attributes, access 0, permanence, object types and duplicates, in user mode.
 */
import assert from 'node:assert/strict';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { skip } from '../script.js';
import { allKinds, attributes, directory, kinds, leafKinds, made, sessionDirectory } from '../support/kinds.js';
import { family, type Trial } from '../support/trial.js';
import { constant, numberOf } from '../support/values.js';

const { Section, Event, Mutant, Directory, SymbolicLink } = kinds;
const NO_POINTERS = 'JavaScript calls have no output pointer that could be bad: results come back in an object';
/** A handle that nothing has. */
const BOGUS = 0xdeadbeef;

/** A counted string of so many bytes. */
function counted(bytes: number): n.UNICODE_STRING {
  return { Length: bytes, MaximumLength: bytes, Buffer: 'x'.repeat(Math.ceil(bytes / 2)) };
}

/** The name in a text such as `\BaseNamedObjects\ (trailing)`. */
function named(text: unknown): string {
  return String(text).replace(/ \(.*\)$/, '');
}

/** Where "\Sessions\<id>\" stands for the session of this process. */
function inSession(text: unknown): string {
  return named(text).replace(/^\\Sessions\\<id>\\BaseNamedObjects/, () => sessionDirectory);
}

function root(t: Trial): number | null {
  const text = String(t.inputs.rootDirectory ?? 'null');
  if (text === 'null') return null;
  if (text === 'BASE') return directory(t);
  if (text.startsWith('0xdeadbeef')) return BOGUS;
  if (text === 'handle of a section') return made(t, Section, null);
  const link = /^handle of (\\\S+) \(symlink\)$/.exec(text)?.[1];
  assert.ok(link !== undefined, `nobody here knows the root ${text}`);
  const { status, handle } = SymbolicLink.open(attributes(link), n.SYMBOLIC_LINK_QUERY);
  t.is(status, 'STATUS_SUCCESS', `open ${link}`);
  return t.keep(handle);
}

/** The attributes that a row of test_name_limits describes. */
function limits(t: Trial): n.ObjectAttributes[] {
  const { inputs } = t;
  if (inputs.attr === null) return [null as unknown as n.ObjectAttributes];
  if ('objectName' in inputs) return [attributes(Number(inputs.objectName) as never)];
  if ('buffer' in inputs)
    return [attributes({ Length: Number(inputs.length), MaximumLength: 4, Buffer: BigInt(String(inputs.buffer)) })];
  if ('length' in inputs) return [attributes({ Length: Number(inputs.length), MaximumLength: 4, Buffer: 0xdeadbeefn })];
  if (inputs.name === null) return [attributes(null, 0, root(t))];
  if (String(inputs.name).startsWith('""')) return [attributes('', 0, root(t))];
  if (inputs.nameLengthBytes === undefined) return [attributes('name', 0, root(t))];
  const bytes = Number(inputs.nameLengthBytes);
  if (inputs.attrLength === undefined) return [attributes(counted(bytes), 0, root(t))];
  const right = attributes(`${sessionDirectory}\\${'x'.repeat((bytes - 2 * sessionDirectory.length - 2) / 2)}`);
  if (inputs.attrLength === 'sizeof') return [right];
  assert.equal(inputs.attrLength, '!= sizeof');
  // An ObjectAttributes has its length from its maker: what has another length is none.
  return Array.from(
    { length: 2 * right.Length + 1 },
    (_, Length) => ({ ...right, Length }) as unknown as n.ObjectAttributes,
  ).filter(({ Length }) => Length !== right.Length);
}

export function nameLimits(t: Trial): void {
  if (t.inputs.handleOut !== undefined) skip(NO_POINTERS);
  for (const oa of limits(t)) {
    if (t.case.call === 'NtCreateSection') {
      const { status, handle } = Section.create(oa, n.SECTION_MAP_WRITE);
      t.status(status);
      t.keep(handle);
      continue;
    }
    assert.equal(t.case.call, 'NtOpenSection');
    if (t.case.given?.includes('right after the create')) t.keep(Section.create(oa, n.SECTION_MAP_WRITE).handle);
    const { status, handle } = Section.open(oa, n.SECTION_MAP_WRITE);
    t.status(status);
    t.keep(handle);
    if ('handle' in t.expect) t.equal('handle', handle);
  }
}

/** Names as they are written, for every kind of object: created and, where the row says so, opened. */
export function syntax(t: Trial): void {
  const name = named(t.inputs.name);
  const base = t.case.call.includes('RootDirectory=\\BaseNamedObjects') ? directory(t, '\\BaseNamedObjects') : null;
  for (const kind of allKinds) {
    const { status, handle } = kind.create(attributes(name, 0, base));
    n.NtClose(handle);
    t.status(status, `create ${kind.type}`);
    if (!t.case.call.includes('open')) continue;
    const opened = kind.open(attributes(name, 0, base));
    n.NtClose(opened.handle);
    t.status(opened.status, `open ${kind.type}`);
  }
}

function caseOfNames(t: Trial): void {
  const [first, second] = (t.inputs.names ?? ['\\BaseNamedObjects\\test', '\\BaseNamedObjects\\Test']) as [string, string];
  for (const [one, other] of [
    [Mutant, Event],
    [Event, Section],
    [Section, Mutant],
  ] as const) {
    const handles = [one.create(attributes(first)), other.create(attributes(second))];
    for (const { status, handle } of handles) {
      t.keep(handle);
      t.status(status, one.type);
    }
    for (const { handle } of handles) n.NtClose(handle);
  }
}

/** Rows that create over what exists, in a wrong case or in the right one. */
function createOver(
  existing: typeof Mutant | typeof Event | typeof Section,
  tried: readonly (typeof leafKinds)[number][],
  flags: number,
) {
  return (t: Trial): void => {
    made(t, existing, '\\BaseNamedObjects\\test');
    for (const kind of tried) {
      const { status, handle } = kind.create(attributes(String(t.inputs.name ?? '\\BaseNamedObjects\\test'), flags));
      t.keep(handle);
      t.status(status, kind.type);
    }
  };
}

function openOtherType(t: Trial): void {
  made(t, Mutant, '\\BaseNamedObjects\\test');
  made(t, Event, '\\BaseNamedObjects\\Test');
  t.status(Mutant.open(attributes(String(t.inputs.name), n.OBJ_CASE_INSENSITIVE)).status);
}

/** The root of the namespace, created again. */
function rootAgain(kindsTried: readonly (typeof allKinds)[number][], flags: number) {
  return (t: Trial): void => {
    for (const kind of kindsTried) {
      // Nobody but the system may do everything with the root.
      const access = kind === Directory ? n.DIRECTORY_QUERY | n.DIRECTORY_TRAVERSE : undefined;
      const { status, handle } = kind.create(attributes('\\', flags), access);
      t.keep(handle);
      t.status(status, kind.type);
    }
  };
}

function createMapping(t: Trial, inputs: Readonly<Record<string, unknown>>): number {
  return t.keep(
    w.CreateFileMapping(
      constant(String(inputs.hFile)),
      null,
      numberOf(inputs.protect),
      0,
      Number(inputs.size),
      String(inputs.name),
    ),
  );
}

/** What wine-om-010 creates, as its row says. */
const mapping = { hFile: 'INVALID_HANDLE_VALUE', protect: 'PAGE_READWRITE', size: 256, name: 'om.c-test' };

function mappingCreated(t: Trial): void {
  t.win32(createMapping(t, t.inputs) !== 0);
}

function mappingByRoot(t: Trial): void {
  assert.notEqual(createMapping(t, mapping), 0);
  const oa = attributes(String(t.inputs.name), numberOf(t.inputs.attributes), root(t));
  const { status, sectionHandle } = n.NtCreateSection(
    numberOf(t.inputs.desiredAccess),
    oa,
    Number(t.inputs.size),
    n.PAGE_READWRITE,
    n.SEC_COMMIT,
    null,
  );
  t.status(status);
  t.keep(sectionHandle);
  t.words('handle', { valid: () => assert.ok(sectionHandle > 0) });
}

function mappingAgain(t: Trial): void {
  assert.notEqual(createMapping(t, mapping), 0);
  t.win32(createMapping(t, mapping) !== 0);
}

function badProtection(t: Trial): void {
  const protection = numberOf(t.inputs.sectionPageProtection);
  const { status, sectionHandle } = n.NtCreateSection(n.SECTION_MAP_WRITE, null, 4096, protection, n.SEC_COMMIT, null);
  t.status(status);
  t.equal('handle', sectionHandle);
}

function ownDirectory(t: Trial): void {
  const link = SymbolicLink.open(attributes('\\BaseNamedObjects\\Local'), n.SYMBOLIC_LINK_QUERY);
  t.is(link.status, 'STATUS_SUCCESS', 'open \\BaseNamedObjects\\Local');
  const { linkTarget } = n.NtQuerySymbolicLinkObject(t.keep(link.handle));
  if (linkTarget !== '\\BaseNamedObjects') {
    skip(`the row is for a session whose own names stand in \\BaseNamedObjects; this one's stand in ${linkTarget}`);
  }
  for (const kind of leafKinds) {
    const name = t.name();
    made(t, kind, `\\BaseNamedObjects\\Global\\${name}`);
    const { status, handle } = kind.open(attributes(`\\BaseNamedObjects\\Local\\${name}`));
    t.keep(handle);
    t.status(status, kind.type);
  }
}

function wrongFirstComponent(t: Trial): void {
  for (const kind of allKinds) t.status(kind.open(attributes(String(t.inputs.name))).status, kind.type);
}

/** The name of a row of test_null_in_object_name: plain, with its NUL counted, or with one inside. */
function nameWithNuls(text: string): string {
  const [plain, how] = text.split(' as ');
  const name = inSession(plain);
  if (how?.includes('terminating NUL')) return `${name}\0`;
  return how?.includes('embedded NUL') ? name.replace(/_test$/, '\0test') : name;
}

export function nulsInNames(t: Trial): void {
  const name = nameWithNuls(String(t.inputs.name));
  const access = numberOf(t.inputs.desiredAccess);
  const created = Section.create(attributes(name), access);
  t.status(created.status);
  const opened = Section.open(attributes(name), access);
  t.status(opened.status);
  t.words('ObjectNameInformation', {
    'exact counted string including NULs': () => {
      for (const { handle } of [created, opened]) {
        const { status, objectInformation } = n.NtQueryObject(t.keep(handle), n.ObjectNameInformation);
        t.status(status);
        assert.deepEqual(objectInformation, { Name: name });
      }
    },
  });
}

function nulsCount(t: Trial): void {
  for (const kind of leafKinds) {
    const name = `${sessionDirectory}\\${t.name()}`;
    made(t, kind, `${name}\0`);
    t.status(kind.open(attributes(name)).status, kind.type);
  }
}

export function zeroAccess(t: Trial): void {
  const { inputs } = t;
  const name = inSession(inputs.name);
  const flags = numberOf(inputs.attributes);
  if (t.case.after?.includes('wine-om-062')) made(t, Section, name, flags);
  const act = t.case.call === 'NtOpenSection' ? Section.open : Section.create;
  if (t.case.given === 'after closing it')
    n.NtClose(Section.create(attributes(name, flags), numberOf(inputs.desiredAccess)).handle);
  const { status, handle } = act(attributes(name, flags), numberOf(inputs.desiredAccess));
  t.keep(handle);
  t.status(status);
}

function duplicateWithoutAccess(t: Trial): void {
  for (const kind of leafKinds) {
    const source = made(t, kind, null);
    const self = n.NtCurrentProcess();
    const { status, targetHandle } = n.NtDuplicateObject(self, source, self, 0, 0, 0);
    t.status(status, kind.type);
    const { objectInformation } = n.NtQueryObject(t.keep(targetHandle), n.ObjectBasicInformation);
    assert.equal((objectInformation as { GrantedAccess: number }).GrantedAccess, 0);
  }
}

export function permanence(t: Trial): void {
  const { inputs } = t;
  const name = `\\BaseNamedObjects\\${t.name()}`;
  const flags = numberOf(inputs.attributes);
  const reported = (handle: number): number => {
    const { status, objectInformation } = n.NtQueryObject(handle, n.ObjectBasicInformation);
    t.is(status, 'STATUS_SUCCESS');
    return (objectInformation as { Attributes: number }).Attributes & n.OBJ_PERMANENT;
  };
  const created = Event.create(attributes(name, flags));
  const holdsPrivilege = t.case.note === undefined || process.geteuid?.() === 0;
  if (!holdsPrivilege) {
    skip('permanent objects need SeCreatePermanentPrivilege, which only root holds');
  }
  t.is(created.status, 'STATUS_SUCCESS');
  let permanent = flags & n.OBJ_PERMANENT;
  // Whatever happens, nothing permanent stays.
  t.after(() => {
    const { handle } = Event.open(attributes(name), n.DELETE);
    n.NtMakeTemporaryObject(handle);
    n.NtClose(handle);
  });
  t.words('attributesReported', { 'OBJ_PERMANENT bit follows state': () => assert.equal(reported(created.handle), permanent) });
  if (inputs.makeTemporary !== null) {
    const denied = String(inputs.makeTemporary) === 'STATUS_ACCESS_DENIED';
    const { status, handle } = Event.open(attributes(name), denied ? n.GENERIC_READ : n.DELETE | n.GENERIC_READ);
    t.is(status, 'STATUS_SUCCESS');
    t.is(n.NtMakeTemporaryObject(t.keep(handle)), inputs.makeTemporary);
    if (!denied) permanent = 0;
    assert.equal(reported(handle), permanent);
    n.NtClose(handle);
  }
  if (inputs.makePermanent === true) {
    t.is(n.NtMakePermanentObject(created.handle), 'STATUS_SUCCESS');
    permanent = n.OBJ_PERMANENT;
    assert.equal(reported(created.handle), permanent);
  }
  n.NtClose(created.handle);
  const again = Event.open(attributes(name));
  t.keep(again.handle);
  t.is(again.status, t.expect.openAfterLastHandleClosed);
}

function types(t: Trial): void {
  const { status, objectInformation } = n.NtQueryObject(0, n.ObjectTypesInformation);
  t.is(status, 'STATUS_SUCCESS');
  const section = (objectInformation as readonly n.OBJECT_TYPE_INFORMATION[]).find(({ TypeName }) => TypeName === 'Section');
  assert.ok(section !== undefined);
  for (const key of ['GenericRead', 'GenericWrite', 'GenericExecute', 'GenericAll'] as const) {
    assert.equal(section.GenericMapping[key], numberOf(t.expect[key]), key);
  }
  assert.equal(section.ValidAccessMask, numberOf(t.expect.ValidAccessMask));
}

function typeOfSection(t: Trial): void {
  const { status, objectInformation } = n.NtQueryObject(made(t, Section, null), n.ObjectTypeInformation);
  t.is(status, 'STATUS_SUCCESS');
  t.equal('TypeName', (objectInformation as n.OBJECT_TYPE_INFORMATION).TypeName);
}

function noFile(t: Trial): void {
  t.status(n.NtQueryInformationFile(made(t, Section, null), n.FileStandardInformation).status);
}

export function duplicate(t: Trial): void {
  const { inputs } = t;
  if (inputs.targetHandle !== undefined && inputs.targetHandle !== null) skip(NO_POINTERS);
  const self = n.NtCurrentProcess();
  const source = inputs.sourceHandle === undefined ? made(t, Event, null) : Number(inputs.sourceHandle);
  const access = inputs.desiredAccess === undefined ? 0 : numberOf(inputs.desiredAccess);
  const options = inputs.desiredAccess === undefined ? n.DUPLICATE_SAME_ACCESS : 0;
  const { status, targetHandle } = n.NtDuplicateObject(self, source, self, access, 0, options);
  t.keep(targetHandle);
  t.status(status);
  if ('handle' in t.expect) t.equal('handle', targetHandle);
}

export const scripts = family({
  'wine-om-001': createOver(Mutant, [Event], 0),
  'wine-om-002': caseOfNames,
  'wine-om-003': openOtherType,
  'wine-om-004': createOver(Event, [Mutant, Section], n.OBJ_CASE_INSENSITIVE),
  'wine-om-005': createOver(Event, [Event], n.OBJ_CASE_INSENSITIVE),
  'wine-om-006': createOver(Event, leafKinds, 0),
  'wine-om-007': rootAgain([Directory], 0),
  'wine-om-008': rootAgain([Directory], n.OBJ_OPENIF),
  'wine-om-009': rootAgain([...leafKinds, SymbolicLink], n.OBJ_OPENIF),
  'wine-om-010': mappingCreated,
  'wine-om-011': mappingByRoot,
  'wine-om-012': mappingAgain,
  'wine-om-013..041': nameLimits,
  'wine-om-042': badProtection,
  'wine-om-043..053': syntax,
  'wine-om-054': ownDirectory,
  'wine-om-055': wrongFirstComponent,
  'wine-om-056..058': nulsInNames,
  'wine-om-059': nulsCount,
  'wine-om-060..065': zeroAccess,
  'wine-om-066': duplicateWithoutAccess,
  'wine-om-067..076': permanence,
  'wine-om-077': types,
  'wine-om-078': typeOfSection,
  'wine-om-079': noFile,
  'wine-om-080..083': duplicate,
});
