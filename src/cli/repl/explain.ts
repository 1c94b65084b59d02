// Formats what a search did: its steps, and the time of each.
import type { SearchResult } from '../../index.js';
import { count, milliseconds, plural } from '../console/numbers.js';

export function explain(query: string, where: string | undefined, result: SearchResult): string[] {
  const { timings, rows, matchingRows, scannedRows, lists, probedLists, levels } = result;
  const step = (name: string, what: string, ms: number) =>
    `${name.padEnd(9)} ${what.padEnd(50)} ${milliseconds(ms).padStart(6)} ms`;
  const longer = levels.filter((bits) => bits > 64);
  const lines = [`query     ${query}`];
  if (timings.embedMs > 0) lines.push(step('embed', 'to one unit vector', timings.embedMs));
  if (where !== undefined) {
    lines.push(step('filter', `${count(matchingRows)} match: ${where}`, timings.filterMs));
  }
  lines.push(
    step('route', `${count(probedLists)} of ${plural(lists, 'list')}`, timings.routeMs),
    step('scan', `${count(scannedRows)} of ${count(rows)} codes of 64 bits`, timings.scanMs),
  );
  const { shortlist, rescored, exact } = result;
  if (longer.length > 0) {
    lines.push(
      step('refine', `${count(shortlist)} by ${longer.join(', ')} bits`, timings.refineMs),
    );
  }
  if (rescored) {
    lines.push(step('rescore', `${count(shortlist)} by int8 vectors`, timings.rescoreMs));
  }
  lines.push(
    step('join', `${count(result.hits.length)} hits with the catalog`, timings.joinMs),
    `answer    ${exact ? 'exact: every image was scored' : 'approximate: .effort 1 scores all'}`,
  );
  return lines;
}
