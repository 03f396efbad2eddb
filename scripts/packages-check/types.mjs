/**
 * Compiles a program against the types of the installed package, its declaration files checked as well: every name that the
 * code exports has a type, every type leads to what it names, and what a user writes is taken or refused as it should be.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { root } from '../native-targets.mjs';

const usage = `
import { Section, SectionError, type View } from 'sectile';
import * as k from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import type { DriverObject, NTSTATUS } from 'sectile/ntddk';
using section: Section = Section.create({ size: 4096, protection: 'read' });
const view: View = section.map({ access: 'readwrite' });
const values: Float64Array<ArrayBuffer> = view.as(Float64Array);
view.on('fault', (fault) => console.log(fault.kind satisfies string, values.length));
const { status, sectionHandle } = n.NtCreateSection(n.SECTION_ALL_ACCESS, null, 4096, n.PAGE_READWRITE, n.SEC_COMMIT, null);
if (status === n.STATUS_SUCCESS) k.CloseHandle(sectionHandle);
const child = k.CreateProcess(null, 'x', null, null, false, 0, null, null, null);
child?.process.once('exit', (code: number | null) => code);
export const entry = (driver: DriverObject): NTSTATUS => (driver.DeviceObject === null ? 0 : 1);
export const why = (error: unknown) => (error instanceof SectionError ? error.wayOut : null);
// @ts-expect-error a misspelt option
Section.create({ sise: 1 });
// @ts-expect-error views come from a section
new (view.constructor as typeof View)();
`;

/** What a file of the shortened code exports. */
function namesOf(file) {
  const code = readFileSync(file, 'utf8');
  const listed = [...code.matchAll(/export\{([^}]*)\}/g)].flatMap(([, list]) => list.split(','));
  const others = [...code.matchAll(/export\*from"([^"]+)"/g)].flatMap(([, path]) => [...namesOf(join(dirname(file), path))]);
  return new Set([
    ...listed.map((item) =>
      item
        .trim()
        .split(/\s+as\s+/)
        .at(-1),
    ),
    ...others,
  ]);
}

/** Throws with what the compiler says. */
export function checkTypes(folder) {
  const installed = join(folder, 'node_modules', 'sectile');
  const { exports } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  const names = Object.entries(exports).filter(([, entry]) => typeof entry === 'object');
  const modules = names.map(([name]) => `sectile${name.slice(1)}`);
  let count = 0;
  const lists = names.map(([, entry], index) => {
    const given = [...namesOf(join(installed, entry.default))];
    count += given.length;
    return `import * as m${index} from '${modules[index]}';\nexport const e${index} = { ${given.map((name) => `${name}: m${index}.${name}`).join(', ')} };\n`;
  });
  writeFileSync(join(folder, 'names.ts'), lists.join(''));
  writeFileSync(join(folder, 'usage.ts'), usage);
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable'],
    module: 'nodenext',
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
    types: ['node'],
    typeRoots: [join(root, 'node_modules', '@types')],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['names.ts', 'usage.ts'] }));
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  try {
    execFileSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
  } catch (error) {
    throw new Error(error.stdout || error.message);
  }
  return `${count} names of ${modules.length} modules have their types`;
}
