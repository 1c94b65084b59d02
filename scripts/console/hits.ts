// Hits as lines of text, and the line that says what a search did.
import type { Hit, SearchResult, Timings } from '../../src/index.js';
import { count, milliseconds } from './numbers.js';
import { bold, dim } from './style.js';

/** What people call a hit: its key, else its path, else its number. */
export function nameOf({ key, path, id }: Pick<Hit, 'key' | 'path' | 'id'>): string {
  return key ?? path ?? `#${id}`;
}

/** One line a hit: rank (from `firstRank`, unless null), score, name, date or caption. */
export function hitLines(
  hits: readonly Hit[],
  { firstRank }: { firstRank: number | null },
): string[] {
  const width = Math.min(60, Math.max(0, ...hits.map((hit) => nameOf(hit).length)));
  const rankWidth = firstRank === null ? 0 : String(firstRank + hits.length).length;
  return hits.map((hit, i) => {
    const rank =
      firstRank === null
        ? ''
        : `${dim(String(firstRank + i).padStart(rankWidth), process.stdout)}  `;
    const note = hit.takenAt?.slice(0, 10) ?? hit.caption ?? '';
    const name = nameOf(hit).padEnd(note === '' ? 0 : width);
    const line = `  ${rank}${bold(hit.score.toFixed(3), process.stdout)}  ${name}`;
    return note === '' ? line : `${line}  ${dim(note, process.stdout)}`;
  });
}

const STEPS: [keyof Timings, string][] = [
  ['embedMs', 'embed'],
  ['filterMs', 'filter'],
  ['routeMs', 'route'],
  ['scanMs', 'scan'],
  ['refineMs', 'refine'],
  ['rescoreMs', 'rescore'],
  ['joinMs', 'join'],
];

export function timingText(timings: Timings): string {
  const steps = STEPS.filter(([step]) => timings[step] >= 0.005).map(
    ([step, name]) => `${name} ${milliseconds(timings[step])}`,
  );
  return steps.length === 0 ? '' : `${steps.join(' · ')} ms`;
}

/** `10 of 47,307 · exact · embed 31 · scan 0.3 ms` */
export function footer({ hits, matchingRows, rows, exact, timings }: SearchResult): string {
  const filtered = matchingRows < rows ? ` (${count(matchingRows)} match)` : '';
  return [
    `${count(hits.length)} of ${count(rows)}${filtered}`,
    exact ? 'exact' : '',
    timingText(timings),
  ]
    .filter(Boolean)
    .join(' · ');
}
