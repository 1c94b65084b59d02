// Lets a source read ahead while the consumer works on an earlier value.

/**
 * The values of `source` in order, with up to `depth` of them fetched before they are asked for.
 * The source is closed when the consumer stops early; an error comes where it happened.
 */
export async function* readAhead<T>(source: AsyncIterable<T>, depth: number): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  const waiting: Promise<IteratorResult<T>>[] = [];
  let ended = false;
  const fetch = () => {
    // Chained, since a generator that is asked twice at once would answer in order anyway.
    const next = iterator.next();
    // Marks a failure as seen: it is thrown when its turn comes, or dropped with the rest.
    next.catch(() => {});
    waiting.push(next);
  };
  try {
    while (!ended) {
      while (waiting.length <= depth) fetch();
      const result = await waiting.shift();
      if (result === undefined || result.done === true) ended = true;
      else yield result.value;
    }
  } finally {
    await Promise.allSettled(waiting);
    if (!ended) await iterator.return?.();
  }
}
