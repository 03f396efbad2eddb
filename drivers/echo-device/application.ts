/**
 * An application of echo-device: asks the device for its section, opens and maps that, has a section of its own turned
 * round, and sees the driver count.
 *
 *   node echo-device/application.js
 */
import {
  CloseHandle,
  CreateFile,
  CreateFileMapping,
  DeviceIoControl,
  FILE_MAP_READ,
  FILE_MAP_WRITE,
  GENERIC_READ,
  GENERIC_WRITE,
  GetLastError,
  INVALID_HANDLE_VALUE,
  MapViewOfFile,
  OPEN_EXISTING,
  OpenFileMapping,
  PAGE_READWRITE,
  UnmapViewOfFile,
} from 'sectile/kernel32';
import { COUNTER_AT, DEVICE_NAME, IOCTL_ECHO_QUERY, IOCTL_ECHO_REVERSE, LAYOUT_VERSION, SECTION_BYTES } from './controls.ts';

function must<T>(what: string, value: T | false | null | 0): T {
  if (value === false || value === null || value === 0) throw new Error(`${what} failed: error ${GetLastError()}`);
  return value;
}

const device = CreateFile(`\\\\.\\${DEVICE_NAME}`, GENERIC_READ | GENERIC_WRITE, 0, null, OPEN_EXISTING, 0, null);
if (device === INVALID_HANDLE_VALUE) throw new Error(`the driver is not loaded: error ${GetLastError()}`);

const answer = must('IOCTL_ECHO_QUERY', DeviceIoControl(device, IOCTL_ECHO_QUERY, null, 256));
if (answer.length < 4)
  throw new Error(`the driver answered ${answer.length} bytes: load the one that this application comes with`);
const version = new DataView(answer.buffer, answer.byteOffset).getUint32(0, true);
const name = new TextDecoder().decode(answer.subarray(4));
if (version !== LAYOUT_VERSION) throw new Error(`layout ${version}: this application knows ${LAYOUT_VERSION}`);

const mapping = must('OpenFileMapping', OpenFileMapping(FILE_MAP_READ, false, name));
const view = must('MapViewOfFile', MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, 0));
if (view.length < SECTION_BYTES) throw new Error(`${name} has ${view.length} bytes, and not the layout that is known here`);
const counter = new Uint32Array(view.buffer);

const own = must('CreateFileMapping', CreateFileMapping(INVALID_HANDLE_VALUE, null, PAGE_READWRITE, 0, 4096, 'Global\\EchoText'));
const text = must('MapViewOfFile', MapViewOfFile(own, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, 0));
text.bytes.set(new TextEncoder().encode('dlrow'), 4096 - 5);
must('IOCTL_ECHO_REVERSE', DeviceIoControl(device, IOCTL_ECHO_REVERSE, Int32Array.of(own), 0));

console.log(`${name}: "${new TextDecoder().decode(text.bytes.slice(0, 5))}", turned round ${counter[COUNTER_AT]} times`);

for (const each of [view, text]) UnmapViewOfFile(each);
for (const each of [mapping, own, device]) CloseHandle(each);
