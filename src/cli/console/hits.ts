// Formats hits as lines of text, and the summary line below them.
import type { Hit, SearchResult, Timings } from '../../index.js';
import { count, milliseconds } from './numbers.js';
import { bold, dim, printable, shortened, widthOf } from './style.js';

/** Longer names are not cut; they push the following columns to the right. */
const NAME_COLUMN = 60;

/** The name shown for a hit: its key, else its path, else its number. */
export function nameOf({ key, path, id }: Pick<Hit, 'key' | 'path' | 'id'>): string {
  return printable(key ?? path ?? `#${id}`);
}

/** One line per hit: rank (from `firstRank`, unless null), score, name, date, caption. */
export function hitLines(
  hits: readonly Hit[],
  { firstRank }: { firstRank: number | null },
): string[] {
  const nameWidth = Math.min(NAME_COLUMN, Math.max(0, ...hits.map((hit) => nameOf(hit).length)));
  const dates = hits.some(({ takenAt }) => takenAt !== null);
  const scoreWidth = hits.some(({ score }) => score < 0) ? 6 : 5;
  const rankWidth = firstRank === null ? 0 : String(firstRank + hits.length - 1).length;
  return hits.map((hit, i) => {
    const rank = firstRank === null ? '' : `${String(firstRank + i).padStart(rankWidth)}  `;
    const score = hit.score.toFixed(3).padStart(scoreWidth);
    const name = nameOf(hit).padEnd(nameWidth);
    const taken = dates ? `${(hit.takenAt?.slice(0, 10) ?? '').padEnd(10)}  ` : '';
    const captionWidth = widthOf(process.stdout) - `  ${rank}${score}  ${name}  ${taken}`.length;
    const caption = captionWidth < 8 ? '' : shortened(printable(hit.caption ?? ''), captionWidth);
    const note = `${taken}${caption}`.trimEnd();
    const line = `  ${dim(rank, process.stdout)}${bold(score, process.stdout)}  `;
    if (note === '') return `${line}${name.trimEnd()}`;
    return `${line}${name}  ${dim(note, process.stdout)}`;
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

/** A shorter step did not run: what was measured is the clock itself. */
const MIN_STEP_MS = 0.02;

/** `embed 31 · scan 0.3 ms`, without the steps that did not run. */
export function timingText({ timings, matchingRows, rows }: SearchResult): string {
  const steps = STEPS.filter(([step]) => step !== 'filterMs' || matchingRows < rows)
    .filter(([step]) => timings[step] >= MIN_STEP_MS)
    .map(([step, name]) => `${name} ${milliseconds(timings[step])}`);
  return steps.length === 0 ? '' : `${steps.join(' · ')} ms`;
}

/** `10 of 47,307 (812 match) · exact · embed 31 · scan 0.3 ms` */
export function footer(result: SearchResult, { showTimings = true } = {}): string {
  const { hits, matchingRows, rows, exact } = result;
  const filtered = matchingRows < rows ? ` (${count(matchingRows)} match)` : '';
  return [
    `${count(hits.length)} of ${count(rows)}${filtered}`,
    exact ? 'exact' : '',
    showTimings ? timingText(result) : '',
  ]
    .filter(Boolean)
    .join(' · ');
}
