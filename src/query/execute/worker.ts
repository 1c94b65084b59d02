// The entry of a worker thread: opens the generation that a task names, and runs the task.
//
// Native code maps files once per process, so the handles of a worker cost next to nothing. A worker
// keeps the handles of the generation that it last served.
import { Piscina } from 'piscina';
import {
  closeHandles,
  type Handles,
  type HandlesSource,
  openHandles,
  type PlainError,
  toPlainError,
} from './handles.js';
import { type Results, runTask, type Task } from './tasks.js';

export interface WorkerRequest {
  source: HandlesSource;
  task: Task;
}

export type WorkerResponse = { value: Results[Task['kind']] } | { error: PlainError };

/** The response with the buffers of its arrays moved to the caller, not copied. */
function moved(response: { value: Results[Task['kind']] }): WorkerResponse {
  const { value } = response;
  const parts: unknown[] = ArrayBuffer.isView(value) ? [value] : Object.values(value ?? {});
  const buffers = parts.flatMap((part) => (ArrayBuffer.isView(part) ? [part.buffer] : []));
  // Piscina reads these two properties and hands the caller the response itself.
  return Object.assign(response, {
    [Piscina.transferableSymbol]: [...new Set(buffers)],
    [Piscina.valueSymbol]: response,
  });
}

let held: { generation: number; handles: Handles } | null = null;

export default function work({ source, task }: WorkerRequest): WorkerResponse {
  try {
    if (held?.generation !== source.generation) {
      if (held !== null) closeHandles(held.handles);
      held = null;
      held = { generation: source.generation, handles: openHandles(source) };
    }
    return moved({ value: runTask(held.handles, task) });
  } catch (error) {
    const plain = toPlainError(error);
    if (plain === null) throw error;
    return { error: plain };
  }
}
