/**
 * The machine's counters, from /proc into the values of a sample. Knows the kernel's text formats
 * (proc(5)) and nothing of sections.
 */
import { existsSync } from 'node:fs';
import { ByteScanner } from './byte-scanner.ts';
import { At, busyAt, MAXIMUM_CORES, type SampleField, wholeAt } from './layout.ts';

/** USER_HZ: Linux counts processor time in hundredths of a second for user space, on every processor kind. */
const TICKS_PER_SECOND = 100;
/** Sectors of /proc/diskstats, whatever the disk's own are. */
const SECTOR_BYTES = 512;

const COLON = 58;

const processor = Buffer.from('cpu');
const statLines: readonly (readonly [Buffer, SampleField])[] = [
  [Buffer.from('\nctxt '), 'contextSwitches'],
  [Buffer.from('\nprocesses '), 'processesStarted'],
  [Buffer.from('\nprocs_running '), 'processesRunning'],
];
/** In the order of the file, in KiB there. */
const memoryLines: readonly (readonly [Buffer, SampleField])[] = [
  [Buffer.from('MemTotal:'), 'memoryTotal'],
  [Buffer.from('MemFree:'), 'memoryFree'],
  [Buffer.from('MemAvailable:'), 'memoryAvailable'],
  [Buffer.from('\nCached:'), 'memoryCached'],
  [Buffer.from('SwapTotal:'), 'swapTotal'],
  [Buffer.from('SwapFree:'), 'swapFree'],
  [Buffer.from('Shmem:'), 'memoryShared'],
];

export class HostCounters {
  readonly #stat = ByteScanner.open('/proc/stat');
  readonly #memory = ByteScanner.open('/proc/meminfo');
  readonly #disks = ByteScanner.open('/proc/diskstats');
  readonly #network = ByteScanner.open('/proc/net/dev');
  readonly #load = ByteScanner.open('/proc/loadavg');
  readonly #uptime = ByteScanner.open('/proc/uptime');
  /** Whether a device is a whole disk, by its number: partitions and mappings would count twice. */
  readonly #isDisk = new Map<number, boolean>();
  readonly cores: number;

  constructor() {
    this.cores = this.#countCores();
  }

  /** Reads everything; values that this machine does not tell become NaN. */
  collect(sample: Float64Array): void {
    sample[At.time] = performance.timeOrigin + performance.now();
    sample.fill(Number.NaN, At.uptime);
    this.#readStat(sample);
    this.#readMemory(sample);
    this.#readDisks(sample);
    this.#readNetwork(sample);
    this.#readLoad(sample);
  }

  /** Highest number of a processor, plus one: one that is switched off keeps its place. */
  #countCores(): number {
    const stat = this.#stat;
    if (stat === null) return 0;
    stat.refresh();
    stat.nextLine();
    let cores = 0;
    for (; stat.take(processor); stat.nextLine()) cores = Math.max(cores, stat.number() + 1);
    return Math.min(cores, MAXIMUM_CORES);
  }

  #readStat(sample: Float64Array): void {
    const stat = this.#stat;
    if (stat === null) return;
    stat.refresh();
    for (let isTotal = true; stat.take(processor); stat.nextLine(), isTotal = false) {
      const core = isTotal ? -1 : stat.number();
      // Guests' time is in user and nice already.
      const user = (stat.number() + stat.number()) / TICKS_PER_SECOND;
      const system = stat.number() / TICKS_PER_SECOND;
      const idle = stat.number() / TICKS_PER_SECOND;
      const waiting = stat.number() / TICKS_PER_SECOND;
      const interrupts = (stat.number() + stat.number()) / TICKS_PER_SECOND;
      const stolen = stat.number() / TICKS_PER_SECOND;
      const busy = user + system + interrupts + stolen;
      if (isTotal) {
        sample[At.processorUser] = user;
        sample[At.processorSystem] = system + interrupts;
        sample[At.processorIdle] = idle;
        sample[At.processorWaiting] = waiting;
        sample[At.processorStolen] = stolen;
      } else if (core < this.cores) {
        sample[busyAt(core)] = busy;
        sample[wholeAt(core)] = busy + idle + waiting;
      }
    }
    for (const [key, field] of statLines) if (stat.seek(key)) sample[At[field]] = stat.number();
  }

  #readMemory(sample: Float64Array): void {
    const memory = this.#memory;
    if (memory === null) return;
    memory.refresh();
    for (const [key, field] of memoryLines) if (memory.seek(key)) sample[At[field]] = memory.number() * 1024;
  }

  #readDisks(sample: Float64Array): void {
    const disks = this.#disks;
    if (disks === null) return;
    let reads = 0;
    let readSectors = 0;
    let writes = 0;
    let writtenSectors = 0;
    let busy = 0;
    for (disks.refresh(); !disks.atEnd; disks.nextLine()) {
      if (!this.#countsAsDisk(disks)) continue;
      reads += disks.number();
      disks.skip(1); // merged
      readSectors += disks.number();
      disks.skip(1); // milliseconds
      writes += disks.number();
      disks.skip(1);
      writtenSectors += disks.number();
      disks.skip(2); // milliseconds, in flight
      busy += disks.number();
    }
    sample[At.diskReads] = reads;
    sample[At.diskReadBytes] = readSectors * SECTOR_BYTES;
    sample[At.diskWrites] = writes;
    sample[At.diskWrittenBytes] = writtenSectors * SECTOR_BYTES;
    sample[At.diskBusy] = busy / 1000;
  }

  /** Leaves the cursor behind the device's name. */
  #countsAsDisk(disks: ByteScanner): boolean {
    const device = disks.number() * 2 ** 20 + disks.number();
    const known = this.#isDisk.get(device);
    const name = known === false ? '' : disks.word();
    if (known !== undefined) return known;
    // Partitions have no folder of their own there; the others are no hardware, or made of disks that count.
    const isDisk = !/^(loop|ram|zram|dm-|md|sr|fd)\d/.test(name) && existsSync(`/sys/block/${name.replaceAll('/', '!')}`);
    this.#isDisk.set(device, isDisk);
    return isDisk;
  }

  #readNetwork(sample: Float64Array): void {
    const network = this.#network;
    if (network === null) return;
    let receivedBytes = 0;
    let receivedPackets = 0;
    let sentBytes = 0;
    let sentPackets = 0;
    network.refresh();
    network.nextLine();
    network.nextLine(); // two lines of headings
    for (; !network.atEnd; network.nextLine()) {
      if (network.word(COLON) === 'lo') continue;
      receivedBytes += network.number();
      receivedPackets += network.number();
      network.skip(6); // errors, dropped, fifo, frame, compressed, multicast
      sentBytes += network.number();
      sentPackets += network.number();
    }
    sample[At.networkReceivedBytes] = receivedBytes;
    sample[At.networkReceivedPackets] = receivedPackets;
    sample[At.networkSentBytes] = sentBytes;
    sample[At.networkSentPackets] = sentPackets;
  }

  #readLoad(sample: Float64Array): void {
    this.#uptime?.refresh();
    sample[At.uptime] = this.#uptime?.number() ?? Number.NaN;
    this.#load?.refresh();
    sample[At.load1] = this.#load?.number() ?? Number.NaN;
    sample[At.load5] = this.#load?.number() ?? Number.NaN;
    sample[At.load15] = this.#load?.number() ?? Number.NaN;
  }

  close(): void {
    for (const each of [this.#stat, this.#memory, this.#disks, this.#network, this.#load, this.#uptime]) each?.close();
  }
}
