/**
 * First process of "Creating Named Shared Memory": creates the file mapping object, writes a string into
 * a view of it, and waits for a key, so that the second process can read the string meanwhile.
 *
 * @see {@link https://learn.microsoft.com/windows/win32/memory/creating-named-shared-memory}
 */
import { readSync } from 'node:fs';
import {
  CloseHandle,
  CreateFileMapping,
  FILE_MAP_ALL_ACCESS,
  GetLastError,
  INVALID_HANDLE_VALUE,
  MapViewOfFile,
  PAGE_READWRITE,
  UnmapViewOfFile,
} from 'sectile/kernel32';
import { BUF_SIZE, szName } from './names.js';

const szMsg = 'Message from first process.';

function main(): number {
  const hMapFile = CreateFileMapping(
    INVALID_HANDLE_VALUE, // use paging file
    null, // default security
    PAGE_READWRITE, // read/write access
    0, // maximum object size (high-order DWORD)
    BUF_SIZE, // maximum object size (low-order DWORD)
    szName, // name of mapping object
  );
  if (hMapFile === 0) {
    console.log(`Could not create file mapping object (${GetLastError()}).`);
    return 1;
  }
  const pBuf = MapViewOfFile(
    hMapFile, // handle to map object
    FILE_MAP_ALL_ACCESS, // read/write permission
    0,
    0,
    BUF_SIZE,
  );
  if (pBuf === null) {
    console.log(`Could not map view of file (${GetLastError()}).`);
    CloseHandle(hMapFile);
    return 1;
  }

  pBuf.bytes.set(Buffer.from(`${szMsg}\0`, 'utf16le'));
  console.log('The string is there. Press Enter to end.');
  readSync(0, new Uint8Array(1));

  UnmapViewOfFile(pBuf);
  CloseHandle(hMapFile);
  return 0;
}

process.exitCode = main();
