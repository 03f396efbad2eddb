/**
 * Refuses `sectile/ntddk` where the kernel is NT, before the module that is meant looks for a system process.
 */
import { SectionError } from '../base/error.js';
import { nt } from '../os/index.js';

if (nt !== null) {
  throw new SectionError('ERR_SECTION_NOT_KERNEL_MODE', {
    operation: 'import sectile/ntddk',
    rule: 'the kernel here is the real one, and its drivers are native code',
    wayOut: 'Write the driver in C: see docs/windows-drivers.md; applications use sectile/kernel32 or sectile/ntdll',
  });
}
