/**
 * The demo from start to end: puts up its stage, starts system process and application, shows, moves,
 * walks, and clears everything away, whatever happens.
 */
import chalk from 'chalk';
import { plural, sizeText, userText } from '../../inspector/index.js';
import { createDashboard } from './dashboard.js';
import type { ReceiveResult, WatchResult } from './messages.js';
import { ApplicationProcess, SystemProcess } from './processes.js';
import { type Payload, Stage } from './stage.js';
import { sharedMemory, Traces } from './traces.js';
import type { Transcript } from './transcript.js';
import { driverGoes, driverIsUp, nothingIsLeft, systemStops } from './walk.js';

const STEP_LIMIT = 30_000;
/** A slow disk gives 10 MB a second. */
const SLOWEST_BYTES_PER_MILLISECOND = 10_000;

export interface DemoOptions {
  readonly file: string | undefined;
  readonly seconds: number;
}

export interface DemoResult {
  readonly system: { readonly pid: number; readonly uid: number };
  readonly application: { readonly pid: number; readonly uid: number };
  readonly telemetry: WatchResult;
  readonly transfer: ReceiveResult & { readonly file: string; readonly megabytesPerSecond: number };
}

export class Demo {
  readonly #options: DemoOptions;
  readonly #transcript: Transcript;
  readonly #signal: AbortSignal;
  readonly #stage = new Stage();
  readonly #traces = new Traces();
  readonly #sharedBefore = sharedMemory();
  #system: SystemProcess | null = null;
  #application: ApplicationProcess | null = null;

  constructor(options: DemoOptions, transcript: Transcript, signal: AbortSignal) {
    this.#options = options;
    this.#transcript = transcript;
    this.#signal = signal;
  }

  async run(): Promise<DemoResult> {
    const payload = await this.#stage.payload(this.#options.file, this.#signal);
    const { system, application } = await this.#start(payload);
    const telemetry = await this.#watch(application);
    const transfer = await this.#move(application, payload);
    await this.#walk(system, application);
    return {
      system: { pid: system.pid, uid: process.geteuid?.() ?? 0 },
      application: { pid: application.pid, uid: application.uid },
      telemetry,
      transfer,
    };
  }

  /** Ends what still runs and removes what is still there. Safe at any time. */
  async clear(): Promise<void> {
    await Promise.allSettled([this.#application?.end(), this.#system?.end()]);
    this.#stage.strike();
  }

  /** The same for the last moment of this process. */
  clearNow(): void {
    this.#application?.kill();
    this.#system?.kill();
    this.#stage.strike();
  }

  async #start({ file, bytes, origin }: Payload): Promise<{ system: SystemProcess; application: ApplicationProcess }> {
    const out = this.#transcript;
    out.line(chalk.bold('A driver and an application share memory'));
    const system = SystemProcess.start(file);
    this.#system = system;
    await system.isReady(this.#signal);
    out.fact('System process', `${system.pid}, ${userText(process.geteuid?.() ?? 0)}, with the driver host-telemetry in it`);
    const application = ApplicationProcess.start();
    this.#application = application;
    await application.isReady(this.#signal);
    const isStranger = application.uid !== process.geteuid?.();
    out.fact('Application', `${application.pid}, ${userText(application.uid)}${isStranger ? '' : ', the same user'}`);
    out.fact('File', `${file}, ${sizeText(bytes)}, ${origin}`);
    return { system, application };
  }

  async #watch(application: ApplicationProcess): Promise<WatchResult> {
    const { seconds } = this.#options;
    this.#transcript.heading('Live telemetry, as the application reads it from its view');
    const dashboard = createDashboard(this.#transcript.isQuiet);
    application.onSnapshot = (snapshot) => dashboard.show(snapshot);
    try {
      const result = await application.call('watch', { seconds }, seconds * 1000 + STEP_LIMIT, this.#signal);
      dashboard.end();
      const { seen, published, torn, nanosecondsPerRead, bytesPerSample } = result;
      this.#transcript.check({
        id: 'telemetry',
        title: `${seen} samples in ${result.seconds.toFixed(1)} s, each of them whole`,
        held: torn === 0 && seen >= published * 0.9 && published >= result.seconds * 40,
        evidence: `the driver took ${published}; ${torn} torn; reading one of ${bytesPerSample} bytes takes ${Math.round(nanosecondsPerRead)} ns, without a system call`,
      });
      return result;
    } finally {
      dashboard.end();
    }
  }

  async #move(application: ApplicationProcess, { file, bytes }: Payload): Promise<DemoResult['transfer']> {
    this.#transcript.heading('A file goes through the section');
    const progress = this.#transcript.progress(bytes);
    application.onProgress = (done, total) => progress.update(done, total);
    let received: ReceiveResult;
    try {
      received = await application.call('receive', {}, STEP_LIMIT + bytes / SLOWEST_BYTES_PER_MILLISECOND, this.#signal);
    } finally {
      progress.end();
    }
    const { digest, driverDigest, chunks, milliseconds } = received;
    const megabytesPerSecond = Math.round(received.bytes / 1e3 / milliseconds);
    this.#transcript.check({
      id: 'transfer',
      title: `${sizeText(received.bytes)} in ${plural(chunks, 'chunk')}, ${(milliseconds / 1000).toFixed(2)} s, ${megabytesPerSecond} MB/s, hashed on both sides`,
      held: digest === driverDigest && received.bytes === bytes && /^[0-9a-f]{64}$/.test(digest),
      evidence:
        digest === driverDigest
          ? `SHA-256 of driver and application: ${digest}`
          : `SHA-256 differs: driver ${driverDigest}, application ${digest}`,
    });
    return { ...received, file, megabytesPerSecond };
  }

  async #walk(system: SystemProcess, application: ApplicationProcess): Promise<void> {
    const out = this.#transcript;
    const show = (checks: Iterable<Parameters<Transcript['check']>[0]>): void => {
      for (const each of checks) out.check(each);
    };
    out.heading("The driver's side");
    show(driverIsUp(system, application, this.#traces));
    out.heading("The application's side");
    show(await application.call('probe', {}, STEP_LIMIT, this.#signal));
    out.heading('The end');
    show(driverGoes(system, application, this.#traces));
    show(await application.call('afterUnload', {}, STEP_LIMIT, this.#signal));
    show(await application.call('leave', {}, STEP_LIMIT, this.#signal));
    await application.leave(this.#signal);
    out.check(await systemStops(system, this.#stage, this.#signal));
    const pids = [system.pid, application.pid];
    out.check(await nothingIsLeft(pids, this.#traces, this.#stage, this.#sharedBefore, this.#signal));
  }
}
