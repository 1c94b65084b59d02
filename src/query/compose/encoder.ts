// The encoder of an open index: loaded when a query first needs it, and never one that does not fit.
import { openClip } from '../../embed/clip.js';
import type { Embedder, EncoderFingerprint } from '../../embed/embedder.js';
import { assertSameEncoder } from '../../embed/fingerprint.js';
import { CorvidError } from '../../errors.js';

export class Encoder {
  readonly #given: Embedder | null;
  readonly #model: string | null;
  /** Whether the caller named the model, and not the index alone. */
  readonly #isNamed: boolean;
  readonly #expected: EncoderFingerprint | null;
  readonly #dims: number;
  #opened: Promise<Embedder> | null = null;

  /** @throws ERR_ENCODER_MISMATCH, ERR_DIMENSION if the caller's embedder does not fit. */
  constructor(
    given: Embedder | null,
    model: string | null,
    expected: EncoderFingerprint | null,
    dims: number,
  ) {
    this.#given = given;
    this.#model = model ?? expected?.model ?? null;
    this.#isNamed = model !== null;
    this.#expected = expected;
    this.#dims = dims;
    if (given !== null) this.#check(given.fingerprint);
  }

  /** @param what names what is to be embedded, for the error of an index without an encoder. */
  async get(what: string): Promise<Embedder> {
    if (this.#given !== null) return this.#given;
    const model = this.#model;
    if (model === null) {
      throw new CorvidError('ERR_NO_ENCODER', `${what} cannot be embedded: the index has vectors`, {
        hint: 'open the index with the model that made the vectors, or query with a vector or item',
      });
    }
    if (this.#opened === null) {
      this.#opened = this.#open(model);
      // A model that could not be opened may be there at the next query.
      this.#opened.catch(() => {
        this.#opened = null;
      });
    }
    return this.#opened;
  }

  async #open(model: string): Promise<Embedder> {
    // Only a model that the caller names may be downloaded.
    const embedder = await openClip(model, { allowDownload: this.#isNamed });
    try {
      this.#check(embedder.fingerprint);
    } catch (error) {
      await embedder.close();
      throw error;
    }
    return embedder;
  }

  #check(found: EncoderFingerprint): void {
    if (found.dims !== this.#dims) {
      throw new CorvidError('ERR_DIMENSION', `encoder ${found.model} does not fit this index`, {
        expected: `${this.#dims} dimensions`,
        actual: `${found.dims}`,
        hint: 'open the index with the model that it was made with',
      });
    }
    assertSameEncoder(this.#expected, found);
  }

  /** Closes what was opened here; the caller's embedder stays open. */
  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = null;
    await (await opened)?.close();
  }
}
