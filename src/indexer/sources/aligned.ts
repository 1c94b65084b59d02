// Vectors with metadata in another file, row by row: the clip-retrieval layout
// (img_emb/img_emb_N.npy with metadata/metadata_N.parquet or .jsonl), or --metadata for one file.
//
// Both sides must have the same number of rows, which is checked before anything is trained.
import { stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { CorvidError, fromSystemError } from '../../errors.js';
import { itemFields } from '../../formats/item-fields.js';
import { readJsonLines, readLines } from '../../formats/json-lines.js';
import { openNpy } from '../../formats/npy.js';
import { ParquetFile } from '../../formats/parquet.js';
import type {
  ItemFields,
  RawVectors,
  ReadOptions,
  VectorChunk,
  VectorSource,
} from '../../formats/vector-source.js';
import { listFiles } from './folder.js';

/** A file of metadata whose row i belongs to vector i. */
export interface RowMetadata {
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
  readonly modifiedMs: number;
  read(firstRow: number): AsyncGenerator<ItemFields>;
  close(): Promise<void>;
}

export class AlignedSource implements VectorSource {
  readonly path: string;
  readonly rows: number;
  readonly dims: number;
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly hasItems = true;
  readonly readAt?: (firstRow: number, rows: number) => Promise<RawVectors>;

  constructor(
    private readonly vectors: VectorSource,
    private readonly metadata: RowMetadata,
  ) {
    this.path = vectors.path;
    this.rows = vectors.rows;
    this.dims = vectors.dims;
    this.bytes = vectors.bytes + metadata.bytes;
    this.modifiedMs = Math.max(vectors.modifiedMs, metadata.modifiedMs);
    if (vectors.readAt !== undefined) this.readAt = vectors.readAt.bind(vectors);
  }

  async *read(options: ReadOptions): AsyncGenerator<VectorChunk> {
    const metadata = this.metadata.read(options.firstRow ?? 0);
    try {
      for await (const chunk of this.vectors.read(options)) {
        const items: ItemFields[] = [];
        while (items.length < chunk.rows) {
          const next = await metadata.next();
          if (next.done === true) throw misaligned(this.metadata, this.vectors);
          items.push(next.value);
        }
        yield { ...chunk, items };
      }
    } finally {
      await metadata.return(undefined);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.vectors.close(), this.metadata.close()]);
  }
}

/** Joins `vectors` with the file `metadataPath` (.jsonl or .parquet), row by row. */
export async function alignMetadata(
  vectors: VectorSource,
  metadataPath: string,
): Promise<VectorSource> {
  const metadata = await openMetadata(metadataPath);
  if (metadata.rows !== vectors.rows) {
    await metadata.close();
    throw misaligned(metadata, vectors);
  }
  return new AlignedSource(vectors, metadata);
}

/** Whether `folder` has the clip-retrieval layout. */
export async function isClipRetrievalFolder(folder: string): Promise<boolean> {
  const embeddings = await stat(join(folder, 'img_emb')).catch(() => null);
  return embeddings?.isDirectory() === true;
}

/** Opens every img_emb_N.npy of `folder` with its metadata, in the order of N. */
export async function openClipRetrieval(folder: string): Promise<VectorSource[]> {
  const embeddings = await listFiles(join(folder, 'img_emb'), {});
  const metadata = await listMetadata(folder);
  const files = embeddings.files.filter((file) => /img_emb_\d+\.npy$/.test(file));
  if (files.length === 0) {
    throw new CorvidError('ERR_SOURCE_EMPTY', 'no img_emb_N.npy in the folder', {
      path: join(folder, 'img_emb'),
      hint: 'the layout is img_emb/img_emb_0.npy with metadata/metadata_0.parquet or .jsonl',
    });
  }
  const sources: VectorSource[] = [];
  try {
    for (const file of files) {
      const vectors = await openNpy(file);
      sources.push(vectors);
      if (metadata.size === 0) continue;
      const part = Number(/img_emb_(\d+)\.npy$/.exec(file)?.[1]);
      const beside = metadata.get(part);
      if (beside === undefined) {
        throw new CorvidError('ERR_SOURCE_INVALID', 'embeddings without their metadata', {
          path: file,
          expected: `metadata_${part}.parquet or .jsonl in ${join(folder, 'metadata')}`,
        });
      }
      sources[sources.length - 1] = await alignMetadata(vectors, beside);
    }
    return sources;
  } catch (error) {
    await Promise.all(sources.map((source) => source.close()));
    throw error;
  }
}

async function listMetadata(folder: string): Promise<Map<number, string>> {
  const parts = new Map<number, string>();
  const present = await stat(join(folder, 'metadata')).catch(() => null);
  if (present === null) return parts;
  for (const file of (await listFiles(join(folder, 'metadata'), {})).files) {
    const part = /metadata_(\d+)\.(parquet|jsonl)$/.exec(file)?.[1];
    if (part !== undefined) parts.set(Number(part), file);
  }
  return parts;
}

async function openMetadata(path: string): Promise<RowMetadata> {
  switch (extname(path).toLowerCase()) {
    case '.jsonl':
      return openJsonMetadata(path);
    case '.parquet':
      return openParquetMetadata(path);
    default:
      throw new CorvidError('ERR_SOURCE_UNKNOWN', 'metadata of a type that corvid does not read', {
        path,
        expected: '.jsonl or .parquet',
      });
  }
}

async function openJsonMetadata(path: string): Promise<RowMetadata> {
  let rows = 0;
  for await (const _ of readLines(path)) rows++;
  return jsonRows(path, rows, (object) => itemFields(object));
}

/** A file of JSON objects, one a row. */
export async function jsonRows(
  path: string,
  rows: number,
  toItem: (object: Record<string, unknown>) => ItemFields,
): Promise<RowMetadata> {
  const { size, mtimeMs } = await stat(path).catch((error: unknown) => {
    throw fromSystemError(error, path, 'open the metadata');
  });
  return {
    path,
    rows,
    bytes: size,
    modifiedMs: mtimeMs,
    async *read(firstRow) {
      let row = 0;
      for await (const { value } of readJsonLines(path)) {
        if (row++ >= firstRow) yield toItem(value as Record<string, unknown>);
      }
    },
    async close() {},
  };
}

async function openParquetMetadata(path: string): Promise<RowMetadata> {
  const file = await ParquetFile.open(path);
  return {
    path,
    rows: file.rows,
    bytes: file.bytes,
    modifiedMs: file.modifiedMs,
    async *read(firstRow) {
      for await (const { objects } of file.read(firstRow)) {
        for (const object of objects) yield itemFields(object);
      }
    },
    close: () => file.close(),
  };
}

function misaligned(metadata: { path: string; rows: number }, vectors: VectorSource): CorvidError {
  return new CorvidError(
    'ERR_SOURCE_INVALID',
    'metadata and vectors have different numbers of rows',
    {
      path: metadata.path,
      expected: `${vectors.rows} rows, as ${vectors.path} has`,
      actual: `${metadata.rows}`,
    },
  );
}
