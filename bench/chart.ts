/**
 * Draws what was measured of each transport at each size as one SVG: messages per second and round trips, both axes by
 * powers of ten. It reads points and knows nothing of how they were taken.
 */
import type { Chart, Kind, Point } from './series.js';

const HEIGHT = 560;
const PLOT_WIDTH = 345;
const TOP = 92;
const BOTTOM = 486;
/** Where the first plot begins, and how far it is to the next, with the names between. */
const LEFT = 70;
const STEP = 602;
/** How far apart the names at the edge are at least. */
const LINE = 18.5;

interface Style {
  readonly light: string;
  readonly dark: string;
  readonly dash?: string;
}

/** Colours by kind, in the order in which the transports come: ours of one hue, and thick. */
const palette: Readonly<Record<Kind, readonly Style[]>> = {
  sectile: [
    { light: '#0757c2', dark: '#62b0ff' },
    { light: '#2f8fe0', dark: '#a5d3ff' },
    { light: '#0a8ba8', dark: '#5fd5ea' },
  ],
  c: [
    { light: '#5b6570', dark: '#a8b2bd', dash: '7 5' },
    { light: '#8a939c', dark: '#7d8791', dash: '7 5' },
  ],
  process: [
    { light: '#c2410c', dark: '#ff9a5c' },
    { light: '#a16207', dark: '#e8c14a' },
    { light: '#b4236a', dark: '#ff86bd' },
    { light: '#7e3fd1', dark: '#c6a1ff' },
    { light: '#8c4a2f', dark: '#d8a084' },
  ],
  thread: [
    { light: '#15803d', dark: '#5fd38a', dash: '2 4' },
    { light: '#4d7c0f', dark: '#a8d64a', dash: '2 4' },
  ],
};

interface Series {
  readonly name: string;
  readonly kind: Kind;
  readonly points: readonly (readonly [bytes: number, value: number])[];
}

interface Panel {
  readonly chart: Chart;
  readonly title: string;
  readonly better: string;
  readonly value: (nanoseconds: number) => number;
  readonly tick: (value: number) => string;
}

const panels: readonly Panel[] = [
  {
    chart: 'throughput',
    title: 'Messages per second, one direction',
    better: 'higher is better',
    value: (nanoseconds) => 1e9 / nanoseconds,
    tick: (value) => (value >= 1e6 ? `${value / 1e6} M` : value >= 1e3 ? `${value / 1e3} k` : String(value)),
  },
  {
    chart: 'latency',
    title: 'Round trip of a message',
    better: 'lower is better',
    value: (nanoseconds) => nanoseconds,
    tick: (value) => (value >= 1e6 ? `${value / 1e6} ms` : value >= 1e3 ? `${value / 1e3} µs` : `${value} ns`),
  },
];

function sizeLabel(bytes: number): string {
  if (bytes >= 2 ** 20) return `${bytes / 2 ** 20} MiB`;
  return bytes >= 1024 ? `${bytes / 1024} KiB` : `${bytes} B`;
}

const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
const rounded = (value: number): number => Math.round(value * 10) / 10;

function seriesOf(points: readonly Point[], { chart, value }: Panel): Series[] {
  const found = new Map<string, { kind: Kind; points: [number, number][] }>();
  for (const point of points) {
    if (point.chart !== chart) continue;
    const series = found.get(point.transport) ?? { kind: point.kind, points: [] };
    series.points.push([point.bytes, value(point.time.median)]);
    found.set(point.transport, series);
  }
  return [...found].map(([name, series]) => ({ name, kind: series.kind, points: series.points.sort(([a], [b]) => a - b) }));
}

/** A class for each transport of both panels, so that a transport has one colour in the whole picture. */
function stylesOf(points: readonly Point[]): ReadonlyMap<string, { readonly name: string; readonly style: Style }> {
  const styles = new Map<string, { name: string; style: Style }>();
  const used: Record<Kind, number> = { sectile: 0, c: 0, process: 0, thread: 0 };
  for (const { transport, kind } of points) {
    if (styles.has(transport)) continue;
    const colours = palette[kind];
    const style = colours[used[kind]++ % colours.length];
    if (style !== undefined) styles.set(transport, { name: `s${styles.size}`, style });
  }
  return styles;
}

function styleSheet(styles: ReturnType<typeof stylesOf>): string {
  const rules = (shade: 'light' | 'dark'): string =>
    [...styles.values()]
      .map(({ name, style }) => `.${name}{stroke:${style[shade]}}.${name} text,.${name} circle{fill:${style[shade]}}`)
      .join('');
  return [
    'text{font:14px system-ui,-apple-system,"Segoe UI","Helvetica Neue",Arial,sans-serif;fill:#1f2328;stroke:none}',
    '.title{font-weight:600;font-size:17px}.dim{fill:#59636e;font-size:13px}.name{font-size:13.5px}.ours{font-weight:600}',
    '.card{fill:#ffffff}.grid{stroke:#e3e7eb;fill:none}.minor{stroke:#f1f3f5;fill:none}',
    '.line{fill:none;stroke-linejoin:round;stroke-linecap:round}circle{stroke:none}.lead{fill:none;stroke-width:1;opacity:.55}',
    rules('light'),
    '@media(prefers-color-scheme:dark){text{fill:#e6edf3}.dim{fill:#9aa4ae}.card{fill:#0d1117}.grid{stroke:#2a313a}.minor{stroke:#1a2028}',
    `${rules('dark')}}`,
  ].join('\n');
}

/** Moves heights apart until none are closer than a line, as little as can be, and keeps them inside. */
function spreadOut(heights: readonly number[]): number[] {
  const order = heights.map((_, i) => i).sort((a, b) => (heights[a] ?? 0) - (heights[b] ?? 0));
  // Groups that touch move as one, about the mean of where they would like to be.
  const groups: { members: number[]; centre: number }[] = [];
  for (const index of order) {
    let group = { members: [index], centre: heights[index] ?? 0 };
    for (let last = groups.at(-1); last !== undefined; last = groups.at(-1)) {
      const room = ((last.members.length + group.members.length) / 2) * LINE;
      if (group.centre - last.centre >= room) break;
      groups.pop();
      const members = [...last.members, ...group.members];
      group = { members, centre: members.reduce((sum, i) => sum + (heights[i] ?? 0), 0) / members.length };
    }
    groups.push(group);
  }
  const placed = heights.map(() => 0);
  for (const { members, centre } of groups) {
    const half = ((members.length - 1) / 2) * LINE;
    const middle = Math.min(Math.max(centre, TOP + half), BOTTOM - half);
    for (const [i, index] of members.entries()) placed[index] = middle - half + i * LINE;
  }
  return placed;
}

function drawPanel(panel: Panel, left: number, points: readonly Point[], styles: ReturnType<typeof stylesOf>): string[] {
  const all = seriesOf(points, panel);
  const values = all.flatMap((series) => series.points.map(([, value]) => value));
  const sizes = [...new Set(all.flatMap((series) => series.points.map(([bytes]) => bytes)))].sort((a, b) => a - b);
  const [smallest = 1] = sizes;
  const largest = sizes.at(-1) ?? smallest * 2;
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.ceil(Math.log10(Math.max(...values)));
  const x = (bytes: number): number => rounded(left + (Math.log2(bytes / smallest) / Math.log2(largest / smallest)) * PLOT_WIDTH);
  const y = (value: number): number => rounded(BOTTOM - ((Math.log10(value) - low) / (high - low)) * (BOTTOM - TOP));
  const right = left + PLOT_WIDTH;

  const out = [
    `<text class="title" x="${left}" y="40">${panel.title}</text>`,
    `<text class="dim" x="${left}" y="63">${panel.better}; both axes logarithmic; bold: Sectile</text>`,
  ];
  for (let power = low; power <= high; power++) {
    const height = y(10 ** power);
    out.push(`<path class="grid" d="M${left} ${height}H${right}"/>`);
    out.push(`<text class="dim" x="${left - 9}" y="${height + 4.5}" text-anchor="end">${panel.tick(10 ** power)}</text>`);
    if (power === high) continue;
    for (const step of [2, 5]) out.push(`<path class="minor" d="M${left} ${y(step * 10 ** power)}H${right}"/>`);
  }
  for (const bytes of sizes) {
    out.push(`<path class="grid" d="M${x(bytes)} ${TOP}V${BOTTOM}"/>`);
    out.push(`<text class="dim" x="${x(bytes)}" y="${BOTTOM + 22}" text-anchor="middle">${sizeLabel(bytes)}</text>`);
  }
  // Who has no figure at the edge is named where he begins.
  const last = all.map((series) => series.points.at(-1) ?? ([largest, values[0] ?? 1] as const));
  const atEdge = [...all.keys()].filter((index) => last[index]?.[0] === largest);
  const placed = spreadOut(atEdge.map((index) => y(last[index]?.[1] ?? 1)));
  // Ours come last, on top of the others.
  const order = [...all.keys()].sort((a, b) => Number(all[a]?.kind === 'sectile') - Number(all[b]?.kind === 'sectile'));
  for (const index of order) {
    const series = all[index];
    const style = styles.get(series?.name ?? '');
    if (series === undefined || style === undefined) continue;
    const ours = series.kind === 'sectile';
    const dash = style.style.dash === undefined ? '' : ` stroke-dasharray="${style.style.dash}"`;
    const path = series.points.map(([bytes, value], i) => `${i === 0 ? 'M' : 'L'}${x(bytes)} ${y(value)}`).join('');
    const [bytes, value] = last[index] ?? [largest, 1];
    const name = placed[atEdge.indexOf(index)];
    const text = `class="name${ours ? ' ours' : ''}"`;
    out.push(
      `<g class="${style.name}"><path class="line" stroke-width="${ours ? 3.4 : 2}"${dash} d="${path}"/>`,
      ...series.points.map(([bytes, value]) => `<circle cx="${x(bytes)}" cy="${y(value)}" r="${ours ? 4.2 : 3}"/>`),
      name === undefined
        ? `<text ${text} x="${left + 5}" y="${Math.min(...series.points.map(([, each]) => y(each))) - 9}">${escaped(series.name)}</text></g>`
        : `<path class="lead" d="M${x(bytes) + 6} ${y(value)}L${right + 22} ${rounded(name)}"/>` +
            `<text ${text} x="${right + 27}" y="${rounded(name + 4.7)}">${escaped(series.name)}</text></g>`,
    );
  }
  return out;
}

/** @param caption Where and when it was measured. */
export function drawChart(points: readonly Point[], caption: string): string {
  const styles = stylesOf(points);
  const drawn = panels.filter(({ chart }) => points.some((point) => point.chart === chart));
  const width = Math.max(1, drawn.length) * STEP - 4;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${HEIGHT}" width="${width}" height="${HEIGHT}" role="img">`,
    `<title>${drawn.map(({ title }) => title).join('; ')}, by size of message</title>`,
    `<style>${styleSheet(styles)}</style>`,
    `<rect class="card" width="${width}" height="${HEIGHT}" rx="8"/>`,
    ...drawn.flatMap((panel, index) => drawPanel(panel, LEFT + index * STEP, points, styles)),
    `<text class="dim" x="${LEFT}" y="${HEIGHT - 20}">${escaped(caption)}</text>`,
    '</svg>',
    '',
  ].join('\n');
}
