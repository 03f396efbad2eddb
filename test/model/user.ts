/**
 * An application of the random sequences: does one call after the other as it is told.
 */
import { scenarios } from '../support/scenario.js';
import { Caller } from './caller.js';
import type { Call } from './operations.js';

export default scenarios(import.meta.url, {
  'calls as it is told': async () => {
    const caller = new Caller(await import('sectile/ntdll'));
    await new Promise<void>((resolve) => {
      process.channel?.ref();
      process.on('message', ({ order, value }: { order: string; value: Call }) => {
        if (order === 'call') process.send?.({ state: 'answer', value: caller.do(value) });
        if (order === 'reset') {
          caller.reset();
          process.send?.({ state: 'reset' });
        }
        if (order === 'end') resolve();
      });
      process.send?.({ state: 'ready' });
    });
    process.channel?.unref();
  },
});
