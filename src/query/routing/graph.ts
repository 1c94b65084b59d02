// Routing: which lists are nearest to a query. The only file that knows hnswlib-node.
//
// A query is compared with the codec's normalised centroids, (µ + c)/‖µ + c‖. Up to GRAPH_MIN_LISTS
// lists the codec's brute force is faster and exact; above it a graph (HNSW) over the centroids
// answers. The graph is built once per codec with a fixed seed, by one thread, so that the same
// codec always gives the same file; it is read when the first query needs it, never when an index
// opens. The file is hnswlib's own format and carries no checksum, and hnswlib trusts what it
// reads: so its length and CRC32C, kept by the caller, are checked before hnswlib sees it.
import { createReadStream } from 'node:fs';
import hnswlib from 'hnswlib-node';
import { CorvidError, fromSystemError, throwIfAborted } from '../../errors.js';
import { native } from '../../native/addon.js';
import type { NativeCodec } from '../../native/codec.js';
import type { RoutedLists } from '../../native/search.js';

/**
 * From this number of lists on, a codec has a routing graph, for queries that come one at a time.
 * Brute force is exact and reads 128 bytes a list, so one query alone waits for memory; the graph
 * pays for its pointers and for arguments as JavaScript numbers. Queries that share the reading cost
 * a fraction of it, so batches never use the graph (`npm run bench -- fit routing` measures all three).
 */
export const GRAPH_MIN_LISTS = 32_768;
/** Above this share of the lists brute force is faster again. */
const GRAPH_MAX_SHARE = 1 / 64;

/** Links per centroid, and candidates while building and searching (at least the lists wanted);
 * `npm run bench -- fit routing` counts the queries whose nearest list the graph finds. */
const LINKS = 16;
const BUILD_CANDIDATES = 100;
const SEED = 100;
const SEARCH_MIN_CANDIDATES = 96;
/** Time that building may hold the event loop before it lets others run. */
const SLICE_MS = 8;

const READ_BYTES = 2 ** 20;

/** What the catalog remembers of a routing file, to check it when it is read. */
export interface RoutingFile {
  bytes: number;
  crc32c: number;
}

export interface RoutingBuildOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((done: number, total: number) => void) | undefined;
}

/** True if a codec of so many lists is routed by a graph, and so needs a routing file. */
export function needsRoutingGraph(lists: number): boolean {
  return lists >= GRAPH_MIN_LISTS;
}

/**
 * Builds the routing graph of `codec` and writes it to `path`, not fsynced: publishing does
 * that. Yields to the event loop every few milliseconds. Deterministic.
 * @throws ERR_ABORTED, or a file-system error about `path`.
 */
export async function buildRoutingGraph(
  codec: NativeCodec,
  path: string,
  options: RoutingBuildOptions = {},
): Promise<void> {
  throwIfAborted(options.signal);
  const { lists, routingDims } = codec.info();
  const centroids = codec.routingCentroids();
  const graph = new hnswlib.HierarchicalNSW('ip', routingDims);
  graph.initIndex(lists, LINKS, BUILD_CANDIDATES, SEED);
  let sliceStart = performance.now();
  for (const [done, list] of shuffled(lists).entries()) {
    const centroid = centroids.subarray(list * routingDims, (list + 1) * routingDims);
    graph.addPoint(Array.from(centroid), list);
    if (performance.now() - sliceStart < SLICE_MS) continue;
    options.onProgress?.(done + 1, lists);
    await new Promise((resolve) => setImmediate(resolve));
    throwIfAborted(options.signal);
    sliceStart = performance.now();
  }
  options.onProgress?.(lists, lists);
  try {
    await graph.writeIndex(path);
  } catch (error) {
    throw fromSystemError(error, path, 'writing the routing graph');
  }
}

/**
 * The numbers below `count` in an order that is the same every time. Neighbouring lists have
 * neighbouring numbers: added in that order, they leave a graph that falls apart (it then misses the
 * nearest list of 30 queries of 1,000, however many candidates it looks at).
 */
function shuffled(count: number): Uint32Array {
  const place = (list: number) => Math.imul(list, 0x9e3779b1) >>> 0; // Knuth's multiplicative hash
  return Uint32Array.from({ length: count }, (_, i) => i).sort((a, b) => place(a) - place(b));
}

/** Reads and checks a routing file without loading it. @throws ERR_FORMAT_CORRUPT, ERR_NOT_FOUND. */
export async function verifyRoutingFile(path: string, expected: RoutingFile): Promise<void> {
  let bytes = 0;
  let crc32c = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: READ_BYTES })) {
      crc32c = native.crc32c(chunk as Uint8Array, crc32c);
      bytes += (chunk as Uint8Array).length;
    }
  } catch (error) {
    throw fromSystemError(error, path, 'reading the routing graph');
  }
  const describe = (length: number, crc: number) =>
    `${length} bytes, CRC32C ${crc.toString(16).padStart(8, '0')}`;
  if (bytes === expected.bytes && crc32c === expected.crc32c) return;
  throw new CorvidError('ERR_FORMAT_CORRUPT', 'the routing graph is damaged', {
    path,
    expected: describe(expected.bytes, expected.crc32c),
    actual: describe(bytes, crc32c),
    hint: 'rebuild the index, or restore this file from a copy',
  });
}

/** Finds the lists nearest to a query. Belongs to one thread. */
export class Router {
  readonly #codec: NativeCodec;
  readonly #lists: number;
  readonly #dims: number;
  readonly #source: { path: string; file: RoutingFile } | null;
  #graph: hnswlib.HierarchicalNSW | null = null;
  #loading: Promise<void> | null = null;

  /** @param source the routing file, or null for a codec routed by brute force. */
  constructor(codec: NativeCodec, source: { path: string; file: RoutingFile } | null) {
    const info = codec.info();
    this.#codec = codec;
    this.#lists = info.lists;
    this.#dims = info.routingDims;
    this.#source = source;
  }

  /** Path of the routing file; null for a codec routed by brute force. */
  get path(): string | null {
    return this.#source?.path ?? null;
  }

  /** True once the lists of a query can be found without `load`. */
  ready(probes: number): boolean {
    return !this.usesGraph(probes) || this.#graph !== null;
  }

  /**
   * The lists of a query where it takes the graph to find them, which is read if it was not needed
   * before; null where native code is to find them by brute force, as it does where the graph
   * reaches fewer than `probes`.
   */
  async route(query: Float32Array, probes: number): Promise<RoutedLists | null> {
    if (!this.usesGraph(probes)) return null;
    if (!this.ready(probes)) await this.load();
    return this.byGraph(query, probes);
  }

  /** Reads the graph, once. @throws ERR_FORMAT_CORRUPT if the file is not what was written. */
  load(): Promise<void> {
    this.#loading ??= this.#read();
    return this.#loading;
  }

  /**
   * The `probes` lists whose normalised centroids are most similar to `query` (dims numbers, unit
   * length), best first, a few of which may be missed. Precondition: `ready` and `usesGraph`.
   * @returns null if the graph reaches fewer
   */
  byGraph(query: Float32Array, probes: number): RoutedLists | null {
    const graph = this.#graph as hnswlib.HierarchicalNSW;
    graph.setEf(Math.max(SEARCH_MIN_CANDIDATES, probes));
    const point = Array.from(this.#codec.routingQuery(query));
    const { neighbors, distances } = graph.searchKnn(point, probes);
    if (neighbors.length < probes) return null;
    const similarities = Float32Array.from(distances, (distance) => 1 - distance);
    return { lists: Uint32Array.from(neighbors), similarities };
  }

  /** True if so many lists are found by the graph, and not by the codec's brute force. */
  usesGraph(probes: number): boolean {
    return this.#source !== null && probes <= this.#lists * GRAPH_MAX_SHARE;
  }

  async #read(): Promise<void> {
    if (this.#source === null) return;
    const { path, file } = this.#source;
    await verifyRoutingFile(path, file);
    const graph = new hnswlib.HierarchicalNSW('ip', this.#dims);
    await graph.readIndex(path);
    this.#graph = graph;
  }
}
