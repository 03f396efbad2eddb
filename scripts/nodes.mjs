/**
 * Other Node.js versions, from the npm packages that carry their binaries. Installed below build/,
 * outside of the project's own dependencies.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The binary of the newest Node.js of a major version; fetched when it is not there. */
export function nodeOfVersion(root, major) {
  if (Number(process.versions.node.split('.')[0]) === Number(major)) return process.execPath;
  const folder = join(root, 'build', 'nodes', String(major));
  const binary = join(folder, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    execFileSync(
      'npm',
      [
        'install',
        '--no-save',
        '--no-audit',
        '--no-fund',
        '--loglevel=error',
        `node-${process.platform}-${process.arch}@${major}`,
      ],
      {
        cwd: folder,
        stdio: ['ignore', 'inherit', 'inherit'],
      },
    );
  }
  return binary;
}
