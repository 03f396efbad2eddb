/**
 * Module hooks of the system process: a driver's `sectile/…` imports lead to this very copy (another
 * copy would know nothing of the system process), and TypeScript is stripped where Node.js does not do
 * it itself. Runs on the main thread or on a loader thread, as the Node.js version has it.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const packageFile = new URL('../../package.json', import.meta.url);
const { exports: own } = JSON.parse(readFileSync(packageFile, 'utf8')) as {
  exports: Record<string, string | { default: string }>;
};

type Resolved = { url: string; format?: string | null; shortCircuit?: boolean };
type Loaded = { format: string; source: string | Uint8Array | null; shortCircuit?: boolean };
type MaybePromise<T> = T | Promise<T>;

export function resolve<C>(
  specifier: string,
  context: C,
  next: (specifier: string, context: C) => MaybePromise<Resolved>,
): MaybePromise<Resolved> {
  if (specifier === 'sectile' || specifier.startsWith('sectile/')) {
    const target = own[`.${specifier.slice('sectile'.length)}`];
    if (target !== undefined) {
      return { url: new URL(typeof target === 'string' ? target : target.default, packageFile).href, shortCircuit: true };
    }
  }
  return next(specifier, context);
}

/** Node.js says 'strip' or 'transform' where it reads TypeScript; but never below node_modules. */
function nodeReads(url: string): boolean {
  return Boolean((process.features as { typescript?: unknown }).typescript) && !url.includes('/node_modules/');
}

let transform: typeof import('oxc-transform').transformSync | undefined;

export async function prepare(): Promise<void> {
  transform ??= (await import('oxc-transform')).transformSync;
}

function strip(url: string): Loaded {
  const file = fileURLToPath(new URL(url));
  const source = readFileSync(file, 'utf8');
  if (transform === undefined) throw new Error('the TypeScript loader is not ready');
  const { code, errors } = transform(file, source, { lang: 'ts', typescript: { onlyRemoveTypeImports: true } });
  if (errors.length > 0) throw new SyntaxError(`${file}: ${errors.map((each) => each.message).join('; ')}`);
  return { format: 'module', source: code, shortCircuit: true };
}

export function load<C>(url: string, context: C, next: (url: string, context: C) => MaybePromise<Loaded>): MaybePromise<Loaded> {
  if (!/\.m?ts(\?|$)/.test(url) || nodeReads(url)) return next(url, context);
  // On the loader thread this may wait; on the main thread driver-host has prepared it.
  return transform === undefined ? prepare().then(() => strip(url)) : strip(url);
}
