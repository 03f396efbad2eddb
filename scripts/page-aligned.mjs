/**
 * A Windows program whose sections lie at whole pages in its file, as linkers can lay them and mostly do not. Wine maps
 * such a section from the file; any other it has to read and copy at every start, of Node.js 72 MB.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const PAGE = 4096;

/** Where the format of PE images has what is needed here, in bytes. */
const At = {
  /** Of the file: where the headers of NT begin. */
  newHeader: 0x3c,
  /** Of those headers. */
  sectionCount: 6,
  optionalSize: 20,
  optional: 24,
  /** Of the optional header of 64 bits. */
  fileAlignment: 36,
  headersSize: 60,
  directories: 112,
  /** Of a section's header. */
  rawSize: 16,
  rawPlace: 20,
};
const SECTION_HEADER = 40;
/** The directory of signatures, which are at a place in the file and not of its sections: they hold no more. */
const SIGNATURES = 4;

const roundUp = (size) => Math.ceil(size / PAGE) * PAGE;

/**
 * @param {string} program A 64-bit .exe
 * @param {string} output Where its copy is written
 * @see https://learn.microsoft.com/windows/win32/debug/pe-format
 */
export function alignToPages(program, output) {
  const image = readFileSync(program);
  const header = image.readUInt32LE(At.newHeader);
  const optional = header + At.optional;
  const first = optional + image.readUInt16LE(header + At.optionalSize);
  const headersSize = image.readUInt32LE(optional + At.headersSize);
  image.writeUInt32LE(PAGE, optional + At.fileAlignment);
  image.fill(0, optional + At.directories + 8 * SIGNATURES, optional + At.directories + 8 * (SIGNATURES + 1));

  const parts = [];
  let end = 0;
  const append = (bytes) => {
    const place = end;
    end = roundUp(end + bytes.length);
    parts.push(bytes, Buffer.alloc(end - place - bytes.length));
    return place;
  };
  append(image.subarray(0, headersSize));
  for (let index = 0; index < image.readUInt16LE(header + At.sectionCount); index++) {
    const section = first + index * SECTION_HEADER;
    const [size, place] = [image.readUInt32LE(section + At.rawSize), image.readUInt32LE(section + At.rawPlace)];
    if (size === 0) continue;
    image.writeUInt32LE(roundUp(size), section + At.rawSize);
    image.writeUInt32LE(append(image.subarray(place, place + size)), section + At.rawPlace);
  }
  writeFileSync(output, Buffer.concat(parts), { mode: 0o755 });
}
