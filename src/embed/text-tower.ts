// Child process that runs the text network and its tokenizer.
import type { PreTrainedTokenizer } from '@xenova/transformers';
import { serve } from './child.js';
import { type Network, openNetwork } from './network.js';

export interface TextTask {
  /** Parent of the model's folder, and the folder's name. */
  root: string;
  name: string;
  weightsPath: string;
  threads: number;
  texts: readonly string[];
}

/** Loaded for the first text, then kept: a process serves a single model. */
let tower: Promise<{ tokenize: PreTrainedTokenizer; network: Network }> | undefined;

/** @returns texts.length embeddings as the network outputs them, concatenated */
async function embedTexts(task: TextTask): Promise<Float32Array> {
  tower ??= open(task);
  const { tokenize, network } = await tower;
  const rows: Float32Array[] = [];
  for (const text of task.texts) {
    const { input_ids, attention_mask } = await tokenize(text, { truncation: true });
    const inputs = { input_ids: integers(input_ids), attention_mask: integers(attention_mask) };
    rows.push(await network.run(inputs, 'text_embeds'));
  }
  const dims = rows[0]?.length ?? 0;
  const all = new Float32Array(rows.length * dims);
  rows.forEach((row, i) => {
    all.set(row, i * dims);
  });
  return all;
}

function integers({ data, dims }: { data: BigInt64Array; dims: number[] }) {
  return { type: 'int64', data, shape: dims } as const;
}

async function open({ root, name, weightsPath, threads }: TextTask) {
  // Imported here, so that a failure rejects the task instead of ending the process.
  const { AutoTokenizer, env } = await import('@xenova/transformers');
  env.localModelPath = root;
  env.allowLocalModels = true;
  env.allowRemoteModels = false;
  const [tokenize, network] = await Promise.all([
    AutoTokenizer.from_pretrained(name),
    openNetwork(weightsPath, threads),
  ]);
  return { tokenize, network };
}

serve(embedTexts);
