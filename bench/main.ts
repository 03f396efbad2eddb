/**
 * `npm run bench`: measures Sectile beside C floors and Node's own transports, all in one run and turn by turn.
 */
import { copy } from './groups/copy.js';
import { create } from './groups/create.js';
import { frameGroup } from './groups/frames.js';
import { handover } from './groups/handover.js';
import { idle } from './groups/idle.js';
import { objects } from './groups/objects.js';
import { open } from './groups/open.js';
import { pingpong } from './groups/pingpong.js';
import { rates } from './groups/rates.js';
import { telemetry } from './groups/telemetry.js';
import { firstTouch } from './groups/touch.js';
import { trips } from './groups/trips.js';
import { waits } from './groups/waits.js';
import { wakes } from './groups/wakes.js';
import { runBenchProgram } from './program.js';

await runBenchProgram(
  [create, open, copy, pingpong, firstTouch, handover, telemetry, waits, wakes, objects, trips, rates, frameGroup, idle],
  "Measures Sectile beside C and Node's own transports",
  'bench.json',
);
