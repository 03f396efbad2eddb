/**
 * The application of the driver beside it: opens the driver's section by name and maps a view, its two
 * steps. It asks for reading, which is all that the driver grants it.
 */
import { CloseHandle, FILE_MAP_READ, GetLastError, MapViewOfFile, OpenFileMapping, UnmapViewOfFile } from 'sectile/kernel32';
import { sectionName } from './names.js';

function main(): number {
  const hMapFile = OpenFileMapping(FILE_MAP_READ, false, `Global\\${sectionName}`);
  if (hMapFile === 0) {
    console.log(`Could not open the driver's section (${GetLastError()}).`);
    return 1;
  }
  const pBuf = MapViewOfFile(hMapFile, FILE_MAP_READ, 0, 0, 0);
  CloseHandle(hMapFile); // the view stays
  if (pBuf === null) {
    console.log(`Could not map a view (${GetLastError()}).`);
    return 1;
  }
  const [text] = Buffer.from(pBuf.bytes.subarray(0, 256)).toString('utf8').split('\0', 1);
  console.log(text);
  UnmapViewOfFile(pBuf);
  return 0;
}

process.exitCode = main();
