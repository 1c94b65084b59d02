// Reads all that an index holds, by the store's own means, so that tests can compare indexes.
import { join } from 'node:path';
import { native } from '../../src/native/addon.js';
import type { CatalogItem } from '../../src/store/catalog.js';
import { openCatalog, readSnapshot } from '../../src/store/index-folder.js';

export interface IndexContent {
  generation: number;
  nextId: number;
  /** Items of the catalog, by id. */
  items: CatalogItem[];
  /** Ids that can be found, ascending. */
  ids: number[];
  /** Unit vectors as the index has them, by id. */
  vectors: Map<number, Float32Array>;
  segments: number;
  method: string;
  lists: number;
}

/** Reads and verifies the index at `path`. */
export async function readIndex(path: string): Promise<IndexContent> {
  const catalog = openCatalog(path);
  try {
    const { settings, codecPath, segments } = readSnapshot(path, catalog);
    const codec = native.openCodec(codecPath);
    const { dims, method, lists } = codec.info();
    const removed = new Set(catalog.removedIds());
    const vectors = new Map<number, Float32Array>();
    for (const { dir } of segments) {
      const segment = native.openSegment(dir, codec);
      await segment.verify();
      const rows = Float64Array.from({ length: segment.info().rows }, (_, row) => row);
      const ids = segment.itemIds(rows);
      const decoded = segment.reconstruct(rows);
      ids.forEach((id, row) => {
        if (removed.has(id)) return;
        if (vectors.has(id)) throw new Error(`item ${id} lies in two segments`);
        vectors.set(id, decoded.slice(row * dims, (row + 1) * dims));
      });
      segment.close();
    }
    return {
      generation: settings.generation,
      nextId: settings.nextId,
      items: [...catalog.items()],
      ids: [...vectors.keys()].sort((a, b) => a - b),
      vectors,
      segments: segments.length,
      method,
      lists,
    };
  } finally {
    catalog.close();
  }
}

/** Cosine of two unit vectors. */
export function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, d) => sum + value * (b[d] as number), 0);
}

/** Folder of the pictures that tests index. */
export const PICTURES = join('test', 'fixtures', 'pictures');
