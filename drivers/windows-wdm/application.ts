/**
 * The application's side: prints some samples of the driver, whole and in order.
 *
 *   node application.js [COUNT]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { DriverConnection } from './connection.ts';

const show = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value);

async function main(count: number): Promise<void> {
  using driver = DriverConnection.open();
  for (let last = 0n, printed = 0; printed < count; ) {
    const sample = driver.read();
    if (sample.number !== last) {
      console.log(JSON.stringify(sample, show));
      last = sample.number;
      printed++;
    } else if (!driver.isLive) {
      console.log('the driver is unloaded');
      return;
    }
    await sleep(1);
  }
}

try {
  await main(Number(process.argv[2] ?? 5));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
