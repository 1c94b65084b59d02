// The result of the peers bench, as its record holds it.
import type { RunnerLine } from './runner.js';

export interface PeerPoint extends Omit<RunnerLine, 'answers'> {
  recall10: number;
  recall100: number;
}

export interface PeerResult {
  name: string;
  /** Why it could not be run; null if it was. */
  failure: string | null;
  points: PeerPoint[];
}

export interface PeersBench {
  train: number;
  base: number;
  queries: number;
  threads: number;
  peers: PeerResult[];
}
