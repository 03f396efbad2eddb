/**
 * What the kernel can do for sections: tried, where it can be tried, and not guessed from a version.
 */
import { readFileSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { Commit, type Descriptor, os, Seal } from '../../os/index.js';
import { type Finding, fact, finding, messageOf, numberFact } from './finding.js';

/** F_SEAL_EXEC: the object can never be run as a program. */
const SEAL_EXEC = 0x20;
const CAP_SYS_ADMIN = 21n;
const CAP_BPF = 39n;

function versionOf(text: string): readonly [number, number] {
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(text) ?? [];
  return [Number(major), Number(minor)];
}

function isAtLeast([major, minor]: readonly [number, number], wantedMajor: number, wantedMinor: number): boolean {
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/** Does something with a fresh page of memory; what it throws is the answer. */
function withMemory<T>(use: (descriptor: Descriptor) => T): T | Error {
  let descriptor: Descriptor | undefined;
  try {
    descriptor = os.memoryCreate('sectile:doctor', os.pageSize, Commit.now, 0);
    return use(descriptor);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    if (descriptor !== undefined) os.descriptorClose(descriptor);
  }
}

function version(): Finding {
  const text = release();
  const known = versionOf(text);
  const values = { release: text };
  if (isAtLeast(known, 5, 14))
    return finding('kernel.version', 'Linux', 'ok', text, 'It has everything that sections make use of.', { values });
  const advice = 'Linux 5.14 or later has all of it.';
  if (isAtLeast(known, 5, 1))
    return finding('kernel.version', 'Linux', 'note', text, 'Sections work; prefetch and commit take slower ways.', {
      advice,
      values,
    });
  return finding('kernel.version', 'Linux', 'note', text, 'It is older than what Sectile is tested on.', { advice, values });
}

function memfd(): Finding {
  const topic = 'Anonymous memory';
  const seals = withMemory((descriptor) => {
    os.memorySeal(descriptor, Seal.shrink | Seal.grow | Seal.seal);
    return os.memorySeals(descriptor);
  });
  if (!(seals instanceof Error)) {
    return finding('kernel.memfd', topic, 'ok', 'memfd, sealed', 'Sections can be made, and nobody can change their size.', {
      values: { works: true, seals },
    });
  }
  return finding('kernel.memfd', topic, 'problem', seals.message, 'No section can be made here.', {
    advice: 'A sandbox (seccomp) may forbid memfd_create and its seals: allow them.',
    fatal: true,
    values: { works: false },
  });
}

function futureWrite(): Finding {
  const topic = 'Sole writer';
  const sealed = withMemory((descriptor) => {
    os.memorySeal(descriptor, Seal.futureWrite);
    return true;
  });
  const works = sealed === true;
  const found = works ? 'F_SEAL_FUTURE_WRITE' : 'no F_SEAL_FUTURE_WRITE';
  const meaning = works
    ? "With protection: 'read' the kernel refuses every writable view but the creator's, even to root."
    : "Sections with protection: 'read' cannot be made.";
  return finding('kernel.future-write', topic, works ? 'ok' : 'problem', found, meaning, {
    advice: works ? null : 'Linux 5.1 or later has it.',
    values: { works },
  });
}

function noExecute(): Finding {
  const topic = 'Not executable';
  const policy = numberFact('/proc/sys/vm/memfd_noexec');
  const seals = withMemory((descriptor) => os.memorySeals(descriptor));
  const sealed = typeof seals === 'number' && (seals & SEAL_EXEC) !== 0;
  const values = { sealed, policy };
  const found = `${sealed ? 'MFD_NOEXEC_SEAL' : 'no MFD_NOEXEC_SEAL'}${policy === null ? '' : `, vm.memfd_noexec = ${policy}`}`;
  if (sealed)
    return finding('kernel.noexec', topic, 'ok', found, 'Nobody can run what is in a section as a program.', { values });
  return finding('kernel.noexec', topic, 'note', found, 'Who may write to a section could run its contents as a program.', {
    advice: 'Linux 6.3 or later prevents that.',
    values,
  });
}

function populate(): Finding {
  const has = isAtLeast(versionOf(release()), 5, 14);
  const meaning = has
    ? 'view.prefetch() and large commits happen in one call.'
    : 'view.prefetch() touches page by page: it works, and takes longer.';
  return finding('kernel.populate', 'Prefetch', has ? 'ok' : 'note', has ? 'MADV_POPULATE' : 'no MADV_POPULATE', meaning, {
    advice: has ? null : 'Linux 5.14 or later has it.',
    values: { works: has },
  });
}

function isThere(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch {
    return false;
  }
}

function capabilities(): bigint {
  const text = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return text === undefined ? 0n : BigInt(`0x${text}`);
}

function ebpf(): Finding {
  const topic = 'eBPF maps';
  let held = 0n;
  try {
    held = capabilities();
  } catch (error) {
    return finding('kernel.ebpf', topic, 'note', messageOf(error), 'It cannot be told whether eBPF programs may be loaded.');
  }
  const privileged = ((held >> CAP_BPF) & 1n) === 1n || ((held >> CAP_SYS_ADMIN) & 1n) === 1n;
  const unprivileged = numberFact('/proc/sys/kernel/unprivileged_bpf_disabled');
  const lockdown = /\[(\w+)\]/.exec(fact('/sys/kernel/security/lockdown') ?? '')?.[1] ?? 'none';
  const types = isThere('/sys/kernel/btf/vmlinux');
  const allowed = privileged && lockdown !== 'confidentiality';
  const values = { allowed, privileged, unprivilegedDisabled: unprivileged, lockdown, typeInformation: types };
  if (allowed)
    return finding(
      'kernel.ebpf',
      topic,
      'ok',
      'this process may load them',
      'A map of an eBPF program can be a section: Section.fromDescriptor.',
      { values },
    );
  const found = lockdown === 'confidentiality' ? 'kernel lockdown forbids them' : 'this process may not load them';
  return finding('kernel.ebpf', topic, 'note', found, 'Sections do not need eBPF; the eBPF sample does.', {
    advice: 'Run the loader as root (CAP_BPF); it can hand its map to an ordinary process.',
    values,
  });
}

export const kernelChecks: readonly (() => Finding)[] = [version, memfd, futureWrite, noExecute, populate, ebpf];
