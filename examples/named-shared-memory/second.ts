/**
 * Second process of "Creating Named Shared Memory": opens the file mapping object by its name and shows
 * the string that the first process wrote.
 *
 * @see {@link https://learn.microsoft.com/windows/win32/memory/creating-named-shared-memory}
 */
import {
  CloseHandle,
  FILE_MAP_ALL_ACCESS,
  GetLastError,
  MapViewOfFile,
  OpenFileMapping,
  UnmapViewOfFile,
} from 'sectile/kernel32';
import { BUF_SIZE, szName } from './names.js';

function main(): number {
  const hMapFile = OpenFileMapping(
    FILE_MAP_ALL_ACCESS, // read/write access
    false, // do not inherit the name
    szName, // name of mapping object
  );
  if (hMapFile === 0) {
    console.log(`Could not open file mapping object (${GetLastError()}).`);
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

  // The first process may have written anything: the text ends at its NUL, or with the view.
  const [text] = Buffer.from(pBuf.bytes).toString('utf16le').split('\0', 1);
  console.log(text);

  UnmapViewOfFile(pBuf);
  CloseHandle(hMapFile);
  return 0;
}

process.exitCode = main();
