/**
 * What makes the files of a kit a project: its package, its compiler's settings, and a page that says what to do.
 */
import type { Field } from './field.js';
import type { KitRequest } from './kit.js';

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

export function renderPackage({ name }: KitRequest, version: string): string {
  return json({
    name: name.toLowerCase(),
    version: '1.0.0',
    private: true,
    type: 'module',
    scripts: { build: 'tsc', start: 'node dist/application.js' },
    dependencies: { sectile: `^${version}` },
    devDependencies: { '@types/node': '^20.19.43', typescript: '>=5.7' },
  });
}

export function renderCompilerSettings(): string {
  return json({
    compilerOptions: {
      target: 'es2022',
      lib: ['es2023', 'esnext.disposable'],
      module: 'nodenext',
      types: ['node'],
      strict: true,
      noUncheckedIndexedAccess: true,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
      skipLibCheck: true,
      rootDir: '.',
      outDir: 'dist',
    },
    include: ['*.ts'],
  });
}

const spell = ({ name, type, length }: Field): string => `${name}:${type}${length === null ? '' : `[${length}]`}`;

function command({ name, fields, controls, windows }: KitRequest): string {
  const options = [
    ...(windows ? ['--windows'] : []),
    ...fields.map((field) => `--field ${spell(field)}`),
    ...controls.map((field) => `--control ${spell(field)}`),
  ];
  return `sectile driver init ${name} ${options.join(' ')}`;
}

const windowsPart = (name: string): string => `
## On Windows

\`\`\`sh
make                                          # mingw-w64: build/${name}.sys and build/client.exe
cmake -B build -A x64 && cmake --build build --config Release   # MSVC with the Windows Driver Kit
\`\`\`

\`\`\`powershell
.\\install.ps1 install -Driver build\\Release\\${name}.sys   # as administrator; Get-Help .\\install.ps1 tells of signing
npm start                                     # the application
.\\install.ps1 uninstall
\`\`\`

| file | what it is |
|---|---|
| \`values.c\` | **yours**: where the values come from, and which controls can be |
| \`layout.h\` | where each value stands, as \`layout.ts\` has it |
| \`protocol.h\` | names, header and lock, as \`protocol.ts\` has them |
| \`driver.c\`, \`section.c\`, \`worker.c\`, \`exchange.c\`, \`guarded.c\`, \`device.c\` | loading, the five steps, the thread, the protocol, exceptions, the device |
| \`client.c\` | a native application, for comparison and for tests |
| \`${name}.inf\`, \`install.ps1\` | installing |
`;

export function renderReadme(request: KitRequest): string {
  const { name, windows } = request;
  return `# ${name}

A driver and its application, which share memory: the driver publishes samples, the application sets controls. Made by

\`\`\`sh
${command(request)}
\`\`\`

To change the layout, change that line and run it in an empty folder; \`values.ts\`${windows ? ' and `values.c`' : ''} can be taken along.

## With Sectile's system process

\`\`\`sh
npm install && npm run build
npx sectile system start --driver dist/${name}.js
npm start                                     # prints five samples
npx sectile system stop
\`\`\`

| file | what it is |
|---|---|
| \`values.ts\` | **yours**: where the values come from, and which controls can be |
| \`layout.ts\` | where each value stands |
| \`${name}.ts\` | the driver |
| \`application.ts\` | the application: change it as you like |
| \`connection.ts\` | samples that are whole, controls under the lock |
| \`protocol.ts\`, \`records.ts\` | names, header and lock; records in bytes |
${windows ? windowsPart(name) : ''}`;
}
