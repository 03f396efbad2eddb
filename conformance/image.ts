/**
 * A small program file of Windows (PE32+, one section of code), for the cases that want a valid image.
 */

const MACHINE_X64 = 0x8664;
const HEADERS = 0x200;

/** The bytes of a valid image, as many as asked for: what is beyond its own is an overlay, which no loader looks at. */
export function image(size: number): Buffer {
  const file = Buffer.alloc(Math.max(size, 0x400));
  file.write('MZ', 0, 'latin1');
  file.writeUInt32LE(0x80, 0x3c);
  file.write('PE\0\0', 0x80, 'latin1');
  file.writeUInt16LE(MACHINE_X64, 0x84);
  file.writeUInt16LE(1, 0x86); // sections
  file.writeUInt16LE(0xf0, 0x94); // size of the optional header
  file.writeUInt16LE(0x22, 0x96); // executable, large addresses
  const optional = 0x98;
  file.writeUInt16LE(0x20b, optional);
  file.writeUInt32LE(0x200, optional + 4); // code
  file.writeUInt32LE(0x1000, optional + 16); // entry
  file.writeUInt32LE(0x1000, optional + 20);
  file.writeBigUInt64LE(0x1_4000_0000n, optional + 24);
  file.writeUInt32LE(0x1000, optional + 32); // alignment in memory
  file.writeUInt32LE(0x200, optional + 36); // alignment in the file
  file.writeUInt16LE(6, optional + 40);
  file.writeUInt16LE(6, optional + 48);
  file.writeUInt32LE(0x2000, optional + 56); // size in memory
  file.writeUInt32LE(HEADERS, optional + 60);
  file.writeUInt16LE(3, optional + 68); // console
  file.writeUInt16LE(0x100, optional + 70); // no execution of data
  file.writeBigUInt64LE(0x10_0000n, optional + 72);
  file.writeBigUInt64LE(0x1000n, optional + 80);
  file.writeBigUInt64LE(0x10_0000n, optional + 88);
  file.writeBigUInt64LE(0x1000n, optional + 96);
  file.writeUInt32LE(16, optional + 108);
  const section = optional + 0xf0;
  file.write('.text', section, 'latin1');
  file.writeUInt32LE(1, section + 8);
  file.writeUInt32LE(0x1000, section + 12);
  file.writeUInt32LE(0x200, section + 16);
  file.writeUInt32LE(HEADERS, section + 20);
  file.writeUInt32LE(0x6000_0020, section + 36);
  file.writeUInt8(0xc3, HEADERS); // ret
  return file;
}
