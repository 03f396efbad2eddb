/**
 * The same driver in TypeScript, for the system process: the application's side runs on Linux as it does on Windows.
 *
 *   sectile system start --driver ./SectileWdm.js
 *   node application.js
 *
 * driver.c and its neighbours do this on Windows, step by step the same.
 */
import {
  type DriverObject,
  InitializeObjectAttributes,
  NT_SUCCESS,
  type NTSTATUS,
  OBJ_CASE_INSENSITIVE,
  OBJ_FORCE_ACCESS_CHECK,
  OBJ_KERNEL_HANDLE,
  PAGE_READWRITE,
  SEC_COMMIT,
  SECTION_MAP_READ,
  SECTION_MAP_WRITE,
  STATUS_INVALID_PARAMETER,
  STATUS_SUCCESS,
  ViewUnmap,
  ZwClose,
  ZwCreateSection,
  ZwCurrentProcess,
  ZwMapViewOfSection,
  ZwUnmapViewOfSection,
} from 'sectile/ntddk';
import { controlsBytes, controlsLayout, layoutId, sampleBytes, sampleLayout } from './layout.ts';
import {
  CONTROLS_SECTION_BYTES,
  DEFAULT_INTERVAL_MS,
  DRIVER_TOKEN,
  DriverState,
  LOCK_LEASE_MS,
  LockWord,
  MAGIC,
  RECORD_AT,
  SAMPLE_SECTION_BYTES,
  SampleWord,
  SectionNames,
} from './protocol.ts';
import { decode, encode } from './records.ts';
import { apply, check, collect } from './values.ts';

interface SharedSection {
  readonly handle: number;
  readonly baseAddress: bigint;
  readonly buffer: ArrayBuffer;
}

/** Users may look at samples; at the controls they may write as well. */
const Security = {
  sample: 'D:(A;;GA;;;SY)(A;;GR;;;AU)',
  controls: 'D:(A;;GA;;;SY)(A;;GRGW;;;AU)',
} as const;

function createSharedSection(name: string, security: string, bytes: number): SharedSection | NTSTATUS {
  const attributes = InitializeObjectAttributes(
    `\\BaseNamedObjects\\${name}`,
    OBJ_KERNEL_HANDLE | OBJ_FORCE_ACCESS_CHECK | OBJ_CASE_INSENSITIVE,
    null,
    security,
  );
  const { status, sectionHandle } = ZwCreateSection(
    SECTION_MAP_READ | SECTION_MAP_WRITE,
    attributes,
    bytes,
    PAGE_READWRITE,
    SEC_COMMIT,
    null,
  );
  if (!NT_SUCCESS(status)) return status;
  const mapped = ZwMapViewOfSection(sectionHandle, ZwCurrentProcess(), null, 0, 0, null, 0, ViewUnmap, 0, PAGE_READWRITE);
  if (mapped.view !== null && mapped.baseAddress !== null)
    return { handle: sectionHandle, baseAddress: mapped.baseAddress, buffer: mapped.view.buffer };
  ZwClose(sectionHandle);
  return mapped.status;
}

function deleteSharedSection({ handle, baseAddress }: SharedSection): void {
  ZwUnmapViewOfSection(ZwCurrentProcess(), baseAddress);
  ZwClose(handle);
}

class Worker {
  readonly #words: Int32Array;
  readonly #published: Uint8Array;
  readonly #sample = new DataView(new ArrayBuffer(sampleBytes));
  readonly #lock: Int32Array;
  readonly #sharedControls: Uint8Array;
  readonly #incoming = new DataView(new ArrayBuffer(controlsBytes));
  #controls = decode(controlsLayout, this.#incoming);
  #number = 0n;
  #request = 0;
  #status: NTSTATUS = STATUS_SUCCESS;
  #leases = 0;
  #lease = { owner: 0, turn: 0, since: 0 };
  #timer: NodeJS.Timeout | undefined;

  constructor(sample: ArrayBuffer, controls: ArrayBuffer) {
    this.#words = new Int32Array(sample, 0, RECORD_AT / 4);
    this.#published = new Uint8Array(sample, RECORD_AT, sampleBytes);
    this.#lock = new Int32Array(controls, 0, RECORD_AT / 4);
    this.#sharedControls = new Uint8Array(controls, RECORD_AT, controlsBytes);
    this.#words[SampleWord.layoutId] = layoutId;
    this.#words[SampleWord.sampleBytes] = sampleBytes;
    this.#words[SampleWord.controlsBytes] = controlsBytes;
    Atomics.store(this.#words, SampleWord.magic, MAGIC);
  }

  start(): void {
    Atomics.store(this.#words, SampleWord.state, DriverState.running);
    const turn = () => {
      this.#takeControls();
      this.#publish();
    };
    turn();
    this.#timer = setInterval(turn, DEFAULT_INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    Atomics.store(this.#words, SampleWord.state, DriverState.stopped);
  }

  #publish(): void {
    const number = ++this.#number;
    const time = process.hrtime.bigint() / 100n;
    const own = {
      number,
      time,
      request: this.#request,
      status: this.#status,
      interval: DEFAULT_INTERVAL_MS,
      leases: this.#leases,
    };
    encode(sampleLayout, this.#sample, { ...collect(number, this.#controls), ...own });
    // Read-modify-write, not a plain store: it keeps what follows behind it on every processor.
    Atomics.add(this.#words, SampleWord.sequence, 1);
    this.#published.set(new Uint8Array(this.#sample.buffer));
    Atomics.add(this.#words, SampleWord.sequence, 1);
  }

  /** Tries to take the lock, once. An owner that keeps one turn for too long loses it. */
  #tryLock(): boolean {
    const owner = Atomics.compareExchange(this.#lock, LockWord.owner, 0, DRIVER_TOKEN);
    if (owner === 0) return true;
    const turn = Atomics.load(this.#lock, LockWord.turn);
    const now = performance.now();
    if (owner !== this.#lease.owner || turn !== this.#lease.turn) this.#lease = { owner, turn, since: now };
    if (now - this.#lease.since < LOCK_LEASE_MS) return false;
    if (Atomics.compareExchange(this.#lock, LockWord.owner, owner, DRIVER_TOKEN) !== owner) return false;
    this.#leases++;
    return true;
  }

  #takeControls(): void {
    if (!this.#tryLock()) return;
    // The one look at what applications wrote. From here on they may change it as they like.
    new Uint8Array(this.#incoming.buffer).set(this.#sharedControls);
    this.#lease.owner = 0;
    Atomics.compareExchange(this.#lock, LockWord.owner, DRIVER_TOKEN, 0);
    const incoming = decode(controlsLayout, this.#incoming);
    if (incoming.request === this.#request) return;
    this.#request = incoming.request;
    this.#status = check(incoming) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
    if (this.#status !== STATUS_SUCCESS) return;
    this.#controls = incoming;
    apply(incoming);
  }
}

export function DriverEntry(driverObject: DriverObject, _registryPath: string): NTSTATUS {
  const sample = createSharedSection(SectionNames.sample, Security.sample, SAMPLE_SECTION_BYTES);
  if (typeof sample === 'number') return sample;
  const controls = createSharedSection(SectionNames.controls, Security.controls, CONTROLS_SECTION_BYTES);
  if (typeof controls === 'number') {
    deleteSharedSection(sample);
    return controls;
  }
  const worker = new Worker(sample.buffer, controls.buffer);
  worker.start();
  driverObject.DriverUnload = () => {
    worker.stop();
    deleteSharedSection(controls);
    deleteSharedSection(sample);
  };
  return STATUS_SUCCESS;
}
