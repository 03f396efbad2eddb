/**
 * The Windows implementation: {@link NtSystem} over the addon's calls, and of {@link Os} what mappings can do. The rest
 * of {@link Os} is what Sectile plays the kernel with, and has no meaning where the kernel is NT.
 */
import { loadNative } from './native.js';
import type { NtSystem, SystemCall } from './nt.js';
import type { Os, OsTraits } from './os.js';
import { type WaitsAddon, win32Waits } from './win32-waits.js';

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

export function win32(): { readonly os: Os; readonly nt: NtSystem } {
  const native = loadNative();
  const calls = (native['systemCalls'] as () => Readonly<Record<string, SystemCall>>)();
  const waits = win32Waits(native as unknown as WaitsAddon);
  return {
    os: Object.assign(Object.create(absent) as Os, traits, native),
    nt: { ...(native as unknown as NtSystem), ...waits, calls },
  };
}
