// Public exports only.
export { buildIndex } from './build/build-index.js';
export type { BuildEstimate } from './build/estimate.js';
export type {
  BuildOptions,
  BuildPhase,
  BuildProgress,
  BuildSummary,
  SkippedFile,
  VectorBatch,
  VectorStream,
  VectorsOption,
  VectorTable,
} from './build/options.js';
export type { ItemFields, RawVectors } from './build/sources/source.js';
export { type ClipOptions, openClip } from './embed/clip.js';
export { thumbnail } from './embed/decode.js';
export type {
  Embedder,
  EmbedFailure,
  EmbedOptions,
  EncoderFingerprint,
  ImageEmbeddings,
  ImageInput,
} from './embed/embedder.js';
export { CorvidError, type ErrorCode } from './errors.js';
export type { CodecInfo, Scoring } from './native.js';
export {
  openPackedCodes,
  type PackedCodes,
  type PackedOptions,
  type PackedResult,
  type PackedSearchOptions,
} from './packed/packed-codes.js';
export { openIndex } from './query/open.js';
export { parseQuery } from './query/parse.js';
export type { Recall, RecallCard, RecallStep } from './query/recall-card.js';
export type {
  CorvidIndex,
  Hit,
  ImagePart,
  IndexInfo,
  Item,
  ItemPart,
  ItemRef,
  LedgerEntry,
  OpenOptions,
  QueryInput,
  QueryPart,
  SearchOptions,
  SearchResult,
  TextPart,
  Timings,
  VectorPart,
  VerifyReport,
} from './query/types.js';
