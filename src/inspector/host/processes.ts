/**
 * Whether processes can find each other through /proc, which local names rest on.
 */
import { statSync } from 'node:fs';
import { Commit, type Descriptor, OpenFlag, os } from '../../os/index.js';
import { pidNamespace } from '../holders.js';
import { type Finding, fact, finding, messageOf, numberFact } from './finding.js';

/** The number of the first PID namespace, fixed in the kernel (PROC_PID_INIT_INO). */
const INITIAL_PID_NAMESPACE = 0xeffffffcn;

function reopen(): Finding {
  const topic = '/proc descriptors';
  let memory: Descriptor | undefined;
  let again: Descriptor | undefined;
  try {
    memory = os.memoryCreate('sectile:doctor', os.pageSize, Commit.none, 0);
    again = os.descriptorOpen(`/proc/self/fd/${os.descriptorNumber(memory)}`, OpenFlag.write, 0);
    return finding(
      'processes.proc',
      topic,
      'ok',
      'can be opened',
      'Processes of one user find local sections through each other.',
      { values: { works: true } },
    );
  } catch (error) {
    return finding('processes.proc', topic, 'problem', messageOf(error), 'No local section can be opened by another process.', {
      advice: 'Mount /proc in this container, and allow opening /proc/PID/fd (AppArmor, SELinux).',
      fatal: true,
      values: { works: false },
    });
  } finally {
    for (const each of [memory, again]) if (each !== undefined) os.descriptorClose(each);
  }
}

function hidden(): Finding {
  const topic = 'Visibility';
  let owner: number;
  try {
    owner = statSync('/proc/self/fd').uid;
  } catch (error) {
    return finding(
      'processes.dumpable',
      topic,
      'note',
      messageOf(error),
      'It cannot be told whether this process hides its /proc entry.',
    );
  }
  const user = process.geteuid?.() ?? 0;
  if (owner === user)
    return finding('processes.dumpable', topic, 'ok', 'not hidden', 'A process started like this one can share local names.', {
      values: { hidden: false },
    });
  return finding(
    'processes.dumpable',
    topic,
    'problem',
    `/proc/self belongs to user ${owner}`,
    'A process started like this one cannot share local names: it gave up its user without exec.',
    {
      advice: "Start the program as the right user (su, setpriv, a unit's User=), or use Global\\ names.",
      values: { hidden: true },
    },
  );
}

function yama(): Finding {
  const scope = numberFact('/proc/sys/kernel/yama/ptrace_scope');
  const found = scope === null ? 'no Yama' : `ptrace_scope = ${scope}`;
  return finding(
    'processes.yama',
    'Yama',
    'ok',
    found,
    'Yama restricts debuggers that attach; opening /proc/PID/fd is not attaching.',
    { values: { scope } },
  );
}

/** The hidepid option of the mount at /proc: `0` where it is off. */
export function hidepidIn(mountinfo: string): string {
  const line = mountinfo.split('\n').findLast((each) => each.split(' ')[4] === '/proc') ?? '';
  return /\bhidepid=(\w+)/.exec(line)?.[1] ?? '0';
}

function hidepid(): Finding {
  const option = hidepidIn(fact('/proc/self/mountinfo') ?? '');
  const values = { hidepid: option };
  if (['0', 'off'].includes(option))
    return finding(
      'processes.hidepid',
      'hidepid',
      'ok',
      'off',
      '"sectile ls" sees all processes, and what they hold as far as their user is yours.',
      { values },
    );
  return finding(
    'processes.hidepid',
    'hidepid',
    'note',
    `hidepid=${option}`,
    'Sections work. "sectile ls" does not see processes of other users at all.',
    {
      advice: 'Look as root, or mount /proc with gid= of a group that you are in.',
      values,
    },
  );
}

function namespace(): Finding {
  const topic = 'PID namespace';
  const own = pidNamespace();
  const values = { namespace: own === null ? null : String(own), initial: own === INITIAL_PID_NAMESPACE };
  if (own === INITIAL_PID_NAMESPACE)
    return finding(
      'processes.namespace',
      topic,
      'ok',
      "the host's",
      'Local names reach all of your processes outside of containers.',
      { values },
    );
  return finding(
    'processes.namespace',
    topic,
    'note',
    own === null ? 'unknown' : `a container's (${own})`,
    'Local names reach the processes of this container only.',
    {
      advice:
        'Between containers, share the runtime directory of a system process and use Global\\ names, or share the PID namespace.',
      values,
    },
  );
}

export const processChecks: readonly (() => Finding)[] = [reopen, hidden, yama, hidepid, namespace];
