// The recall card: what each effort costs and finds in this index, measured when it was built.
//
// It holds for images: what is asked by text lies outside of what it was measured with, and a filter
// changes what there is to find.

/** Mean share of the true 10 or 100 nearest among the first 10 or 100 hits. */
export interface Recall {
  at10: number;
  at100: number;
}

/** One effort of a recall card. */
export interface RecallStep {
  effort: number;
  /** Means over the queries. */
  probedLists: number;
  scannedRows: number;
  /** By what scores the hits at last: bits of the code, or `vectors`. */
  recall: Record<string, Recall>;
}

/** What each effort finds and how much it scans, as measured on the index. */
export interface RecallCard {
  /** Rows of the collection when it was measured. */
  rows: number;
  queries: number;
  /** By effort ascending, from 0 to 1. */
  steps: RecallStep[];
}

/** Up to so many hits, recall is that of the first ten. */
const FEW_HITS = 30;

/** What the card says of an effort; null where it says nothing of such a last step. */
export function recallAt(
  { steps }: RecallCard,
  effort: number,
  last: string,
  hits: number,
): number | null {
  const known = steps.flatMap((step) => {
    const recall = step.recall[last];
    return recall === undefined ? [] : [{ effort: step.effort, recall: pick(recall, hits) }];
  });
  const after = known.find((step) => step.effort >= effort);
  if (after === undefined) return null;
  const before = known.filter((step) => step.effort <= effort).at(-1);
  if (before === undefined || before.effort === after.effort) return after.recall;
  const share = (effort - before.effort) / (after.effort - before.effort);
  return before.recall + share * (after.recall - before.recall);
}

/** The least effort that finds `recall`; 1 if none does. */
export function effortFor(card: RecallCard, recall: number, last: string, hits: number): number {
  let before = { effort: 0, recall: 0 };
  for (const { effort, recall: all } of card.steps) {
    const measured = all[last];
    if (measured === undefined) continue;
    const found = pick(measured, hits);
    if (found >= recall) {
      const rise = found - before.recall;
      const share = rise > 0 ? (recall - before.recall) / rise : 1;
      return before.effort + share * (effort - before.effort);
    }
    before = { effort, recall: found };
  }
  return 1;
}

function pick({ at10, at100 }: Recall, hits: number): number {
  return hits <= FEW_HITS ? at10 : at100;
}

/** The card as the catalog has it, or null for none; one that is damaged counts as none. */
export function readCard(value: unknown): RecallCard | null {
  const card = value as RecallCard | null;
  const whole =
    card !== null &&
    typeof card === 'object' &&
    Array.isArray(card.steps) &&
    card.steps.every(({ effort, recall }) => Number.isFinite(effort) && recall instanceof Object);
  return whole ? card : null;
}
