/**
 * The benchmark on Windows, run by scripts/bench-windows.mjs: what a view costs beside C on the same system.
 */
import { runBenchProgram } from '../program.js';
import { copy } from './copy.js';
import { map } from './map.js';
import { pingpong } from './pingpong.js';

await runBenchProgram([map, copy, pingpong], 'Measures Sectile beside C on Windows', 'bench-windows.json');
