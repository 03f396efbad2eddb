/**
 * The inspector of a system whose kernel is NT. Files are looked at as everywhere; POSIX objects and descriptors of
 * other processes do not exist.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { show } from '../../base/checks.js';
import { SectionError } from '../../base/error.js';
import type { NtSystem } from '../../os/index.js';
import type { Content } from '../content.js';
import type { Inspector } from '../inspector.js';
import type { ObjectFacts } from '../object-facts.js';
import type { Target } from '../target.js';
import { openKernelContent } from './content.js';
import { examineKernel } from './doctor.js';
import { kernelGroups, listKernelObjects } from './objects.js';

const targetWords: Readonly<Record<Target['kind'], string>> = {
  section: 'a section',
  posix: 'POSIX shared memory',
  file: 'a file',
  descriptor: 'a descriptor of another process',
};

function notHere(operation: string, target: Target): never {
  throw new SectionError('ERR_SECTION_NOT_FOUND', {
    operation,
    object: targetWords[target.kind],
    rule: 'this system has none',
    wayOut: 'Name a section: x or Local\\x, Global\\x; see "sectile ls"',
  });
}

function find(nt: NtSystem, operation: string, target: Target): ObjectFacts {
  if (target.kind !== 'section') return notHere(operation, target);
  const { name } = target;
  const { objects, problems } = listKernelObjects(nt, operation, new Set([name.scope]));
  // The kernel's look-up does not tell capitals from small letters.
  const wanted = name.full.toLowerCase();
  const found = objects.find((each) => each.name === name.full) ?? objects.find((each) => each.name.toLowerCase() === wanted);
  if (found !== undefined) return found;
  if (problems[0] !== undefined) throw problems[0].error;
  throw new SectionError('ERR_SECTION_NOT_FOUND', {
    operation,
    object: `"${name.full}"`,
    rule: name.scope === 'global' ? 'nobody holds a section of that name' : 'nobody of this session holds a section of that name',
    wayOut: 'See what there is with "sectile ls"',
  });
}

function openFile(operation: string, path: string, object: string): Content {
  const fd = openSync(path, 'r');
  const { size } = fstatSync(fd);
  return {
    size,
    read(bytes, position) {
      for (let done = 0; done < bytes.length; ) {
        const count = readSync(fd, bytes, done, bytes.length - done, position + done);
        if (count === 0) {
          throw new SectionError('ERR_SECTION_FAULT', {
            operation,
            object,
            rule: `it ends at byte ${position + done}, before its ${size} bytes`,
            wayOut: 'The file was cut short meanwhile: look again',
          });
        }
        done += count;
      }
    },
    close: () => closeSync(fd),
  };
}

function open(nt: NtSystem, operation: string, target: Target, object: string): Content {
  if (target.kind === 'section') return openKernelContent(nt, operation, target.name, object);
  if (target.kind !== 'file') return notHere(operation, target);
  try {
    return openFile(operation, target.path, object);
  } catch (cause) {
    if (cause instanceof SectionError) throw cause;
    throw new SectionError('ERR_SECTION_NOT_FOUND', {
      operation,
      object: show(target.path),
      rule: `it cannot be opened: ${(cause as Error).message}`,
      wayOut: 'Check the path and its permissions',
      cause,
    });
  }
}

export function kernelInspector(nt: NtSystem): Inspector {
  return {
    groups: kernelGroups,
    listObjects: (operation, scopes) => listKernelObjects(nt, operation, scopes),
    findObject: (operation, target) => find(nt, operation, target),
    openContent: (operation, target, object) => open(nt, operation, target, object),
    examineHost: () => examineKernel(nt),
  };
}
