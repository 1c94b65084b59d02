// The text network with its tokenizer, in a child process of its own.
import type { PreTrainedTokenizer } from '@xenova/transformers';
import { serve } from './child.js';
import { type Network, openNetwork } from './network.js';

export interface TextTask {
  /** Folder that holds the model's folder, and the name of that. */
  root: string;
  name: string;
  weightsPath: string;
  threads: number;
  texts: readonly string[];
}

/** Loaded for the first text, and kept: a process serves one model all its life. */
let tower: Promise<{ tokenize: PreTrainedTokenizer; network: Network }> | undefined;

/** @returns texts.length embeddings as the network gives them, side by side */
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
  // Imported here, so that a failure is that of the task and not of the process.
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
