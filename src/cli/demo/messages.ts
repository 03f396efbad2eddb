/**
 * What the demo and its application say to each other over Node's IPC. The bytes that the demo is about
 * go another way: through sections.
 */

/** One thing that was looked at: what should be so, whether it was, and what was seen. */
export interface Check {
  readonly id: string;
  readonly title: string;
  readonly held: boolean;
  /** One line or several. */
  readonly evidence: string;
}

/** The machine as the telemetry shows it, over the last half second. Null: the machine does not say. */
export interface Snapshot {
  readonly sampleNumber: number;
  /** New samples seen in the last second. */
  readonly samplesPerSecond: number;
  /** Share of time that each processor was busy, 0 to 1. */
  readonly cores: readonly number[];
  readonly load: number | null;
  readonly running: number | null;
  readonly memoryTotal: number | null;
  readonly memoryUsed: number | null;
  readonly memoryCached: number | null;
  /** Bytes per second. */
  readonly diskRead: number | null;
  readonly diskWritten: number | null;
  readonly networkReceived: number | null;
  readonly networkSent: number | null;
}

export interface WatchResult {
  readonly seconds: number;
  readonly seen: number;
  /** Samples that the driver took meanwhile. */
  readonly published: number;
  readonly torn: number;
  /** Time to read one sample, measured over many. */
  readonly nanosecondsPerRead: number;
  /** Bytes in one sample. */
  readonly bytesPerSample: number;
}

export interface ReceiveResult {
  readonly bytes: number;
  readonly chunks: number;
  readonly digest: string;
  readonly driverDigest: string;
  readonly milliseconds: number;
}

/** What the demo can ask of its application, and what comes back. */
export interface ApplicationCalls {
  watch: { readonly seconds: number; readonly result: WatchResult };
  receive: { readonly result: ReceiveResult };
  probe: { readonly result: readonly Check[] };
  afterUnload: { readonly result: readonly Check[] };
  leave: { readonly result: readonly Check[] };
}

export type ApplicationCall = keyof ApplicationCalls;
export type ArgumentsOf<C extends ApplicationCall> = Omit<ApplicationCalls[C], 'result'>;
export type ResultOf<C extends ApplicationCall> = ApplicationCalls[C]['result'];

export type ToApplication = { [C in ApplicationCall]: { readonly call: C } & ArgumentsOf<C> }[ApplicationCall];

export type FromApplication =
  /** The address of the driver's view as the telemetry tells it, in hexadecimal. */
  | { readonly type: 'ready'; readonly uid: number; readonly driverAddress: string }
  | { readonly type: 'snapshot'; readonly snapshot: Snapshot }
  | { readonly type: 'progress'; readonly bytes: number; readonly total: number }
  | { readonly type: 'result'; readonly call: ApplicationCall; readonly value: unknown }
  | { readonly type: 'failed'; readonly call: ApplicationCall; readonly message: string };
