// The queries to a golden index, and the answers that are recorded.
import { openIndex } from '../../src/index.js';
import { native } from '../../src/native/addon.js';
import { openCatalog, readSnapshot } from '../../src/store/index-folder.js';
import { DIMS, randomVectors } from '../store/fixture.js';

export interface GoldenAnswers {
  /** Per query: rows and scores of the scan, and finer scores of the same rows. */
  scans: {
    scoring: string;
    rows: number[];
    scores: number[];
    refined: Record<string, number[]>;
    rescored: number[];
    ids: number[];
  }[];
  /** Ids of the hits of an exact search. */
  hits: number[][];
  keys: (string | null)[];
}

export async function answersOf(path: string): Promise<GoldenAnswers> {
  const vectors = randomVectors(3, 77);
  const queries = [0, 1, 2].map((n) => vectors.slice(n * DIMS, (n + 1) * DIMS));
  const catalog = openCatalog(path);
  const { codecPath, segments } = readSnapshot(path, catalog);
  const keys = catalog.itemsByIds([0, 5, 7, 100_000]).map((item) => item?.key ?? null);
  catalog.close();
  const codec = native.openCodec(codecPath);
  const segment = native.openSegment(segments[0]?.dir as string, codec);
  const scans = (['asymmetric', 'hamming'] as const).flatMap((scoring) =>
    queries.map((query) => {
      const request = { query, lists: null, scoring, normWeight: 0.9, limit: 20, filter: 0 };
      const { rows, scores } = segment.scan(request);
      const refined = Object.fromEntries(
        segment.info().levels.map((bits) => [bits, [...segment.refine(query, rows, bits)]]),
      );
      return {
        scoring,
        rows: [...rows],
        scores: [...scores],
        refined,
        rescored: [...segment.rescore(query, rows)],
        ids: [...segment.itemIds(rows)],
      };
    }),
  );
  segment.close();
  const index = await openIndex(path);
  const results = await Promise.all(
    queries.map((vector) => index.search({ vector }, { limit: 10, exact: true })),
  );
  await index.close();
  return { scans, hits: results.map(({ hits }) => hits.map(({ id }) => id)), keys };
}
