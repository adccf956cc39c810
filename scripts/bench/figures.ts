/** What was measured as a table and as a picture. Pure. */

export interface Value {
  median: number;
  p99: number;
  runs: number;
}

export interface Figure {
  name: string;
  /** Of how it is shown; times are kept in nanoseconds, sizes in bytes. */
  unit: 'ms' | 'µs' | 'MiB' | '';
  values: Record<string, Value>;
  /** The peers that ours is divided by, and what each ratio should be at most: Infinity where there is no goal. */
  against?: Readonly<Record<string, number>>;
  /** What ours should be at most, in the unit. */
  most?: number;
}

export function percentile(list: readonly number[], percent: number): number {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}

export function summary(list: readonly number[]): Value {
  return { median: percentile(list, 50), p99: percentile(list, 99), runs: list.length };
}

const SCALE = { ms: 1e6, µs: 1e3, MiB: 1 << 20, '': 1 };

function shown(value: number, unit: Figure['unit']): string {
  const scaled = value / SCALE[unit];
  return scaled !== 0 && Math.abs(scaled) < 10 && unit !== ''
    ? scaled.toFixed(scaled < 1 ? 2 : 1)
    : Math.round(scaled).toString();
}

/** Ours divided by each peer's. */
function ratios({ values, against = {} }: Figure, ours: string): { peer: string; ratio: number; goal: number }[] {
  const value = (peer: string) => values[peer]?.median ?? Number.NaN;
  return Object.entries(against).map(([peer, goal]) => ({ peer, ratio: value(ours) / value(peer), goal }));
}

function verdicts(figure: Figure, ours: string): string {
  const { most, unit, values } = figure;
  const verdict = (value: number, goal: number, text: string) => `≤ ${text}: ${value <= goal ? 'met' : 'missed'}`;
  const ofValue =
    most === undefined
      ? []
      : [verdict((values[ours]?.median ?? Number.NaN) / SCALE[unit], most, `${most} ${unit}`.trim())];
  const ofRatios = ratios(figure, ours)
    .filter(({ goal }) => goal !== Number.POSITIVE_INFINITY)
    .map(({ ratio, goal }) => verdict(ratio, goal, `${goal} ×`));
  return [...ofValue, ...ofRatios].join('; ');
}

/** A Markdown table: median, and p99 where there are enough runs to tell. */
export function table(figures: readonly Figure[], who: readonly string[], ours: string): string {
  const cell = (value: Value | undefined, unit: Figure['unit']) => {
    if (!value) return '';
    return value.runs >= 30 ? `${shown(value.median, unit)} (${shown(value.p99, unit)})` : shown(value.median, unit);
  };
  const rows = figures.map((figure) => {
    const { name, unit, values } = figure;
    return [
      unit === '' ? name : `${name}, ${unit}`,
      ...who.map((peer) => cell(values[peer], unit)),
      ratios(figure, ours)
        .map(({ peer, ratio }) => `${ratio.toFixed(2)} × ${peer}`)
        .join('; '),
      verdicts(figure, ours),
      String(values[ours]?.runs ?? ''),
    ];
  });
  const head = ['median (p99)', ...who, 'ours ÷ peers', 'goals', 'runs'];
  return [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n');
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** A few figures as bars, each group to its own scale. */
export function picture(figures: readonly Figure[], ours: string, c: string, node: string): string {
  const chosen: [name: string, peers: string[]][] = [
    ["start to the command's first instruction", [ours, c, node]],
    ['forwarding a signal', [ours, c]],
    ['1,000 orphans die at once', [ours, c]],
    ['idle: RSS', [ours, c]],
    ['idle: private memory', [ours, c]],
    ['50 instances: PSS of each', [ours, c]],
  ];
  const [left, width, bar] = [150, 420, 16];
  let y = 10;
  const parts: string[] = [];
  for (const [name, peers] of chosen) {
    const figure = figures.find((candidate) => candidate.name === name);
    if (!figure) continue;
    y += 16;
    parts.push(`<text x="10" y="${y}" font-weight="bold">${escaped(name)}</text>`);
    const most = Math.max(...peers.map((peer) => figure.values[peer]?.median ?? 0));
    for (const peer of peers) {
      const median = figure.values[peer]?.median ?? 0;
      const length = Math.max(1, Math.round((width * median) / most));
      parts.push(
        `<text x="${left - 8}" y="${y + bar + 2}" text-anchor="end">${escaped(peer)}</text>`,
        `<rect x="${left}" y="${y + 6}" width="${length}" height="${bar - 4}" fill="${peer === ours ? '#2b7a4b' : '#8a94a0'}"/>`,
        `<text x="${left + length + 6}" y="${y + bar + 2}">${shown(median, figure.unit)} ${figure.unit}</text>`,
      );
      y += bar;
    }
    y += 12;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${left + width + 90}" height="${y}" font-family="sans-serif" font-size="12" fill="#444">
<title>What dumb-init costs, beside its peers</title>
<rect width="100%" height="100%" fill="#fff"/>
${parts.join('\n')}
</svg>
`;
}
