// Objects of a metadata file (JSON lines, parquet) as the fields of an item.
//
// key, path and caption become fields of the item; all others are kept together as metadata, as they
// are. Values that JSON lacks (big integers, dates, bytes) become text.
import type { ItemFields } from './vector-source.js';

const KEY_FIELDS = ['key', 'id'];
const PATH_FIELDS = ['path', 'image_path', 'file'];
const CAPTION_FIELDS = ['caption', 'text'];

/**
 * @param object a row of metadata
 * @param exclude fields that are not metadata (the vector)
 */
export function itemFields(
  object: Record<string, unknown>,
  exclude: ReadonlySet<string> = new Set(),
): ItemFields {
  const rest = { ...object };
  for (const name of exclude) delete rest[name];
  const item: ItemFields = {};
  const key = take(rest, KEY_FIELDS);
  const path = take(rest, PATH_FIELDS);
  const caption = take(rest, CAPTION_FIELDS);
  if (key !== undefined) item.key = key;
  if (path !== undefined) item.path = path;
  if (caption !== undefined) item.caption = caption;
  const metadata = Object.entries(rest).filter(([, value]) => value != null);
  if (metadata.length > 0) {
    item.metadata = Object.fromEntries(metadata.map(([name, value]) => [name, plain(value)]));
  }
  return item;
}

/** Removes and returns the first of `names` whose value is a string or a number. */
function take(object: Record<string, unknown>, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = object[name];
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') {
      delete object[name];
      return String(value);
    }
  }
  return undefined;
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') {
    return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  }
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value)) {
    const { buffer, byteOffset, byteLength } = value;
    return value instanceof Uint8Array
      ? Buffer.from(buffer, byteOffset, byteLength).toString('base64')
      : Array.from(value as Float32Array);
  }
  if (Array.isArray(value)) return value.map(plain);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
  }
  return value;
}
