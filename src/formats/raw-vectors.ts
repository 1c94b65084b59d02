// The plain formats of vector-search benchmarks.
//
// .fbin .u8bin .i8bin: int32 rows, int32 dims, then the numbers (big-ann-benchmarks.com).
// .fvecs .bvecs: each row is int32 dims, then dims float32 or uint8 (corpus-texmex.irisa.fr).
import { type Element, type FixedLayout, FixedRowFile } from './fixed-rows.js';

const BIN_ELEMENTS: Record<string, Element> = { '.fbin': 'f32', '.u8bin': 'u8', '.i8bin': 'i8' };
const VECS_ELEMENTS: Record<string, Element> = { '.fvecs': 'f32', '.bvecs': 'u8' };

/** Opens a .fbin, .u8bin or .i8bin file. @param extension one of those, with its dot */
export function openBin(path: string, extension: string): Promise<FixedRowFile> {
  const element = BIN_ELEMENTS[extension] as Element;
  return FixedRowFile.open(path, async (file) => {
    const view = new DataView(await file.read(0, 8));
    const rows = view.getUint32(0, true);
    const dims = view.getUint32(4, true);
    return { element, rows, dims, dataOffset: 8, prefixBytes: 0 };
  });
}

/** Opens an .fvecs or .bvecs file. @param extension one of those, with its dot */
export function openVecs(path: string, extension: string): Promise<FixedRowFile> {
  const element = VECS_ELEMENTS[extension] as Element;
  return FixedRowFile.open(path, async (file): Promise<FixedLayout> => {
    const view = new DataView(await file.read(0, 4));
    const dims = view.getInt32(0, true);
    const stride = 4 + dims * (element === 'f32' ? 4 : 1);
    // If the length does not fit, part of a row is left, which the check of the layout reports.
    const rows = dims > 0 ? Math.ceil(file.bytes / stride) : 0;
    return { element, rows: Math.max(rows, 1), dims, dataOffset: 0, prefixBytes: 4 };
  });
}
