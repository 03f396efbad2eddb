/**
 * A runtime directory of this test file's own: its names, and its system process, meet nobody else's.
 * Import it before anything is created.
 */
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { platform } from '../support/platform.js';

export const runtimeDirectory = mkdtempSync(join(tmpdir(), 'sectile-nt-'));
// Applications of other users come to the system process here.
chmodSync(runtimeDirectory, 0o755);
process.env['SECTILE_RUNTIME_DIR'] = runtimeDirectory;
process.on('exit', () => {
  // A folder that somebody works in may not be removed.
  process.chdir(tmpdir());
  platform.removeFolder(runtimeDirectory);
});
