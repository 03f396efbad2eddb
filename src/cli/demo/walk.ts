/**
 * The demo's own part of the walk through the mechanism: what it sees of the driver's five steps, and
 * what is left in the end. The application's part is with the application.
 */
import { existsSync } from 'node:fs';
import { plural, sizeText } from '../../inspector/index.js';
import { listDrivers, stopSystem, systemObjects, unloadDriver } from '../../system/client.js';
import type { ObjectListing } from '../../system/protocol.js';
import type { Check } from './messages.js';
import { type ApplicationProcess, type SystemProcess, within } from './processes.js';
import type { Stage } from './stage.js';
import { isRunning, leftInRuntimeDirectory, type Traces, untilSharedMemoryIs } from './traces.js';

const DRIVER = 'host-telemetry';
const TELEMETRY = 'SectileHostTelemetry';

/** The sections that the driver is to make, with their sizes: what the reader of the demo may count on. */
const sections: readonly { readonly leaf: string; readonly size: number; readonly isReadOnly: boolean }[] = [
  { leaf: TELEMETRY, size: 20 << 10, isReadOnly: true },
  { leaf: 'SectileHostTelemetryBulk', size: 64 << 20, isReadOnly: true },
  { leaf: 'SectileHostTelemetryAcknowledgements', size: 4 << 10, isReadOnly: false },
];

const END_LIMIT = 10_000;
/** The machine's shared memory is others' too: half of what the driver had must not be missed. */
const SHARED_TOLERANCE = 32 << 20;

function objectOf(objects: readonly ObjectListing[], leaf: string): ObjectListing | undefined {
  return objects.find(({ name }) => name === `Global\\${leaf}`);
}

/** Steps 1 to 3 of the driver. */
export function driverIsUp(system: SystemProcess, application: ApplicationProcess, traces: Traces): readonly Check[] {
  const objects = traces.note();
  const found = sections.map((each) => ({ ...each, object: objectOf(objects, each.leaf) }));
  const driver = listDrivers().find(({ name }) => name === DRIVER);
  const views = traces.viewsOf(system.pid);
  const isKernels = (object: ObjectListing | undefined): boolean =>
    object?.holders.some(({ pid, kernel, handles }) => kernel && pid === system.pid && handles === 1) === true;
  const allMapped =
    driver?.views === 3 &&
    sections.every(({ leaf }) => views.some(({ name, access }) => name === `Global\\${leaf}` && access === 'readwrite'));
  return [
    {
      id: 'driver-names',
      title: 'InitializeObjectAttributes: three names, with who may do what',
      held: found.every(
        ({ object, isReadOnly }) => object?.security?.includes(';WD)') === true && object.soleWriter === isReadOnly,
      ),
      evidence: found.map(({ leaf, object }) => `\\BaseNamedObjects\\${leaf}  ${object?.security ?? 'is missing'}`).join('\n'),
    },
    {
      id: 'driver-creates',
      title: 'ZwCreateSection: three sections, their memory committed, their handles in kernel mode',
      held:
        found.every(({ object, size }) => object?.size === size && object.resident >= size && isKernels(object)) &&
        driver?.handles === 3,
      evidence: `${found.map(({ object }) => sizeText(object?.size ?? 0)).join(', ')}; ${plural(driver?.handles ?? 0, 'kernel handle')}`,
    },
    {
      id: 'driver-maps',
      title: 'ZwMapViewOfSection: mapped into the system process, and writable there',
      held: allMapped && views.some(({ address }) => address === application.driverAddress),
      evidence:
        `/proc/${system.pid}/maps has all three, to be read and written; the first of them is at ` +
        `0x${application.driverAddress.toString(16)}, where the driver says it is`,
    },
  ];
}

/** Steps 4 and 5: the driver goes, while the application keeps its view. */
export function driverGoes(system: SystemProcess, application: ApplicationProcess, traces: Traces): readonly Check[] {
  unloadDriver(DRIVER);
  const views = traces.viewsOf(system.pid);
  const kept = traces.viewsOf(application.pid);
  // What may be left is the section's own mapping: the one through which its seal lets its creator write.
  const isUnmapped = views.every(({ name, address }) => name === `Global\\${TELEMETRY}` && address !== application.driverAddress);
  const objects = systemObjects();
  const kernel = objects.flatMap(({ holders }) => holders).filter((holder) => holder.kernel);
  const names = objects.map(({ name }) => name).join(', ');
  return [
    {
      id: 'driver-unmaps',
      title: "ZwUnmapViewOfSection: the driver's views are gone",
      held: isUnmapped && kept.length > 0 && listDrivers().length === 0,
      evidence:
        `nothing is mapped at 0x${application.driverAddress.toString(16)} in the system process any more; ` +
        `the application keeps its ${plural(kept.length, 'view')}`,
    },
    {
      id: 'driver-closes',
      title: "ZwClose: the driver's handles are closed; the one section that the application holds stays",
      held: kernel.length === 0 && objects.length === 1,
      evidence: `${plural(kernel.length, 'kernel handle')} left; sections left: ${names || 'none'}`,
    },
  ];
}

/** The system process stops when it is asked to. */
export async function systemStops(system: SystemProcess, stage: Stage, signal: AbortSignal): Promise<Check> {
  const objects = systemObjects().length;
  stopSystem();
  const code = await within(END_LIMIT, 'the end of the system process', signal, system.ended);
  const left = leftInRuntimeDirectory(stage.runtime);
  return {
    id: 'system-stops',
    title: 'The system process stops, and takes its socket with it',
    held: code === 0 && objects === 0 && left.length === 0,
    evidence: `${plural(objects, 'section')} left in it; exit code ${code}; left in its directory: ${left.join(', ') || 'no socket, no record'}`,
  };
}

/** Nothing is left of it all. */
export async function nothingIsLeft(
  pids: readonly number[],
  traces: Traces,
  stage: Stage,
  sharedBefore: number,
  signal: AbortSignal,
): Promise<Check> {
  const running = pids.filter(isRunning);
  const sightings = traces.count();
  const shared = await untilSharedMemoryIs(sharedBefore + SHARED_TOLERANCE, END_LIMIT, signal);
  stage.strike();
  const difference = shared - sharedBefore;
  return {
    id: 'nothing-left',
    title: 'Nothing is left behind',
    held: running.length === 0 && sightings === 0 && difference <= SHARED_TOLERANCE && !existsSync(stage.folder),
    evidence:
      `processes: ${running.length}; views and descriptors of the sections, in any process: ${sightings}; ` +
      `shared memory: ${sizeText(sharedBefore)} before, ${sizeText(shared)} after; ${stage.folder} is removed`,
  };
}
