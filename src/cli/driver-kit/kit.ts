/**
 * The files of a driver kit: those that follow from the layout, and those of drivers/windows-wdm with another name.
 * That folder is a kit itself, for a driver named as below: what is tested there is what users get.
 */
import { createHash } from 'node:crypto';
import type { Field } from './field.js';
import { layOut, MAXIMUM_RECORD_BYTES } from './layout.js';
import { renderCLayout, renderCValues, renderTsLayout, renderTsValues } from './render.js';
import { readTemplate } from './templates.js';

/** The driver that the templates are written for. */
const TEMPLATE_NAME = 'SectileWdm';

const typescriptFiles = ['application.ts', 'connection.ts', 'protocol.ts', 'records.ts', `${TEMPLATE_NAME}.ts`];
const windowsFiles = [
  ...['client.c', 'device.c', 'driver.c', 'exchange.c', 'guarded.c', 'section.c', 'worker.c'],
  ...['driver.h', 'platform.h', 'protocol.h'],
  ...['CMakeLists.txt', 'Makefile', 'install.ps1', `${TEMPLATE_NAME}.inf`],
];

export interface KitRequest {
  readonly name: string;
  readonly fields: readonly Field[];
  readonly controls: readonly Field[];
  /** With the driver in C and what builds and installs it. */
  readonly windows: boolean;
}

/** Four letters by which the pool monitor shows the driver's memory. */
const poolTag = (name: string): string => name.slice(0, 4).padEnd(4, '_');

/** The tag as C has it: the first letter in the lowest byte. */
const poolTagNumber = (name: string): string => `0x${Buffer.from(poolTag(name), 'latin1').readUInt32LE().toString(16)}u`;

/** An identifier that is always the same for one name: for the device's class. */
function classIdentifier(name: string): string {
  const bytes = createHash('sha256').update(`sectile driver ${name}`).digest().subarray(0, 16);
  // Version 8, "made in a way of one's own", by RFC 9562.
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = (value: number, digits: number): string => `0x${value.toString(16).padStart(digits, '0')}`;
  const tail = [...bytes.subarray(8)].map((byte) => hex(byte, 2)).join(', ');
  return `{${hex(bytes.readUInt32BE(0), 8)}, ${hex(bytes.readUInt16BE(4), 4)}, ${hex(bytes.readUInt16BE(6), 4)}, {${tail}}}`;
}

/** What stands in the templates for the name, longest first. */
const tokens: readonly ((name: string) => string)[] = [
  classIdentifier,
  poolTagNumber,
  (name) => `"${poolTag(name)}"`,
  (name) => name,
];

function rename(text: string, name: string): string {
  return tokens.reduce((result, token) => result.replaceAll(token(TEMPLATE_NAME), () => token(name)), text);
}

function fromTemplate(file: string, name: string): readonly [string, string] {
  return [rename(file, name), rename(readTemplate(file), name)];
}

/**
 * Every file of the kit, by its name.
 *
 * @throws RangeError when a record is larger than a sequence lock can carry
 */
export function driverKit({ name, fields, controls, windows }: KitRequest): ReadonlyMap<string, string> {
  const layout = layOut(fields, controls);
  for (const [record, { bytes }] of [['fields', layout.sample] as const, ['controls', layout.controls] as const])
    if (bytes > MAXIMUM_RECORD_BYTES)
      throw new RangeError(
        `the ${record} take ${bytes} bytes, and a record that is read as a whole may have ${MAXIMUM_RECORD_BYTES}: share large data in a section of its own`,
      );
  return new Map([
    ['layout.ts', renderTsLayout(name, layout)],
    ['values.ts', renderTsValues(fields, controls)],
    ...typescriptFiles.map((file) => fromTemplate(file, name)),
    ...(windows
      ? [
          ['layout.h', renderCLayout(layout)] as const,
          ['values.c', renderCValues(fields, controls)] as const,
          ...windowsFiles.map((file) => fromTemplate(file, name)),
        ]
      : []),
  ]);
}
