/**
 * What the driver and its applications agree on: names, control codes, layouts.
 */

/** CTL_CODE, without importing it from either side. */
const code = (functionCode: number, access: number): number => ((0x22 << 16) | (access << 14) | (functionCode << 2)) >>> 0;

export const DEVICE_NAME = 'EchoDevice';
export const SECTION_NAME = 'EchoDevice';
export const LAYOUT_VERSION = 1;

/** No input. Output: the layout's version (32 bits, little-endian), then the section's name in UTF-8. */
export const IOCTL_ECHO_QUERY = code(0x800, 0);

/**
 * Input: a handle of the application's (32 bits, little-endian) on a section with a global name. The driver turns the
 * section's bytes round. FILE_WRITE_ACCESS.
 */
export const IOCTL_ECHO_REVERSE = code(0x801, 2);

/** The section: how often the driver has turned something round, at its start. */
export const SECTION_BYTES = 4096;
export const COUNTER_AT = 0;

/** The largest section that is turned round: the system process does nothing else meanwhile. */
export const MOST_BYTES = 2 ** 20;
