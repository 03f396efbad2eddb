/**
 * Plays for rows that no script knows by id, found by what the row is: its suite's function, its call and
 * its fields.
 */
import type { Case, Script } from '../script.js';
import { type Play, played } from '../support/trial.js';
import * as handles from './reactos-handles.js';
import * as mmsection from './reactos-mmsection.js';
import * as kernelViews from './reactos-zwmapviewofsection.js';
import * as files from './wine-file-interaction.js';
import * as views from './wine-ntdll-mapview.js';
import * as names from './wine-ntdll-om.js';

/** What a row must be; what is left out may be anything. */
interface Shape {
  readonly fn?: RegExp;
  readonly call: RegExp;
  readonly mode?: Case['mode'];
  /** Fields of its inputs that it must have. */
  readonly has?: readonly string[];
  /** The only fields that it may have. */
  readonly only?: readonly string[];
  /** What it must expect something of. */
  readonly expects?: readonly string[];
  readonly play: Play;
}

const CREATE_OR_OPEN = /^Nt(?:Create|Open)Section$/;
const LIMITS = [
  'rootDirectory',
  'name',
  'nameLengthBytes',
  'attrLength',
  'attr',
  'objectName',
  'buffer',
  'length',
  'handleOut',
] as const;
const MAPPED = ['process', 'baseAddress', 'zeroBits', 'allocType', 'sectionOffset'] as const;

const shapes: readonly Shape[] = [
  {
    call: /^Zw(?:MapView|CreateSection)/,
    mode: 'kernel',
    has: ['viewProtection'],
    expects: ['pageState', 'protect', 'regionSize'],
    play: kernelViews.regionOfView,
  },
  { fn: /^test_name_limits/, call: CREATE_OR_OPEN, only: LIMITS, play: names.nameLimits },
  { call: CREATE_OR_OPEN, mode: 'user', has: ['nameLengthBytes'], only: LIMITS, play: names.nameLimits },
  { fn: /^test_directory/, call: /^create(?:\/open)? (?:by absolute name|relative to)/, has: ['name'], play: names.syntax },
  { fn: /^test_null_in_object_name/, call: /^NtCreateSection \+ NtOpenSection$/, has: ['name'], play: names.nulsInNames },
  { fn: /^test_zero_access/, call: CREATE_OR_OPEN, has: ['name', 'attributes', 'desiredAccess'], play: names.zeroAccess },
  { fn: /^test_object_permanence/, call: /./, has: ['attributes', 'makeTemporary', 'makePermanent'], play: names.permanence },
  { fn: /^test_duplicate_object/, call: /^NtDuplicateObject$/, play: names.duplicate },
  { call: /^NtMapViewOfSection$/, mode: 'user', only: MAPPED, play: views.mapRow },
  {
    call: /^NtMapViewOfSectionEx$/,
    mode: 'user',
    only: ['process', 'baseAddress', 'sectionOffset', 'ext', 'viewSize', 'sectionSize'],
    play: views.mapExRow,
  },
  { call: /^NtQueryVirtualMemory\(MemoryRegionInformation\)/, has: ['viewProtect'], play: views.region },
  { call: /^ZwCreateDirectoryObject$/, only: ['attributes'], play: handles.create },
  { call: /^ObCloseHandle$/, only: ['handle', 'mode'], play: handles.close },
  { call: /^ZwDuplicateObject$/, has: ['source', 'desiredAccess', 'handleAttributes', 'options'], play: handles.duplicate },
  { fn: /^ObHandle$/, call: /^(?:Nt|Zw)Close$/, only: ['handle'], play: handles.closeBogus },
  { call: /^MmCreateSection$/, play: mmsection.create },
  { fn: /test_MapFile/, call: /^CreateFileMappingA/, has: ['size', 'protect'], play: files.mapFile },
  { call: /^NtSetInformationFile\(FileDispositionInformation/, has: ['state'], play: files.disposition },
  { call: /^CreateFile of a mapped file with/, has: ['sectionProtect'], play: files.sharing },
  { call: /^CreateFile\(CREATE_ALWAYS/, has: ['sectionProtect'], play: files.createAlways },
  { call: /^CreateFile\(FILE_FLAG_DELETE_ON_CLOSE/, has: ['sectionProtect'], play: files.deleteOnClose },
];

function fits({ fn, call, mode, has = [], only, expects = [] }: Shape, testCase: Case): boolean {
  const fields = Object.keys(testCase.inputs);
  return (
    (fn === undefined || fn.test(testCase.fn ?? '')) &&
    call.test(testCase.call) &&
    (mode === undefined || mode === testCase.mode) &&
    has.every((field) => fields.includes(field)) &&
    expects.every((key) => key in testCase.expect) &&
    (only === undefined || fields.every((field) => only.includes(field)))
  );
}

/** The script for a row that looks like those of a family. */
export function scriptByShape(testCase: Case): Script | undefined {
  const shape = shapes.find((each) => fits(each, testCase));
  return shape === undefined ? undefined : played(shape.play);
}
