// Loads and runs one network: the only file that imports onnxruntime. Used only in child processes: a
// run blocks its thread, and child-pool.ts says why it cannot be a worker thread.
//
// A run embeds one image or one text. Batches gain next to nothing on a CPU, and with dynamically
// quantized weights an embedding would depend on the others in its batch; alone, it depends on its
// input and nothing else.
import type { InferenceSession, Tensor } from 'onnxruntime-node';

type Runtime = typeof import('onnxruntime-node');

/** One input of a network: values and their shape. */
export type NetworkInput =
  | { type: 'float32'; data: Float32Array; shape: readonly number[] }
  | { type: 'int64'; data: BigInt64Array; shape: readonly number[] };

/** Loads a network. @param threads threads per run; 1 starts no pool that spins while idle */
export async function openNetwork(weightsPath: string, threads: number): Promise<Network> {
  // Imported here, so that a failure rejects the task instead of ending the process.
  const { default: runtime } = (await import('onnxruntime-node')) as unknown as {
    default: Runtime;
  };
  const session = await runtime.InferenceSession.create(weightsPath, {
    executionProviders: ['cpu'],
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Its warnings are about how the file was exported; a user cannot act on them.
    logSeverityLevel: 3,
  });
  return new Network(runtime, session);
}

export class Network {
  readonly #runtime: Runtime;
  readonly #session: InferenceSession;

  constructor(runtime: Runtime, session: InferenceSession) {
    this.#runtime = runtime;
    this.#session = session;
  }

  /**
   * Runs the network on those of `inputs` that it takes (some text networks take no mask).
   * @returns the values of `output`, in a copy that the caller owns
   */
  async run(inputs: Readonly<Record<string, NetworkInput>>, output: string): Promise<Float32Array> {
    const { inputNames, outputNames } = this.#session;
    if (!outputNames.includes(output)) {
      throw new Error(`the network has no output "${output}", only ${outputNames.join(', ')}`);
    }
    const feeds: Record<string, Tensor> = {};
    for (const name of inputNames) {
      const input = inputs[name];
      if (input === undefined) throw new Error(`the network needs an input "${name}"`);
      const { type, data, shape } = input;
      feeds[name] =
        type === 'float32'
          ? new this.#runtime.Tensor(type, data, shape)
          : new this.#runtime.Tensor(type, data, shape);
    }
    const results = await this.#session.run(feeds, [output]);
    const { data } = results[output] as Tensor;
    return (data as Float32Array).slice();
  }
}
