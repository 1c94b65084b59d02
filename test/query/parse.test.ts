// The query syntax: what is an operator, and what is text.
import t from 'tap';
import { CorvidError } from '../../src/errors.js';
import { parseQuery } from '../../src/query/compose/parse.js';

const cases: [line: string, parts: [text: string, weight: number][]][] = [
  ['red apples', [['red apples', 1]]],
  ['  red   apples ', [['red apples', 1]]],
  [
    'a dog on a beach - people',
    [
      ['a dog on a beach', 1],
      ['people', -1],
    ],
  ],
  [
    'a dog −people',
    [
      ['a dog', 1],
      ['people', -1],
    ],
  ],
  [
    'a dog -people',
    [
      ['a dog', 1],
      ['people', -1],
    ],
  ],
  [
    'red apples + basket',
    [
      ['red apples', 1],
      ['basket', 1],
    ],
  ],
  [
    'a + b - c + d',
    [
      ['a', 1],
      ['b', 1],
      ['c', -1],
      ['d', 1],
    ],
  ],
  ['t-shirt', [['t-shirt', 1]]],
  [
    'a t-shirt - well-known logo',
    [
      ['a t-shirt', 1],
      ['well-known logo', -1],
    ],
  ],
  ['rock+roll', [['rock+roll', 1]]],
  ['C++ book', [['C++ book', 1]]],
  ['- people', [['people', -1]]],
  ['0.5*sunset', [['sunset', 0.5]]],
  [
    '2 * sunset + .25*sea - 0.5 * people',
    [
      ['sunset', 2],
      ['sea', 0.25],
      ['people', -0.5],
    ],
  ],
  [
    '-0.5*people + dog',
    [
      ['people', -0.5],
      ['dog', 1],
    ],
  ],
  [
    '"rock + roll" - "t - shirt"',
    [
      ['rock + roll', 1],
      ['t - shirt', -1],
    ],
  ],
  ['a "red - hot" stove', [['a red - hot stove', 1]]],
  ['"0.5*literal"', [['0.5*literal', 1]]],
  ['2*"a + b"', [['a + b', 2]]],
  ['3 dogs', [['3 dogs', 1]]],
  ['a -- b', [['a -- b', 1]]],
  [
    'un chien à la plage - été',
    [
      ['un chien à la plage', 1],
      ['été', -1],
    ],
  ],
];

t.test('lines become weighted texts', async (t) => {
  for (const [line, parts] of cases) {
    const expected = parts.map(([text, weight]) => ({ text, weight }));
    t.strictSame(parseQuery(line), expected, line);
  }
});

t.test('an invalid line is refused with a hint', async (t) => {
  for (const line of [
    '',
    '   ',
    'dog -',
    'dog + - cat',
    '+',
    '"dog',
    'a "b',
    '0*dog',
    '2*',
    '""',
  ]) {
    try {
      parseQuery(line);
      t.fail(`${JSON.stringify(line)} was accepted`);
    } catch (error) {
      t.ok(error instanceof CorvidError && error.code === 'ERR_QUERY' && error.hint, line);
    }
  }
});
