/**
 * The Windows implementation: {@link NtSystem} over the addon's calls, and of {@link Os} what mappings can do. The rest
 * of {@link Os} is what Sectile plays the kernel with, and has no meaning where the kernel is NT.
 */
import { SectionError } from '../base/error.js';
import { loadNative } from './native.js';
import type { NtSystem, SystemCall } from './nt.js';
import { isOsError, type Os, type OsTraits } from './os.js';
import { win32Processes } from './win32-processes.js';
import { type WaitsAddon, type Win32Waits, win32Waits } from './win32-waits.js';

/** Answers any call that the addon does not have. */
const absent = new Proxy(
  {},
  {
    get: (_, name) => () => {
      throw Object.assign(new Error(`${String(name)}: this is the kernel's business here (ENOSYS)`), {
        code: 'ENOSYS',
        errno: 40,
        syscall: String(name),
      });
    },
  },
);

/** The kernel keeps the names: directories for them are asked for by messages alone. */
const traits: OsTraits = {
  localMemory: 'from-holders',
  sealsMemory: false,
  showsProcesses: false,
  machineDirectory: '/run/sectile',
  userDirectories: () => [],
};

/** Calls that have no meaning for memory that other processes know by nothing. */
const crossing = ['wordStoreWake', 'wordWake', 'wordWaitSync', 'mappingWordsWaitSync', 'mappingWordWait'] as const;

function withReasons(native: Record<string, unknown>): Record<string, unknown> {
  const explained = crossing.map((name) => {
    const call = native[name] as (...given: unknown[]) => unknown;
    const explain = (...given: unknown[]): unknown => {
      try {
        return call(...given);
      } catch (cause) {
        if (!isOsError(cause) || cause.code !== 'EOPNOTSUPP') throw cause;
        throw new SectionError('ERR_SECTION_NATIVE', {
          operation: 'wait or wake in a section',
          rule: 'Windows has nothing to wait by across processes in a section without a name',
          wayOut: 'Give the section a name',
          cause,
        });
      }
    };
    return [name, explain] as const;
  });
  return { ...native, ...Object.fromEntries(explained) };
}

/** Waits as {@link Os} has them, by their numbers alone. */
function waitsOf(addon: WaitsAddon, waits: Win32Waits, nt: NtSystem): Partial<Os> {
  let keeps = false;
  return {
    ...win32Processes(nt, (handle) => addon.handleWait(handle)),
    waitsListen(listener) {
      waits.listen();
      waits.tellOthers(listener);
    },
    waitsKeep(wanted) {
      if (wanted !== keeps) waits.waitsKeep(wanted);
      keeps = wanted;
    },
    waitCancel: (wait) => void addon.waitStop(wait),
  };
}

export function win32(): { readonly os: Os; readonly nt: NtSystem } {
  const native = withReasons(loadNative());
  const addon = native as unknown as WaitsAddon;
  const calls = (native['systemCalls'] as () => Readonly<Record<string, SystemCall>>)();
  const waits = win32Waits(addon);
  const nt: NtSystem = { ...(native as unknown as NtSystem), ...waits, calls };
  return { os: Object.assign(Object.create(absent) as Os, traits, native, waitsOf(addon, waits, nt)), nt };
}
