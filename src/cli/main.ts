#!/usr/bin/env node
/**
 * The command `sectile`: runs the program and turns whatever happened into an exit code. Everything else
 * is loaded from here, so that a build without its native part is told in one line as well.
 */
import { failed, guardOutput } from './exit.js';

guardOutput();
try {
  const { createProgram } = await import('./program.js');
  await (await createProgram(process.argv.slice(2))).parseAsync();
} catch (error) {
  process.exit(failed(error));
}
