// From the paths that the caller gave to what they are: images to embed, or ready-made vectors.
//
// One build indexes one kind. A folder is one of images if it holds any, else one of vector files.
// Files are told apart by their names here; the format modules check what they contain.
import { stat } from 'node:fs/promises';
import { extname, resolve, sep } from 'node:path';
import { CorvidError, fromSystemError, throwIfAborted } from '../../errors.js';
import { openJsonLines } from '../../formats/jsonl.js';
import { openNpy } from '../../formats/npy.js';
import { openParquetVectors } from '../../formats/parquet.js';
import { openBin, openVecs } from '../../formats/raw-vectors.js';
import type { VectorSource } from '../../formats/vector-source.js';
import { alignMetadata, isClipRetrievalFolder, openClipRetrieval } from './aligned.js';
import { type Captions, readCaptions, readFolderCaptions } from './captions.js';
import { compareNatural, emptyFolder, type Listing, listFiles } from './folder.js';

/** Image files by extension. The last two rows are listed so that the report can name them. */
const IMAGE_EXTENSIONS = new Set([
  ...['.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.webp', '.gif', '.avif', '.tif', '.tiff'],
  ...['.heic', '.heif', '.bmp', '.jxl', '.psd'],
  ...['.dng', '.cr2', '.cr3', '.nef', '.arw', '.orf', '.raf', '.rw2'],
]);

const VECTOR_OPENERS: Record<string, (path: string, ext: string) => Promise<VectorSource>> = {
  '.npy': openNpy,
  '.fbin': openBin,
  '.u8bin': openBin,
  '.i8bin': openBin,
  '.fvecs': openVecs,
  '.bvecs': openVecs,
  '.parquet': openParquetVectors,
  '.jsonl': openJsonLines,
};

const READABLE =
  'a folder, an image (jpeg, png, webp, gif, avif, tiff) or vectors ' +
  `(${Object.keys(VECTOR_OPENERS).join(' ')})`;

/** An image file that a source holds. */
export interface ImageFile {
  /** Absolute. */
  path: string;
  /** Relative to the source it was found in, with "/"; the file's name for a single file. */
  key: string;
}

export interface ImageSources {
  kind: 'images';
  files: ImageFile[];
  captions: Captions;
  /** Paths that could not be listed. */
  unreadable: Listing['unreadable'];
  /** Absolute paths of the sources: an indexed file below one that is gone has vanished. */
  roots: string[];
}

export interface VectorSources {
  kind: 'vectors';
  sources: VectorSource[];
  /** Absolute paths of the sources, as above. */
  roots: string[];
}

export interface OpenOptions {
  ignore?: readonly string[] | undefined;
  /** Captions of images, or metadata row by row of the one vector file. */
  metadata?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** Opens all `paths` of a build. Throws ERR_SOURCE_*, ERR_NOT_FOUND, ERR_USAGE for a mixture. */
export async function openSources(
  paths: readonly string[],
  options: OpenOptions,
): Promise<ImageSources | VectorSources> {
  const images = new Map<string, ImageFile>();
  const captions: Captions = new Map();
  const unreadable: Listing['unreadable'] = [];
  const sources: VectorSource[] = [];
  const roots = paths.map((path) => resolve(path));
  try {
    for (const root of roots) {
      throwIfAborted(options.signal);
      const found = await openOne(root, options);
      if (found.kind === 'vectors') await addNew(sources, found.sources);
      else {
        for (const file of found.files) if (!images.has(file.path)) images.set(file.path, file);
        for (const [path, fields] of found.captions) captions.set(path, fields);
        unreadable.push(...found.unreadable);
      }
      if (images.size > 0 && sources.length > 0) throw mixedSources(roots);
    }
    if (sources.length > 0) {
      return { kind: 'vectors', sources: await withMetadata(sources, options.metadata), roots };
    }
  } catch (error) {
    await Promise.all(sources.map((source) => source.close()));
    throw error;
  }
  if (options.metadata !== undefined) {
    await readCaptions(
      resolve(options.metadata),
      [resolve(options.metadata, '..'), ...roots],
      captions,
    );
  }
  return { kind: 'images', files: [...images.values()], captions, unreadable, roots };
}

/** Adds the sources that are not in the list yet; a file may be named twice. */
async function addNew(sources: VectorSource[], found: readonly VectorSource[]): Promise<void> {
  const known = new Set(sources.map(({ path }) => path));
  for (const source of found) {
    if (known.has(source.path)) await source.close();
    else sources.push(source);
  }
}

async function openOne(root: string, options: OpenOptions): Promise<ImageSources | VectorSources> {
  const found = await stat(root).catch((error: unknown) => {
    throw fromSystemError(error, root, 'open the source');
  });
  if (found.isDirectory()) return openFolder(root, options);
  const extension = extname(root).toLowerCase();
  if (IMAGE_EXTENSIONS.has(extension)) {
    const key = root.slice(root.lastIndexOf(sep) + 1);
    const files = [{ path: root, key }];
    return { kind: 'images', files, captions: new Map(), unreadable: [], roots: [root] };
  }
  return { kind: 'vectors', sources: [await openVectors(root)], roots: [root] };
}

async function openFolder(
  root: string,
  options: OpenOptions,
): Promise<ImageSources | VectorSources> {
  if (await isClipRetrievalFolder(root)) {
    return { kind: 'vectors', sources: await openClipRetrieval(root), roots: [root] };
  }
  const { files, unreadable } = await listFiles(root, options);
  const images = files.filter((file) => IMAGE_EXTENSIONS.has(extname(file).toLowerCase()));
  const vectors = files.filter((file) => extname(file).toLowerCase() in VECTOR_OPENERS);
  if (images.length > 0 || vectors.length === 0) {
    if (images.length === 0 && unreadable.length === 0) throw emptyFolder(root, READABLE);
    const captions: Captions = new Map();
    await readFolderCaptions(files, captions);
    const start = root.endsWith(sep) ? root.length : root.length + 1;
    const keyed = images.map((path) => ({ path, key: path.slice(start).split(sep).join('/') }));
    return { kind: 'images', files: keyed, captions, unreadable, roots: [root] };
  }
  if (unreadable[0] !== undefined) throw unreadable[0].error;
  const sources: VectorSource[] = [];
  try {
    for (const file of vectors.sort(compareNatural)) sources.push(await openVectors(file));
    return { kind: 'vectors', sources, roots: [root] };
  } catch (error) {
    await Promise.all(sources.map((source) => source.close()));
    throw error;
  }
}

async function openVectors(path: string): Promise<VectorSource> {
  const extension = extname(path).toLowerCase();
  const opener = VECTOR_OPENERS[extension];
  if (opener === undefined) {
    throw new CorvidError('ERR_SOURCE_UNKNOWN', 'a source of a type that corvid does not read', {
      path,
      expected: READABLE,
      actual: extension === '' ? 'a file without an extension' : extension,
    });
  }
  return opener(path, extension);
}

async function withMetadata(
  sources: VectorSource[],
  metadata: string | undefined,
): Promise<VectorSource[]> {
  if (metadata === undefined) return sources;
  const [only, more] = sources;
  if (only === undefined || more !== undefined) {
    throw new CorvidError('ERR_USAGE', 'metadata row by row needs exactly one file of vectors', {
      path: metadata,
      actual: `${sources.length} files`,
      hint: 'use the clip-retrieval layout for many files',
    });
  }
  return [await alignMetadata(only, resolve(metadata))];
}

/** The error of a build with sources of both kinds. */
export function mixedSources(names: readonly string[]): CorvidError {
  return new CorvidError('ERR_USAGE', 'images and ready-made vectors in one build', {
    actual: names.join(', '),
    hint: 'build one index of the images and another of the vectors',
  });
}
