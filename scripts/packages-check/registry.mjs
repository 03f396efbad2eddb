/**
 * A package registry for one check: serves the tarballs of our own packages on this machine, so that npm
 * itself picks the one for the system, as it will from the public registry.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

/**
 * Starts it.
 *
 * @param {{ manifest: object, tarball: string }[]} packages each with its package.json and its packed file
 * @returns {Promise<{ url: string, stop(): void }>} for npm's setting `@sectile:registry`
 */
export async function serveRegistry(packages) {
  const byName = new Map(packages.map((entry) => [entry.manifest.name, entry]));
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url.slice(1));
    const wanted = byName.get(path.replace(/\/-\/.*$/, ''));
    if (wanted === undefined) {
      response.writeHead(404).end();
      return;
    }
    const bytes = readFileSync(wanted.tarball);
    if (path.endsWith('.tgz')) {
      response.end(bytes);
      return;
    }
    const { manifest } = wanted;
    const dist = {
      tarball: `http://127.0.0.1:${server.address().port}/${manifest.name}/-/package.tgz`,
      integrity: `sha512-${createHash('sha512').update(bytes).digest('base64')}`,
    };
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        name: manifest.name,
        'dist-tags': { latest: manifest.version },
        versions: { [manifest.version]: { ...manifest, dist } },
      }),
    );
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
