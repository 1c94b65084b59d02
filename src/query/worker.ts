// The entry of a worker thread: opens the generation that a task names, and performs the task.
//
// Native code maps files once per process, so a worker's own handles cost next to nothing. A worker
// keeps the handles of the generation that it last served.
import {
  closeHandles,
  type HandlesSource,
  openHandles,
  type PlainError,
  toPlainError,
} from './handles.js';
import type { Handles } from './stages.js';
import { perform, type Results, type Task } from './work.js';

export interface WorkerRequest {
  source: HandlesSource;
  task: Task;
}

export type WorkerResponse = { value: Results[Task['kind']] } | { error: PlainError };

let held: { generation: number; handles: Handles } | null = null;

export default function work({ source, task }: WorkerRequest): WorkerResponse {
  try {
    if (held?.generation !== source.generation) {
      if (held !== null) closeHandles(held.handles);
      held = null;
      held = { generation: source.generation, handles: openHandles(source) };
    }
    return { value: perform(held.handles, task) };
  } catch (error) {
    const plain = toPlainError(error);
    if (plain === null) throw error;
    return { error: plain };
  }
}
