/**
 * The state of Sectile itself on this host: its directory, the registry, the system process, and the
 * runtime it runs in.
 */
import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { SectionError } from '../../base/error.js';
import { listLocal } from '../../namespace/local.js';
import {
  ensureRuntimeDirectory,
  ownSystemSocket,
  registryDirectoryIfAny,
  runtimeDirectory,
} from '../../namespace/runtime-directory.js';
import { Commit, isOsError, os, Protect, plainMapping } from '../../os/index.js';
import { systemStatus } from '../../system/client.js';
import { statOrNull } from '../identity.js';
import { commandOf, shortCommand, surveyProcesses } from '../processes.js';
import { userText } from '../security-text.js';
import { plural } from '../units.js';
import { type Finding, finding, messageOf } from './finding.js';

const OLDEST_NODE = [20, 16] as const;
const OTHER_RUNTIMES = ['Deno', 'Bun', 'Electron'] as const;

function directory(): Finding {
  const topic = 'Runtime directory';
  const key = 'sectile.directory';
  let path: string | undefined;
  try {
    path = runtimeDirectory();
    const values = { path };
    if (existsSync(path)) {
      ensureRuntimeDirectory(); // it is there, so this only checks that it can be trusted
      registryDirectoryIfAny();
      return finding(key, topic, 'ok', path, 'It can be trusted: others cannot put names into it.', { values });
    }
    accessSync(dirname(path), constants.W_OK);
    return finding(key, topic, 'ok', path, 'It will be made when the first name is used.', { values });
  } catch (error) {
    return finding(key, topic, 'problem', path ?? 'none', messageOf(error), {
      advice: 'Set SECTILE_RUNTIME_DIR to a directory of your own.',
      fatal: true,
      values: { path: path ?? null },
    });
  }
}

/** Who has a registry file open: its lock does not say. */
function openersOf(path: string): string {
  const stat = statOrNull(path);
  if (stat === null) return '';
  const { sightings } = surveyProcesses({ identities: new Set(), label: (label) => label === path, paths: new Map() });
  const openers = [...sightings.values()].flatMap(({ descriptors }) => descriptors.map(({ pid }) => pid));
  return [...new Set(openers)]
    .filter((pid) => pid !== process.pid)
    .map((pid) => `${pid} ${shortCommand(commandOf(pid))}`)
    .join(', ');
}

function registry(): Finding {
  const topic = 'Local names';
  const key = 'sectile.registry';
  try {
    const { objects, problems } = listLocal('doctor');
    const values = { names: objects.length, problems: problems.length };
    const [first] = problems;
    if (first === undefined)
      return finding(key, topic, 'ok', plural(objects.length, 'name'), 'Every record of the registry is sound.', { values });
    const openers = openersOf(first.path);
    return finding(
      key,
      topic,
      'problem',
      `${plural(problems.length, 'record')} of ${objects.length + problems.length} cannot be used`,
      first.error.message,
      {
        advice:
          openers === ''
            ? `Nobody has it open: rm ${first.path}`
            : `These have it open: ${openers}. End them, then: rm -f ${first.path}`,
        values,
      },
    );
  } catch (error) {
    return finding(key, topic, 'problem', 'no access', messageOf(error), {
      advice: 'Set SECTILE_RUNTIME_DIR to a directory of your own.',
      values: { names: null, problems: null },
    });
  }
}

function system(): Finding {
  const topic = 'System process';
  const key = 'sectile.system';
  try {
    const { pid, uid, version, path } = systemStatus();
    return finding(key, topic, 'ok', `process ${pid} of ${userText(uid)}`, `Global\\ names and drivers are served at ${path}.`, {
      values: { running: true, pid, uid, version, path },
    });
  } catch (error) {
    const values = { running: false, pid: null, uid: null, version: null, path: ownSystemSocket() };
    if (error instanceof SectionError && error.code === 'ERR_SECTION_SYSTEM_NOT_RUNNING') {
      return finding(key, topic, 'note', 'none runs', 'Local names work without one; Global\\ names and drivers need it.', {
        advice: 'sectile system start',
        values,
      });
    }
    return finding(key, topic, 'problem', 'cannot be used', messageOf(error), {
      advice: 'Have whoever runs it stop it, then: sectile system start',
      values,
    });
  }
}

function runtime(): Finding {
  const key = 'runtime.node';
  const { version } = process;
  const [major = 0, minor = 0] = version.slice(1).split('.').map(Number);
  // Runtimes that are no Node.js say which one's interfaces they have.
  const other = OTHER_RUNTIMES.find((each) => process.versions[each.toLowerCase()] !== undefined);
  const topic = other ?? 'Node.js';
  const values = { version, ...(other === undefined ? {} : { [other.toLowerCase()]: process.versions[other.toLowerCase()] }) };
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) {
    return other === undefined
      ? finding(key, topic, 'ok', version, 'Sectile is made for it.', { values })
      : finding(key, topic, 'ok', `${process.versions[other.toLowerCase()]}`, `It stands for Node.js ${version}.`, { values });
  }
  return finding(key, topic, 'problem', version, `Sectile needs ${oldestMajor}.${oldestMinor} or later.`, {
    advice: 'Install a current Node.js.',
    values,
  });
}

function buffers(): Finding {
  const topic = 'Buffers over views';
  const key = 'runtime.buffers';
  try {
    const memory = os.memoryCreate('sectile:doctor', os.pageSize, Commit.now, 0);
    try {
      const mapping = os.map(memory, {
        ...plainMapping,
        offset: 0,
        length: os.pageSize,
        protection: Protect.read | Protect.write,
        pageSize: os.pageSize,
      });
      try {
        os.mappingBuffer(mapping);
      } finally {
        os.mappingClose(mapping);
      }
    } finally {
      os.descriptorClose(memory);
    }
    return finding(key, topic, 'ok', 'external', 'view.buffer and view.bytes are the memory itself.', {
      values: { external: true },
    });
  } catch (error) {
    const reason = isOsError(error) && error.code === 'EOPNOTSUPP' ? 'none' : messageOf(error);
    return finding(key, topic, 'note', reason, 'This runtime allows no external buffers.', {
      advice: 'Use view.read() and view.write(): they work everywhere.',
      values: { external: false },
    });
  }
}

export const sectileChecks: readonly (() => Finding)[] = [runtime, buffers, directory, registry, system];
