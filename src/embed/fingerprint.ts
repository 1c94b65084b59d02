// Whether an encoder is the one that an index was made with.
import { CorvidError } from '../errors.js';
import type { EncoderFingerprint } from './embedder.js';

/**
 * Refuses an encoder whose embeddings mean something else than those of the index.
 * @param stored the index's fingerprint; null for an index of bare vectors, which fits any
 * @throws CorvidError ERR_ENCODER_MISMATCH, which names both
 */
export function assertSameEncoder(
  stored: EncoderFingerprint | null,
  found: EncoderFingerprint,
): void {
  if (stored === null || stored.id === found.id) return;
  throw new CorvidError('ERR_ENCODER_MISMATCH', 'the index was made with another encoder', {
    expected: describe(stored),
    actual: describe(found),
    hint: `use ${stored.model}, or build another index with ${found.model}`,
  });
}

/** The name alone may be the same for two encoders: then the fingerprint tells them apart. */
function describe({ model, id, dims }: EncoderFingerprint): string {
  return `${model} [${id.slice(0, 12)}, ${dims} dimensions]`;
}
