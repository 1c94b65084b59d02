// NumPy's .npy: a 2-d array in C order of f16, f32, u8 or i8.
//
// The header is a Python literal of a few dozen bytes. It is matched by patterns, never evaluated,
// and bounded; layout per https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
import { CorvidError } from '../errors.js';
import { type Element, type FixedLayout, FixedRowFile } from './fixed-rows.js';
import type { LazyFile } from './lazy-file.js';

const MAGIC = '\x93NUMPY';
/** NumPy's own headers are below 200 bytes; its reader refuses more than 10,000 characters. */
const MAX_HEADER_BYTES = 10_000;

const ELEMENTS: Record<string, Element> = { '<f4': 'f32', '<f2': 'f16', '|u1': 'u8', '|i1': 'i8' };

/** Opens an .npy file of rows x dims numbers. */
export function openNpy(path: string): Promise<FixedRowFile> {
  return FixedRowFile.open(path, parseNpyHeader);
}

/** The first bytes of an .npy file of `rows` x `dims` numbers, 128 of them whatever the shape. */
export function npyHeader(element: Element, rows: number, dims: number): Buffer {
  const descr = Object.keys(ELEMENTS).find((name) => ELEMENTS[name] === element);
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${rows}, ${dims}), }`;
  return Buffer.from(`${MAGIC}\x01\x00\x76\x00${text.padEnd(117)}\n`, 'latin1');
}

async function parseNpyHeader(file: LazyFile): Promise<FixedLayout> {
  const { path } = file;
  const { text, dataOffset } = await readHeader(file);
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const shape = /'shape'\s*:\s*\(([^)]*)\)/.exec(text)?.[1];
  if (descr === undefined || order === undefined || shape === undefined) {
    throw invalid(path, 'the header cannot be understood', {
      expected: 'descr, fortran_order and shape',
      actual: JSON.stringify(text.slice(0, 120)),
    });
  }
  const element = ELEMENTS[descr];
  if (element === undefined) {
    throw invalid(path, 'numbers of a type that corvid does not read', {
      expected: Object.keys(ELEMENTS).join(', '),
      actual: descr,
      hint: "convert it with NumPy: x.astype('<f4')",
    });
  }
  if (order === 'True') {
    throw invalid(path, 'the array is in Fortran order', {
      expected: 'C order',
      actual: 'fortran_order: True',
      hint: 'convert it with NumPy: numpy.ascontiguousarray(x)',
    });
  }
  const [rows, dims] = parseShape(path, shape);
  return { element, rows, dims, dataOffset, prefixBytes: 0 };
}

async function readHeader(file: LazyFile): Promise<{ text: string; dataOffset: number }> {
  const { path, bytes: fileBytes } = file;
  const start = await file.read(0, Math.min(12, fileBytes));
  const magic = Buffer.from(start).toString('latin1', 0, 6);
  if (magic !== MAGIC || fileBytes < 12) {
    throw invalid(path, 'not an .npy file', {
      expected: 'the first bytes "\\x93NUMPY"',
      actual: JSON.stringify(magic),
    });
  }
  const view = new DataView(start);
  const version = view.getUint8(6);
  if (version < 1 || version > 3) {
    throw invalid(path, 'an .npy version that corvid does not read', {
      expected: '1, 2 or 3',
      actual: `${version}`,
    });
  }
  const headerStart = version === 1 ? 10 : 12;
  const headerBytes = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (headerBytes > MAX_HEADER_BYTES || headerStart + headerBytes > fileBytes) {
    throw invalid(path, 'the header is longer than it can be', {
      expected: `at most ${Math.min(MAX_HEADER_BYTES, fileBytes - headerStart)} bytes`,
      actual: `${headerBytes}`,
    });
  }
  const header = await file.read(headerStart, headerBytes);
  const text = Buffer.from(header).toString(version === 3 ? 'utf8' : 'latin1');
  return { text, dataOffset: headerStart + headerBytes };
}

function parseShape(path: string, shape: string): [rows: number, dims: number] {
  const parts = shape.split(',').map((part) => part.trim());
  if (parts.at(-1) === '') parts.pop();
  const numbers = parts.map((part) => (/^\d{1,15}$/.test(part) ? Number(part) : Number.NaN));
  const [rows, dims] = numbers;
  if (
    numbers.length !== 2 ||
    rows === undefined ||
    dims === undefined ||
    numbers.includes(Number.NaN)
  ) {
    throw invalid(path, 'the array does not have two dimensions', {
      expected: 'shape (rows, dims)',
      actual: `(${shape.slice(0, 60)})`,
    });
  }
  return [rows, dims];
}

function invalid(
  path: string,
  what: string,
  details: { expected?: string; actual?: string; hint?: string },
): CorvidError {
  return new CorvidError('ERR_SOURCE_INVALID', what, { path, ...details });
}
