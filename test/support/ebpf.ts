/**
 * drivers/linux-ebpf as it is: built, and tried once, to see whether this machine lets a program into its
 * kernel. On CI it must.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const loader = `${root}build/linux-ebpf/loader`;
export const object = `${root}build/linux-ebpf/events.bpf.o`;

/** As the first process namespace has: in others the kernel's process numbers are not those that we see. */
const FIRST_NAMESPACE = 'pid:[4026531836]';

function firstLine(command: string, ...args: string[]): string | null {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return null;
  return error?.message ?? (`${stderr}${stdout}`.trim().split('\n').at(-1) || `${command} ended with ${status}`);
}

/** A test that is skipped is not a test: where this must run, it runs and fails. */
const unlessOnCi = (reason: string | null): string | false => (process.env['CI'] === 'true' ? false : (reason ?? false));

const building = firstLine(process.execPath, `${root}scripts/build-ebpf.mjs`);

/** Why the program cannot be built here, or false; never on CI. */
export const notBuilt = unlessOnCi(building);

function find(): string | null {
  const namespace = readlinkSync('/proc/self/ns/pid');
  const inside = `this is another process namespace than the kernel's first (${namespace})`;
  return building ?? firstLine(loader, object, 'true') ?? (namespace === FIRST_NAMESPACE ? null : inside);
}

/** Why nothing can be loaded here, or false; never on CI. */
export const notLoadable = unlessOnCi(find());

export interface Loaded {
  readonly map: number;
  readonly programs: readonly number[];
  readonly links: readonly number[];
}

/** The numbers that the kernel gave to what a process holds. */
export function loadedBy(pid: number): Loaded {
  const found = { map: 0, programs: [] as number[], links: [] as number[] };
  for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
    const facts = readFileSync(`/proc/${pid}/fdinfo/${descriptor}`, 'utf8');
    const number = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)$`, 'm').exec(facts)?.[1] ?? 0);
    found.map ||= number('map_id');
    if (number('link_id') === 0) continue;
    found.links.push(number('link_id'));
    found.programs.push(number('prog_id'));
  }
  return found;
}

/** Whether the kernel still has any of it; asked of bpftool, which sees what no process holds as well. */
export function isInKernel({ map, programs, links }: Loaded): boolean {
  const has = (kind: string, id: number): boolean => {
    const { status, error } = spawnSync('bpftool', [kind, 'show', 'id', String(id)], { stdio: 'ignore' });
    if (error) throw error;
    return status === 0;
  };
  return has('map', map) || programs.some((id) => has('prog', id)) || links.some((id) => has('link', id));
}
