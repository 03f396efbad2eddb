/**
 * What `sectile doctor` looks at where the kernel is NT.
 */
import { release } from 'node:os';
import { callOf, closeHandle, grantedAccess } from '../../ntos/handles.js';
import { MapFlag, type NtSystem, os } from '../../os/index.js';
import { SECTION_MAP_WRITE } from '../../security/index.js';
import type { FindingGroup } from '../host/doctor.js';
import { type Finding, finding, messageOf } from '../host/finding.js';
import { sizeText } from '../units.js';
import { entriesOf, globalDirectory, localDirectory } from './directories.js';

const PAGE_READONLY = 0x02;
const ViewUnmap = 2;
const PAGE_READWRITE = 0x04;
const INVALID_HANDLE_VALUE = -1;
const ERROR_ACCESS_DENIED = 5;
const FAILED = 0x8000_0000;

function system(nt: NtSystem): Finding {
  const wine = nt.calls['wine_get_version'] !== undefined;
  return finding(
    'kernel.system',
    'System',
    wine ? 'note' : 'ok',
    `Windows ${release()}${wine ? ', played by Wine' : ''}`,
    wine
      ? 'Sections are what Wine makes of them, which is not in every point what Windows does'
      : 'Sections are the kernel’s own',
    { values: { release: release(), wine } },
  );
}

/** Makes a section, maps it twice and writes to the view that may only be read. */
function sections(nt: NtSystem): Finding {
  const create = callOf(nt, 'CreateFileMappingW');
  const handle = create(INVALID_HANDLE_VALUE, null, PAGE_READWRITE, 0, 4096, null);
  const failed = (what: string): Finding =>
    finding('kernel.sections', 'Sections', 'problem', what, 'Sections cannot be used', { fatal: true });
  if (handle === 0) return failed(`none can be created (Win32 error ${nt.lastError()})`);
  const [written, read] = [PAGE_READWRITE, PAGE_READONLY].map((protect) =>
    nt.mapSection(handle, 0, 0, protect, 0, MapFlag.exact, ViewUnmap, null),
  );
  const writable = (grantedAccess(nt, handle) & SECTION_MAP_WRITE) !== 0;
  closeHandle(nt, handle);
  if (typeof written !== 'object' || typeof read !== 'object' || !writable) return failed('none can be mapped');
  os.mappingWrite(written, 0, new Uint8Array([1]));
  const faults = os.mappingWrite(read, 0, new Uint8Array([2]));
  const shown = new Uint8Array(1);
  os.mappingRead(written, 0, shown);
  for (const each of [written, read]) os.mappingClose(each);
  return faults > 0 && shown[0] === 1
    ? finding(
        'kernel.sections',
        'Sections',
        'ok',
        'created, mapped and guarded',
        'A write to a read-only view stays out of the section',
      )
    : finding(
        'kernel.sections',
        'Sections',
        'problem',
        'a read-only view let a write through',
        'Read-only views are not safe here',
      );
}

function globalNames(nt: NtSystem): Finding {
  const name = `Global\\sectile-doctor-${process.pid}`;
  const handle = callOf(nt, 'CreateFileMappingW')(INVALID_HANDLE_VALUE, null, PAGE_READWRITE, 0, 4096, name);
  if (handle !== 0) {
    closeHandle(nt, handle);
    return finding('names.global', 'Global\\ names', 'ok', 'can be created', 'This user holds "Create global objects"');
  }
  const denied = nt.lastError() === ERROR_ACCESS_DENIED;
  return finding(
    'names.global',
    'Global\\ names',
    'note',
    denied ? 'can be opened, not created' : `cannot be created (Win32 error ${nt.lastError()})`,
    'Services and administrators create them; anybody may open what grants it',
    { advice: 'Use Local\\ names within a session, or create from a service' },
  );
}

function namespaces(nt: NtSystem): Finding {
  const shown = [localDirectory(nt), globalDirectory].filter((each) => {
    const entries = entriesOf(nt, each);
    return typeof entries !== 'number' || entries < FAILED;
  });
  return shown.length === 2
    ? finding('names.listing', 'Names', 'ok', shown.join(' and '), '"sectile ls" lists both')
    : finding('names.listing', 'Names', 'note', shown.join(', ') || 'hidden', '"sectile ls" cannot list all of them');
}

function memory(nt: NtSystem): Finding {
  const facts = new Uint8Array(64);
  const view = new DataView(facts.buffer);
  view.setUint32(0, facts.length, true);
  if (callOf(nt, 'GlobalMemoryStatusEx')(facts) === 0) {
    return finding(
      'memory.commit',
      'Commit',
      'note',
      `not told (Win32 error ${nt.lastError()})`,
      'How large a section can be is seen by trying',
    );
  }
  const [limit, left] = [Number(view.getBigUint64(24, true)), Number(view.getBigUint64(32, true))];
  return finding(
    'memory.commit',
    'Commit',
    left > limit / 20 ? 'ok' : 'note',
    `${sizeText(left)} of ${sizeText(limit)} left`,
    'A section takes its whole size from it when it is created, unless it is reserved',
    { values: { limit, left } },
  );
}

function largePages(nt: NtSystem): Finding {
  const size = Number(callOf(nt, 'GetLargePageMinimum')());
  return size === 0
    ? finding('memory.largePages', 'Large pages', 'note', 'none', 'largePages cannot be used; ordinary pages can')
    : finding('memory.largePages', 'Large pages', 'ok', sizeText(size), 'They take the privilege "Lock pages in memory"', {
        values: { size },
      });
}

function node(): Finding {
  return finding('sectile.node', 'Node.js', 'ok', `${process.version} on ${process.arch}`, 'The native part is loaded');
}

const groups: readonly (readonly [title: string, checks: readonly ((nt: NtSystem) => Finding)[]])[] = [
  ['Sectile', [node]],
  ['Kernel', [system, sections]],
  ['Names', [namespaces, globalNames]],
  ['Memory', [memory, largePages]],
];

export function examineKernel(nt: NtSystem): readonly FindingGroup[] {
  const run = (title: string, check: (nt: NtSystem) => Finding): Finding => {
    try {
      return check(nt);
    } catch (error) {
      return finding(`doctor.${check.name}`, `${title}: ${check.name}`, 'note', 'could not be checked', messageOf(error));
    }
  };
  return groups.map(([title, checks]) => ({ title, findings: checks.map((check) => run(title, check)) }));
}
