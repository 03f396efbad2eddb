/**
 * All that is known of one object, found by any name that commands take.
 */
import { SectionError } from '../base/error.js';
import { systemStatus } from '../system/client.js';
import { factsOfPath, POSIX_DIRECTORY } from './foreign.js';
import { identityOf, statOrNull } from './identity.js';
import type { ObjectFacts } from './object-facts.js';
import { listObjects } from './objects.js';
import { linkOrNull, surveyProcesses } from './processes.js';
import type { Target } from './target.js';

/**
 * The facts of one object.
 *
 * @throws SectionError ERR_SECTION_NOT_FOUND; what kept us from looking, where that was it
 */
export function findObject(operation: string, target: Target): ObjectFacts {
  return target.kind === 'section' ? findSection(operation, target.name) : findByPath(operation, target);
}

function findSection(operation: string, name: Extract<Target, { kind: 'section' }>['name']): ObjectFacts {
  const { objects, problems } = listObjects(operation, new Set([name.scope]));
  const found = objects.find((each) => each.name === name.full);
  if (found !== undefined) return found;
  const [problem] = problems;
  if (problem !== undefined) throw problem.error;
  if (name.scope === 'global') systemStatus(); // none runs: that is the better error
  throw new SectionError('ERR_SECTION_NOT_FOUND', {
    operation,
    object: `"${name.full}"`,
    rule:
      name.scope === 'global'
        ? 'the system process has no section of that name'
        : 'no process of this user holds a section of that name',
    wayOut: 'See what there is with "sectile ls"',
  });
}

function findByPath(operation: string, target: Exclude<Target, { kind: 'section' }>): ObjectFacts {
  const { path, name, kind } = pathOf(target);
  const stat = statOrNull(path);
  if (stat === null || !stat.isFile()) {
    throw new SectionError('ERR_SECTION_NOT_FOUND', {
      operation,
      object: name,
      rule: stat === null ? `${path} is not there, or not ours to see` : `${path} is no regular file`,
      wayOut: 'See what there is with "sectile ls"',
    });
  }
  const identity = identityOf(stat.dev, stat.ino);
  const link = target.kind === 'descriptor' ? linkOrNull(path)?.replace(/ \(deleted\)$/, '') : undefined;
  const label = link ?? path;
  const isMemory = label.startsWith('/memfd:');
  const survey = surveyProcesses({
    identities: new Set([identity]),
    // Many objects of memory share a label: each keeps its own identity, and one of them is meant.
    label: (each) => isMemory && each === label,
    paths: isMemory ? new Map() : new Map([[label, identity]]),
  });
  return factsOfPath(path, survey, {
    name,
    kind: isMemory ? 'memfd' : kind,
    backing: isMemory ? 'pagefile' : kind === 'posix' ? 'posix' : 'file',
    file: label,
  });
}

function pathOf(target: Exclude<Target, { kind: 'section' }>): { path: string; name: string; kind: 'posix' | 'file' } {
  switch (target.kind) {
    case 'posix': {
      const leaf = target.name.replace(/^\//, '');
      return { path: `${POSIX_DIRECTORY}/${leaf}`, name: `posix:/${leaf}`, kind: 'posix' };
    }
    case 'file':
      return { path: target.path, name: `file:${target.path}`, kind: 'file' };
    case 'descriptor':
      return { path: `/proc/${target.pid}/fd/${target.descriptor}`, name: `fd:${target.pid}/${target.descriptor}`, kind: 'file' };
  }
}
