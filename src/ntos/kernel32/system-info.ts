/**
 * What the system tells of the machine.
 */
import type { SystemInfo } from '../../win32/system-info.js';
import type { Win32System } from './win32-system.js';

/** SYSTEM_INFO on 64-bit processors. */
const layout = { bytes: 48, pageSize: 4, lowest: 8, highest: 16, mask: 24, processors: 32, granularity: 40 } as const;

export function systemInfoCalls(system: Win32System) {
  function GetSystemInfo(): SystemInfo {
    const info = new Uint8Array(layout.bytes);
    system.call('GetSystemInfo', info);
    const view = new DataView(info.buffer);
    return {
      dwPageSize: view.getUint32(layout.pageSize, true),
      lpMinimumApplicationAddress: view.getBigUint64(layout.lowest, true),
      lpMaximumApplicationAddress: view.getBigUint64(layout.highest, true),
      dwActiveProcessorMask: view.getBigUint64(layout.mask, true),
      dwNumberOfProcessors: view.getUint32(layout.processors, true),
      dwAllocationGranularity: view.getUint32(layout.granularity, true),
    };
  }

  return {
    GetSystemInfo,
    GetNativeSystemInfo: GetSystemInfo,
    GetLargePageMinimum: (): number => Number(system.call('GetLargePageMinimum')),
  };
}
