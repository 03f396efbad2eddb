/**
 * What a driver may be called: its name is the name of a service, of files, of objects of the kernel and a word of C.
 */
import { InvalidArgumentError } from 'commander';
import { isIdentifier } from './field.js';

/** So long that the longest name made of it is still no trouble to any tool. */
const MAXIMUM_NAME = 32;

/** Files of these names cannot exist on Windows, whatever stands behind the dot. */
const devices = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])$/i;

/** Files, programs and targets of a kit, which are there under these names already. */
const kit = new Set(
  (
    'all application clean client connection device driver exchange guarded help install layout platform protocol records ' +
    'section test values worker'
  ).split(' '),
);

/** @throws InvalidArgumentError that says what is wrong with the name */
export function parseDriverName(text: string): string {
  if (!isIdentifier(text) || text.length > MAXIMUM_NAME)
    throw new InvalidArgumentError(
      `It must be a word of letters, digits and "_" from a letter on, at most ${MAXIMUM_NAME}, no word of C, not all in capitals: such as Camera.`,
    );
  if (devices.test(text)) throw new InvalidArgumentError(`"${text}" is the name of a device on Windows.`);
  if (kit.has(text.toLowerCase()))
    throw new InvalidArgumentError(`"${text}" is the name of a file in every kit: choose another.`);
  return text;
}
