/**
 * The application of `sectile demo`: an ordinary process that knows the driver's layout and nothing
 * else of it. Started by root it becomes somebody else first.
 */
import type { ApplicationCall, ArgumentsOf, FromApplication, ResultOf, ToApplication } from '../../../src/cli/demo/messages.js';
import { receiveFile } from '../client.ts';
import { TelemetryReader } from '../reader.ts';
import { Probes } from './probes.ts';
import { watch } from './watch.ts';

/** `nobody`, on every Linux. */
const NOBODY = 65_534;

/** Everything is loaded by now, so nothing of this installation need be readable for that user. */
function becomeNobody(): void {
  if (process.geteuid?.() !== 0) return;
  try {
    process.setgroups?.([]);
    process.setgid?.(NOBODY);
    process.setuid?.(NOBODY);
  } catch {
    // A container that has no other user: the demo says as whom we run.
  }
}

function tell(message: FromApplication): void {
  if (process.connected) process.send?.(message);
}

/** Progress for eyes: 25 times a second is plenty, the last one always. */
function throttled(report: (bytes: number, total: number) => void): (bytes: number, total: number) => void {
  let next = 0;
  return (bytes, total) => {
    if (performance.now() < next && bytes < total) return;
    next = performance.now() + 40;
    report(bytes, total);
  };
}

class Application {
  readonly #reader: TelemetryReader;
  readonly #probes: Probes;

  constructor(reader: TelemetryReader) {
    this.#reader = reader;
    this.#probes = new Probes(reader);
  }

  readonly calls: { readonly [C in ApplicationCall]: (given: ArgumentsOf<C>) => Promise<ResultOf<C>> | ResultOf<C> } = {
    watch: ({ seconds }) => watch(this.#reader, seconds, (snapshot) => tell({ type: 'snapshot', snapshot })),
    receive: () => receiveFile({ onProgress: throttled((bytes, total) => tell({ type: 'progress', bytes, total })) }),
    probe: () => this.#probes.whileLoaded(),
    afterUnload: () => this.#probes.afterUnload(),
    leave: () => this.#probes.leave(),
  };
}

async function answer(application: Application, message: ToApplication): Promise<void> {
  const { call } = message;
  try {
    // The table's type ties each call to its arguments; TypeScript cannot follow that through an index.
    const handler = application.calls[call] as (given: ToApplication) => Promise<unknown>;
    tell({ type: 'result', call, value: await handler(message) });
  } catch (error) {
    tell({ type: 'failed', call, message: error instanceof Error ? error.message : String(error) });
  }
}

becomeNobody();
const reader = TelemetryReader.open();
const application = new Application(reader);
process.on('message', (message) => void answer(application, message as ToApplication));
// Without the demo there is nothing to do here.
process.on('disconnect', () => process.exit(0));
tell({ type: 'ready', uid: process.geteuid?.() ?? 0, driverAddress: reader.kernelAddress.toString(16) });
