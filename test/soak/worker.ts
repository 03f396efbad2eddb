/**
 * A process of the soak run. It is started ahead, says that it is ready, is told what to do, and does it until it is killed or has
 * done enough. An error ends it with exit code 1.
 */
import { Duty, type Orders, stayOnlyWithParent } from './duty.js';
import { lockRoles } from './lock-roles.js';
import { broadcastRoles, latestRoles } from './one-writer-roles.js';
import { poolRoles } from './pool-roles.js';
import { ringRoles } from './ring-roles.js';

export type Role = (duty: Duty) => Promise<void>;

const roles: Readonly<Record<string, Readonly<Record<string, Role>>>> = {
  ring: ringRoles,
  broadcast: broadcastRoles,
  latest: latestRoles,
  pool: poolRoles,
  locks: lockRoles,
};

let isDone = false;
process.on('disconnect', () => {
  if (!isDone) process.exit(2);
});
setInterval(stayOnlyWithParent, 1000).unref();

process.once('message', (orders: Orders) => {
  const role = roles[orders.part]?.[orders.role];
  if (role === undefined) throw new Error(`no role "${orders.role}" in "${orders.part}"`);
  const duty = new Duty(orders);
  role(duty).then(
    () => {
      duty.ledger.close();
      // What it has closed must not keep it.
      isDone = true;
      process.disconnect();
    },
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.send?.('ready');
