// A signal as threads see it: a shared number that becomes 1 when the signal fires.

export async function withCancel<T>(
  signal: AbortSignal | undefined,
  work: (cancel: Int32Array) => Promise<T>,
): Promise<T> {
  const cancel = new Int32Array(new SharedArrayBuffer(4));
  const stop = () => Atomics.store(cancel, 0, 1);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    return await work(cancel);
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
