// Public exports only.

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
export type { ImageLimits } from './embed/limits.js';
export { CorvidError, type ErrorCode, type ErrorDetails } from './errors.js';
export type { ItemFields, RawVectors } from './formats/vector-source.js';
export { buildIndex } from './indexer/build-index.js';
export type {
  BuildEstimate,
  BuildOptions,
  BuildPhase,
  BuildProgress,
  BuildSummary,
  SkippedFile,
  VectorBatch,
  VectorStream,
  VectorsOption,
  VectorTable,
} from './indexer/settings/options.js';
export type { CodecInfo, Scoring } from './native/addon.js';
export {
  openPackedCodes,
  type PackedCodes,
  type PackedOptions,
  type PackedResult,
  type PackedSearchOptions,
} from './packed/packed-codes.js';
export { parseQuery } from './query/compose/parse.js';
export { openIndex } from './query/open.js';
export type { Recall, RecallCard, RecallStep } from './query/recall/recall-card.js';
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
