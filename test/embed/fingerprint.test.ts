// An index accepts the encoder that it was built with, and no other.
import t from 'tap';
import { assertSameEncoder } from '../../src/embed/fingerprint.js';

const stored = {
  id: 'a'.repeat(64),
  model: 'clip-nano',
  dims: 512,
  weightsSha256: null,
  preprocessing: 'squeezed to 4 x 4',
};

t.test('the same fingerprint passes, under any name', async (t) => {
  t.doesNotThrow(() => assertSameEncoder(stored, { ...stored, model: '/a/copy/of/clip-nano' }));
  t.doesNotThrow(() => assertSameEncoder(null, stored), 'an index of bare vectors fits any');
});

t.test('another one is refused, and both are named', async (t) => {
  const other = { ...stored, id: 'b'.repeat(64) };
  t.throws(() => assertSameEncoder(stored, other), {
    code: 'ERR_ENCODER_MISMATCH',
    expected: 'clip-nano [aaaaaaaaaaaa, 512 dimensions]',
    actual: 'clip-nano [bbbbbbbbbbbb, 512 dimensions]',
  });
});
