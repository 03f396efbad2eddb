/**
 * Where the templates of a driver kit stand: in a clone beside the code, else in a package of their own,
 * which the published package depends on.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SectionError } from '../../base/error.js';

const PACKAGE = '@sectile/driver-kit';
const KIT = 'windows-wdm';

function templateFolder(): string {
  const beside = fileURLToPath(new URL(`../../../drivers/${KIT}/`, import.meta.url));
  if (existsSync(beside)) return beside;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`)), KIT);
  } catch (cause) {
    throw new SectionError('ERR_SECTION_FILE', {
      operation: 'sectile driver init',
      object: PACKAGE,
      rule: 'the package with the templates is not installed',
      wayOut: `Install it beside sectile, in the same version: "npm install ${PACKAGE}"`,
      cause,
    });
  }
}

/** The text of one template. */
export const readTemplate = (file: string): string => readFileSync(join(templateFolder(), file), 'utf8');
