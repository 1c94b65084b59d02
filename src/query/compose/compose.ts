// Query arithmetic: from texts, images, vectors and items with weights to one unit vector.
//
// A single part stays as it is (turned round if its weight is negative). Several are summed, unit
// vector times weight, and the sum is scaled to unit length. Texts are embedded once and remembered.
import { CorvidError, throwIfAborted } from '../../errors.js';
import { fromNative, native } from '../../native/addon.js';
import type { QueryKind } from '../plan/plan.js';
import type { ItemRef, QueryInput, QueryPart } from '../types.js';
import type { Encoder } from './encoder.js';

/** What the composer asks of the index: embeddings of its items. */
export interface ItemEmbeddings {
  /** @throws ERR_ITEM_NOT_FOUND */
  resolve(items: readonly ItemRef[]): number[];
  /** ids.length x dims, unit rows. @throws ERR_ITEM_NOT_FOUND */
  embeddings(ids: readonly number[]): Promise<Float32Array>;
}

/** What a query is, beside its vector. */
export interface ComposedQuery {
  kind: QueryKind;
  /** Items that the query names: they are excluded from its hits. */
  items: ReadonlySet<number>;
}

/** A bare vector: one object for all of them, for batches hold thousands. */
const BARE: ComposedQuery = { kind: 'image', items: new Set() };

const REMEMBERED_TEXTS = 512;
/** Below this length a sum of unit vectors has cancelled out, and its direction is rounding. */
const LEAST_LENGTH = 1e-4;

export class Composer {
  readonly #dims: number;
  readonly #encoder: Encoder;
  /** Embeddings by text, least recently used first. */
  readonly #texts = new Map<string, Float32Array>();

  constructor(dims: number, encoder: Encoder) {
    this.#dims = dims;
    this.#encoder = encoder;
  }

  /**
   * Composes all queries, embedding their texts, images and items in one batch each.
   * @param vectors inputs.length x dims, filled with unit rows
   */
  async compose(
    inputs: readonly QueryInput[],
    index: ItemEmbeddings,
    signal: AbortSignal | undefined,
    vectors: Float32Array,
  ): Promise<ComposedQuery[]> {
    if (inputs.every((input) => input instanceof Float32Array)) {
      this.#toUnit(inputs, vectors);
      return new Array<ComposedQuery>(inputs.length).fill(BARE);
    }
    const queries = inputs.map(toParts);
    const parts = queries.flat();
    const embeddings = new Map<QueryPart, Float32Array>();
    const items = new Map<QueryPart, number>();
    this.#takeVectors(parts, embeddings);
    await this.#embedTexts(parts, embeddings, signal);
    await this.#embedImages(parts, embeddings, signal);
    await this.#embedItems(parts, embeddings, items, index);
    throwIfAborted(signal);
    return queries.map((query, i) => {
      vectors.set(this.#sum(query, embeddings), i * this.#dims);
      return {
        kind: query.some((part) => 'text' in part) ? 'text' : 'image',
        items: new Set(query.flatMap((part) => items.get(part) ?? [])),
      };
    });
  }

  #takeVectors(parts: readonly QueryPart[], vectors: Map<QueryPart, Float32Array>): void {
    const given = parts.flatMap((part) => ('vector' in part ? [part] : []));
    const unit = new Float32Array(given.length * this.#dims);
    this.#toUnit(
      given.map(({ vector }) => vector),
      unit,
    );
    given.forEach((part, i) => {
      vectors.set(part, unit.subarray(i * this.#dims, (i + 1) * this.#dims));
    });
  }

  /** Copies vectors of any length into rows of unit length. */
  #toUnit(given: readonly Float32Array[], rows: Float32Array): void {
    const dims = this.#dims;
    given.forEach((vector, i) => {
      if (vector.length !== dims) {
        throw new CorvidError('ERR_DIMENSION', 'a query vector of another length than the index', {
          expected: `${dims} numbers`,
          actual: `${vector.length}`,
          hint: 'query with a vector of the encoder that the index was made with',
        });
      }
      rows.set(vector, i * dims);
    });
    try {
      native.toUnit(rows, dims, rows);
    } catch (error) {
      throw fromNative(error);
    }
  }

  async #embedTexts(
    parts: readonly QueryPart[],
    vectors: Map<QueryPart, Float32Array>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const texts = [...new Set(parts.flatMap((part) => ('text' in part ? part.text : [])))];
    const found = new Map<string, Float32Array>();
    for (const text of texts) {
      const known = this.#texts.get(text);
      if (known !== undefined) found.set(text, known);
    }
    const unknown = texts.filter((text) => !found.has(text));
    if (unknown.length > 0) {
      const embedder = await this.#encoder.get('a text');
      const embeddings = await embedder.embedTexts(unknown, { signal });
      unknown.forEach((text, i) => {
        found.set(text, embeddings.slice(i * this.#dims, (i + 1) * this.#dims));
      });
    }
    for (const [text, vector] of found) this.#remember(text, vector);
    for (const part of parts) {
      if ('text' in part) vectors.set(part, found.get(part.text) as Float32Array);
    }
  }

  #remember(text: string, vector: Float32Array): void {
    this.#texts.delete(text);
    this.#texts.set(text, vector);
    const oldest = this.#texts.keys().next();
    if (this.#texts.size > REMEMBERED_TEXTS && oldest.done !== true) {
      this.#texts.delete(oldest.value);
    }
  }

  async #embedImages(
    parts: readonly QueryPart[],
    vectors: Map<QueryPart, Float32Array>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const wanted = parts.flatMap((part) => ('image' in part ? [part] : []));
    if (wanted.length === 0) return;
    const embedder = await this.#encoder.get('an image');
    const images = wanted.map((part) => part.image);
    const { embeddings, failures } = await embedder.embedImages(images, { signal });
    if (failures[0] !== undefined) throw failures[0].error;
    wanted.forEach((part, i) => {
      vectors.set(part, embeddings.slice(i * this.#dims, (i + 1) * this.#dims));
    });
  }

  async #embedItems(
    parts: readonly QueryPart[],
    vectors: Map<QueryPart, Float32Array>,
    items: Map<QueryPart, number>,
    index: ItemEmbeddings,
  ): Promise<void> {
    const wanted = parts.flatMap((part) => ('item' in part ? [part] : []));
    if (wanted.length === 0) return;
    const ids = index.resolve(wanted.map((part) => part.item));
    const embeddings = await index.embeddings(ids);
    wanted.forEach((part, i) => {
      items.set(part, ids[i] as number);
      vectors.set(part, embeddings.slice(i * this.#dims, (i + 1) * this.#dims));
    });
  }

  #sum(query: readonly QueryPart[], vectors: Map<QueryPart, Float32Array>): Float32Array {
    const [only] = query;
    if (query.length === 1 && only !== undefined && (only.weight ?? 1) > 0) {
      return vectors.get(only) as Float32Array;
    }
    const sum = new Float64Array(this.#dims);
    for (const part of query) {
      const weight = part.weight ?? 1;
      (vectors.get(part) as Float32Array).forEach((value, d) => {
        sum[d] = (sum[d] as number) + weight * value;
      });
    }
    const length = Math.sqrt(sum.reduce((total, value) => total + value * value, 0));
    const scale = query.reduce((most, part) => Math.max(most, Math.abs(part.weight ?? 1)), 0);
    if (length < LEAST_LENGTH * scale) {
      throw new CorvidError('ERR_QUERY', 'the parts of the query cancel each other out', {
        hint: 'change a weight, or leave a part out',
      });
    }
    return Float32Array.from(sum, (value) => value / length);
  }
}

/** @throws ERR_QUERY for what is no query: an empty text, no parts, a weight that is no weight. */
function toParts(input: QueryInput): QueryPart[] {
  if (input instanceof Float32Array) return [{ vector: input }];
  const parts: QueryPart[] =
    typeof input === 'string'
      ? [{ text: input }]
      : Array.isArray(input)
        ? [...(input as readonly QueryPart[])]
        : [input as QueryPart];
  if (parts.length === 0)
    throw refusal('a query without parts', 'give a text, image, vector or item');
  for (const part of parts) validatePart(part);
  return parts;
}

function validatePart(part: QueryPart): void {
  const kinds = ['text', 'image', 'vector', 'item'].filter(
    (kind) => typeof part === 'object' && part !== null && kind in part,
  );
  if (kinds.length !== 1) {
    throw refusal('a part of a query', 'give each part one of text, image, vector, item');
  }
  const { weight = 1 } = part;
  if (!Number.isFinite(weight) || weight === 0) {
    throw refusal(`a weight of ${weight}`, 'use a finite weight other than zero');
  }
  const right =
    'text' in part
      ? typeof part.text === 'string' && part.text.trim() !== ''
      : 'image' in part
        ? (typeof part.image === 'string' && part.image !== '') || part.image instanceof Uint8Array
        : 'vector' in part
          ? part.vector instanceof Float32Array
          : typeof part.item === 'string' || Number.isSafeInteger(part.item);
  if (!right) {
    const what = `the ${kinds[0]} of a query is empty or of the wrong type`;
    throw refusal(
      what,
      'text: string; image: path or bytes; vector: Float32Array; item: id or key',
    );
  }
}

function refusal(what: string, hint: string): CorvidError {
  return new CorvidError('ERR_QUERY', what, { hint });
}
