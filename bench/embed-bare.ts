// The baseline of bench embed: bare onnxruntime in a separate process. One session with its default
// options (all cores), batches of ready-made pixels, nothing else.
import { serve } from '../src/embed/child.js';

export interface BareTask {
  weightsPath: string;
  size: number;
  /** Images in one run, and runs. */
  batch: number;
  runs: number;
}

type Runtime = typeof import('onnxruntime-node');
type Session = Awaited<ReturnType<Runtime['InferenceSession']['create']>>;

let session: Session | undefined;

/** @returns milliseconds per image */
async function measure({ weightsPath, size, batch, runs }: BareTask): Promise<number> {
  const { default: onnx } = (await import('onnxruntime-node')) as unknown as { default: Runtime };
  session ??= await onnx.InferenceSession.create(weightsPath);
  const values = Float32Array.from({ length: batch * 3 * size * size }, (_, i) => Math.sin(i));
  const input = new onnx.Tensor('float32', values, [batch, 3, size, size]);
  const start = performance.now();
  for (let run = 0; run < runs; run++) await session.run({ pixel_values: input });
  return (performance.now() - start) / (batch * runs);
}

// bench/main.ts imports every file of this folder to list the benches: serve in a child process only.
if (process.send !== undefined) serve(measure);
