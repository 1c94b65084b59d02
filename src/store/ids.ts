// The two kinds of numbers that must never be mixed: where a row lies, and which item it is.

declare const kind: unique symbol;

/** Positions in one segment, from 0. Meaningless outside of it, and after it is rewritten. */
export type RowIndexes = Float64Array & { readonly [kind]: 'RowIndexes' };

/** The caller's stable numbers of items: safe integers from 0, never given twice in an index. */
export type ItemIds = Float64Array & { readonly [kind]: 'ItemIds' };

export const rowIndexes = (numbers: ArrayLike<number>): RowIndexes =>
  (numbers instanceof Float64Array ? numbers : Float64Array.from(numbers)) as RowIndexes;

export const itemIds = (numbers: ArrayLike<number>): ItemIds =>
  (numbers instanceof Float64Array ? numbers : Float64Array.from(numbers)) as ItemIds;
