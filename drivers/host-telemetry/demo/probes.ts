/**
 * What the application tries in order to see the rules hold: the two steps that it may take, and all
 * that it may not. Each probe reports what it saw; none believes a promise.
 */
import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Section, SectionError } from 'sectile';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import type { Check } from '../../../src/cli/demo/messages.js';
import { At, SectionNames, TELEMETRY_BYTES } from '../layout.ts';
import type { TelemetryReader } from '../reader.ts';
import { attackThroughDescriptor } from './raw-attack.ts';

const NAME = `Global\\${SectionNames.telemetry}`;
const ERROR_NAMES: Readonly<Record<number, string>> = {
  [w.ERROR_ACCESS_DENIED]: 'ERROR_ACCESS_DENIED',
  [w.ERROR_INVALID_HANDLE]: 'ERROR_INVALID_HANDLE',
  [w.ERROR_INVALID_ADDRESS]: 'ERROR_INVALID_ADDRESS',
  [w.ERROR_FILE_NOT_FOUND]: 'ERROR_FILE_NOT_FOUND',
};

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;
const status = (value: number): string => (value === n.STATUS_ACCESS_DENIED ? 'STATUS_ACCESS_DENIED' : hex(value));

function lastError(): string {
  const error = w.GetLastError();
  return `${ERROR_NAMES[error] ?? 'error'} (${error})`;
}

/** What a refusal said, or that there was none. */
function refusal(attempt: () => { close(): void }): { readonly held: boolean; readonly words: string } {
  try {
    attempt().close();
    return { held: false, words: 'was allowed' };
  } catch (error) {
    return {
      held: error instanceof SectionError && error.code === 'ERR_SECTION_ACCESS_DENIED',
      words: error instanceof SectionError ? error.code : String(error),
    };
  }
}

export class Probes {
  readonly #reader: TelemetryReader;
  #handle = 0;
  #view: w.View | null = null;

  constructor(reader: TelemetryReader) {
    this.#reader = reader;
  }

  get #sampleNumber(): number {
    return this.#reader.read()[At.sampleNumber] as number;
  }

  /** Waits until the driver has published more: its view works. */
  async #advances(): Promise<{ readonly held: boolean; readonly words: string }> {
    const before = this.#sampleNumber;
    for (const end = performance.now() + 2000; performance.now() < end; ) {
      await pause(5);
      const now = this.#sampleNumber;
      if (now >= before + 3) return { held: true, words: `samples ${before} → ${now}` };
    }
    return { held: false, words: `still at sample ${before} after 2 s` };
  }

  async whileLoaded(): Promise<readonly Check[]> {
    return [
      this.#open(),
      this.#map(),
      this.#openForWriting(),
      this.#raw(),
      await this.#strayWrite(),
      this.#kernelHandle(),
      await this.#kernelView(),
      this.#physicalMemory(),
    ];
  }

  #open(): Check {
    this.#handle = w.OpenFileMapping(w.FILE_MAP_READ, false, NAME);
    return {
      id: 'application-opens',
      title: 'OpenFileMapping opens the section by its name, for reading',
      held: this.#handle > 0,
      evidence: this.#handle > 0 ? `${NAME} → handle ${hex(this.#handle)}, valid in this process only` : lastError(),
    };
  }

  #map(): Check {
    this.#view = w.MapViewOfFile(this.#handle, w.FILE_MAP_READ, 0, 0, 0);
    const view = this.#view;
    const held = view !== null && view.length === TELEMETRY_BYTES && view.address !== this.#reader.kernelAddress;
    return {
      id: 'application-maps',
      title: 'MapViewOfFile maps a view of its own',
      held,
      evidence:
        view === null
          ? lastError()
          : `${view.length} bytes at ${hex(view.address)}; the driver has the same bytes at ${hex(this.#reader.kernelAddress)}`,
    };
  }

  #openForWriting(): Check {
    const handle = w.OpenFileMapping(w.FILE_MAP_WRITE, false, NAME);
    const first = lastError();
    const isDenied = handle === 0 && w.GetLastError() === w.ERROR_ACCESS_DENIED;
    const second = refusal(() => Section.open(NAME, { access: 'readwrite' }));
    return {
      id: 'write-by-name-refused',
      title: 'Opening it for writing is refused: the descriptor grants reading to Everyone, and no more',
      held: isDenied && second.held,
      evidence: `OpenFileMapping(FILE_MAP_WRITE) → ${handle === 0 ? first : `handle ${handle}`}; Section.open → ${second.words}`,
    };
  }

  #raw(): Check {
    const { held, attempts } = attackThroughDescriptor(SectionNames.telemetry, TELEMETRY_BYTES);
    return {
      id: 'write-by-descriptor-refused',
      title: 'Going round Sectile does not help: the operating system itself refuses',
      held,
      evidence: attempts.join(', '),
    };
  }

  async #strayWrite(): Promise<Check> {
    const section = Section.open(NAME, { access: 'read' });
    const [victim, witness] = [section.map({ access: 'read' }), section.map({ access: 'read' })];
    try {
      // Into the padding behind the last sample: nothing that the driver writes.
      const at = TELEMETRY_BYTES - 8;
      const before = witness.bytes[at];
      const reported = new Promise<boolean>((resolve) => {
        victim.once('fault', () => resolve(true));
        setTimeout(() => resolve(false), 2000);
      });
      victim.bytes[at] = 0xff;
      const after = witness.bytes[at];
      const told = await reported;
      const { fault } = victim;
      const held = after === before && told && fault?.kind === 'write-to-read-only' && fault.offset === at;
      return {
        id: 'stray-write-stays-out',
        title: 'A stray write into the read-only view stays out of the section, and is reported',
        held,
        evidence: `byte ${at} ← 0xff: the section still has ${hex(after ?? 0)}; fault "${fault?.kind ?? 'none'}" at ${fault?.offset ?? '?'}; the process lives`,
      };
    } finally {
      for (const each of [victim, witness, section]) each.close();
    }
  }

  #kernelHandle(): Check {
    const { kernelHandle } = this.#reader;
    const view = w.MapViewOfFile(kernelHandle, w.FILE_MAP_READ, 0, 0, 0);
    const held = view === null && w.GetLastError() === w.ERROR_INVALID_HANDLE && kernelHandle < 0;
    return {
      id: 'kernel-handle-meaningless',
      title: "The driver's handle means nothing here",
      held,
      evidence: `MapViewOfFile(${hex(kernelHandle >>> 0)}) → ${view === null ? lastError() : 'a view'}`,
    };
  }

  async #kernelView(): Promise<Check> {
    const { kernelAddress } = this.#reader;
    const unmapped = w.UnmapViewOfFile(kernelAddress);
    const words = unmapped ? 'it was unmapped' : lastError();
    const isRefused = !unmapped && w.GetLastError() === w.ERROR_INVALID_ADDRESS;
    const advance = await this.#advances();
    return {
      id: 'kernel-view-untouched',
      title: "The driver's view is out of reach, and goes on",
      held: isRefused && advance.held,
      evidence: `UnmapViewOfFile(${hex(kernelAddress)}) → ${words}; afterwards ${advance.words}`,
    };
  }

  #physicalMemory(): Check {
    const path = '\\Device\\PhysicalMemory';
    const opened = n.NtOpenSection(n.SECTION_MAP_READ, n.InitializeObjectAttributes(path, n.OBJ_CASE_INSENSITIVE));
    const evidence = [`NtOpenSection(${path}) → ${status(opened.status)}`];
    let held = opened.status === n.STATUS_ACCESS_DENIED;
    if (existsSync('/dev/mem')) {
      const file = refusal(() => Section.fromFile('/dev/mem', { size: 4096 }));
      evidence.push(`Section.fromFile(/dev/mem) → ${file.words}`);
      held &&= file.held;
    } else evidence.push('this machine has no /dev/mem');
    return { id: 'physical-memory-refused', title: 'Physical memory is never mapped', held, evidence: evidence.join('; ') };
  }

  afterUnload(): readonly Check[] {
    const number = this.#sampleNumber;
    const view = this.#view;
    const magic = view === null ? '' : Buffer.from(view.bytes.subarray(0, 4)).toString('latin1');
    return [
      {
        id: 'view-outlives-driver',
        title: "The application's view outlives the driver",
        held: !this.#reader.isLive && number > 0 && magic === 'SCHT',
        evidence: `the header still reads "${magic}", the last sample is ${number}, the driver's state is "${this.#reader.isLive ? 'running' : 'stopped'}"`,
      },
    ];
  }

  /** Closes all that this application holds: then the name must be free. */
  leave(): readonly Check[] {
    const unmapped = this.#view !== null && w.UnmapViewOfFile(this.#view);
    const closed = w.CloseHandle(this.#handle);
    this.#reader.close();
    const handle = w.OpenFileMapping(w.FILE_MAP_READ, false, NAME);
    const isGone = handle === 0 && w.GetLastError() === w.ERROR_FILE_NOT_FOUND;
    return [
      {
        id: 'section-gone',
        title: 'With the last handle closed, the section is gone',
        held: unmapped && closed && isGone,
        evidence: `UnmapViewOfFile, CloseHandle → ${unmapped && closed}; OpenFileMapping(${NAME}) → ${handle === 0 ? lastError() : `handle ${handle}`}`,
      },
    ];
  }
}
