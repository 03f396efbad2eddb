/**
 * Descriptors that the loader handed over when it became this process.
 */

/** The environment variable that says which: `PID NAME=NUMBER...`, as loader.c writes it. */
const VARIABLE = 'SECTILE_DESCRIPTORS';

/**
 * The number of the descriptor with a name.
 *
 * @returns undefined where none was handed over to this process under that name
 */
export function handedOver(name: string, environment: NodeJS.ProcessEnv = process.env): number | undefined {
  const [owner, ...named] = (environment[VARIABLE] ?? '').split(' ');
  // Children inherit the variable, but not the descriptors.
  if (owner !== String(process.pid)) return undefined;
  const text = named.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
