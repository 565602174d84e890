/** The grammar of conditions and worked-out values, against a plain evaluator of fractions. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { DialogueContext } from '../../../machines/dialogue.ts'
import { compileCondition, Slip } from '../../../src/flow/expression/condition.ts'
import { EXPRESSION_CHARS_MAX, EXPRESSION_DEEP_MAX, readExpression } from '../../../src/flow/expression/expression.ts'
import { compileValue, Unfit } from '../../../src/flow/expression/value.ts'
import type { Json } from '../../../src/ussd/vocabulary.ts'

const rows = [
  { name: 'Rice', price: 0.1 },
  { name: 'Tea', price: '0.2' },
  { name: 'Salt', price: 3 },
]
const data: Json = {
  a: 2,
  b: 0.5,
  zero: 0,
  text: ' Mary ',
  amount: '12.50',
  day: '2025-05-12',
  none: [],
  rows,
  long: Array.from({ length: 100 }, () => ({ price: 1 })),
}
const scope = (more: object = {}) => ({
  context: {
    data: { x: data },
    answers: {},
    vars: {},
    chosen: {},
    msisdn: '67570000001',
    now: '2025-05-08T20:00:00Z',
    ...more,
  } as unknown as DialogueContext,
})
const worth = (source: string, more?: object) =>
  compileValue(`= ${source}`, { name: 'main', zone: 'Pacific/Port_Moresby' })(scope(more))
const slipIn = (source: string) => {
  const slip = readExpression(source)
  return slip instanceof Slip ? [slip.at, slip.what, slip.remedy ?? ''] : 'good'
}

describe('a value that is worked out', () => {
  const ROWS: [source: string, worth: Json][] = [
    ['0.1 + 0.2', 0.3],
    ['1.1 * 1.1', 1.21],
    ['100 * 1.1', 110],
    ['1 - 0.9', 0.1],
    ['10 / 4', 2.5],
    ['1 / 3', 0.3333333333],
    ['2 / 3', 0.6666666667],
    ['-2 / 3', -0.6666666667],
    ['1 + 2 * 3', 7],
    ['(1 + 2) * 3', 9],
    ['7 - 2 - 1', 4],
    ['8 / 2 / 2', 2],
    ['-(1 + 2)', -3],
    ['- 5 + 1', -4],
    ['2 * -3', -6],
    ['data.x.a*2', 4],
    ['{data.x.a} + 1', 3],
    ['data.x.amount * 2', 25],
    ['number(data.x.amount) + 0.5', 13],
    ['0.0000000001 + 0', 1e-10],
    ['0.00000000004 + 0', 0],
    ['0.00000000005 + 0', 1e-10],
    ['999999999999999 - 1', 999999999999998],
    ['round(2.5)', 3],
    ['round(-2.5)', -3],
    ['round(1.005, 2)', 1.01],
    ['round(1.004, 2)', 1],
    ['floor(1.99)', 1],
    ['floor(-1.01)', -2],
    ['floor(1.99, 1)', 1.9],
    ['ceil(1.01)', 2],
    ['ceil(-1.99)', -1],
    ['ceil(2)', 2],
    ['min(3, 1, 2)', 1],
    ['max(3, 1, 2)', 3],
    ['max(0.1 + 0.2, 0.3)', 0.3],
    ['length(data.x.rows)', 3],
    ['length(data.x.none)', 0],
    ['length(data.x.missing)', 0],
    ["length('Laé')", 3],
    ['data.x.rows.count + 1', 4],
    ["sum(data.x.rows, 'price')", 3.3],
    ["sum(data.x.none, 'price')", 0],
    ["join(data.x.rows, 'name', ', ')", 'Rice, Tea, Salt'],
    ["join(data.x.none, 'name', ', ')", ''],
    ["first(data.x.rows, 'name')", 'Rice'],
    ["last(data.x.rows, 'price') + 1", 4],
    ["first(data.x.none, 'name')", null],
    ['first(data.x.rows)', rows[0] as Json],
    ["concat('K', data.x.b, ' ', trim(data.x.text), data.x.missing)", 'K0.5 Mary'],
    ["concat('K', 0.1 + 0.2)", 'K0.3'],
    ['upper(data.x.text)', ' MARY '],
    ["lower('ÀB')", 'àb'],
    ["upper('straße')", 'STRAßE'],
    ["trim('  a b ')", 'a b'],
    ['upper(data.x.missing)', ''],
    ['today()', '2025-05-09'],
    ['days(today(), data.x.day)', 3],
    ["days('2025-03-01', '2024-03-01')", -365],
    ["days('2025-05-08T20:00:00Z', '2025-05-09')", 0],
    ['data.x.a > 1', true],
    ['data.x.a + 1 == 3', true],
    ['0.1 + 0.2 == 0.3', true],
    ['not data.x.a > 1', false],
    ["'=x'", '=x'],
    ['data.x.missing', null],
    ['true', true],
    ['data.x.a > 1 and data.x.b > 1', false],
    ['data.x.a > 1 or data.x.b > 1', true],
    ['data.x.b > 1 and data.x.a > 1 or data.x.a == 2', true],
    ['data.x.a / data.x.zero == 1', false],
    ['data.x.a / data.x.zero != 1', true],
    ['data.x.a in [data.x.b, 1 + 1]', true],
  ]
  for (const [source, expected] of ROWS)
    it(`${source} is ${JSON.stringify(expected)}`, () => assert.deepEqual(worth(source), expected))

  const NONE: [source: string, why: RegExp][] = [
    ['data.x.a / data.x.zero', /division by zero/],
    ['1 / (0.1 + 0.2 - 0.3)', /division by zero/],
    ['data.x.missing + 1', /a number is missing/],
    ['data.x.text * 2', /a value is not a number/],
    ['data.x.rows + 1', /a value is not a number/],
    ['999999999999999 + 1', /too many digits/],
    ['999999999 * 9999999', /too many digits/],
    ['days(today(), data.x.text)', /a value is not a date/],
    ['days(today(), data.x.missing)', /a date is missing/],
    ["sum(data.x.rows, 'name')", /a value is not a number/],
    ["sum(data.x.rows, 'none')", /a number is missing/],
    ["sum(data.x.long, 'price')", /100 rows or more/],
    ["last(data.x.long, 'price')", /100 rows or more/],
    ["concat('a', 1 / data.x.zero)", /division by zero/],
    ["number('0x10')", /not a number/],
    ["number('')", /not a number/],
  ]
  for (const [source, why] of NONE) {
    it(`${source} cannot be computed`, () =>
      assert.throws(
        () => worth(source),
        (error) => error instanceof Unfit && why.test(error.message) && /'main'/.test(error.message),
      ))
  }

  it('of which no day is known has none', () =>
    assert.throws(() => worth('today()', { now: undefined }), /a date is missing/))
})

describe('an expression that is none', () => {
  const ROWS: [source: string, at: number, what: RegExp, remedy: RegExp][] = [
    ['', 0, /a value is missing at the end/, /^$/],
    ['1 +', 3, /a value is missing at the end/, /^$/],
    ['1 + * 2', 4, /expected a value, found '\*'/, /^$/],
    ['(1 + 2', 6, /'\)' is missing at the end/, /^$/],
    ['1 2', 2, /unexpected '2'/, /blank on each side/],
    ['data.x.a -1', 9, /unexpected '-1'/, /blank on each side/],
    ['amount * 2', 0, /'amount' is not a path/, /quotes/],
    ["upper('a", 6, /''a' is not a value/, /close the quote/],
    ['data.x.a % 2', 9, /'%' is not a value/, /quotes/],
    ['rond(1.5)', 0, /there is no function 'rond'/, /did you mean 'round'/],
    ['constructor(1)', 0, /there is no function/, /there are/],
    ['min(1)', 0, /min does not take 1 value/, /min\(number, number/],
    ['round(1, 2, 3)', 0, /round does not take 3 values/, /round\(number/],
    ['round(1, 2.5)', 9, /the decimals must be a whole number/, /round/],
    ['sum(data.x.rows, data.x.a)', 17, /write the field as a name in quotes/, /sum/],
    ['1 == 2 == 3', 7, /unexpected '=='/, /blank/],
    ['data.x in 3', 10, /expected '\[', found '3'/, /^$/],
    ['data.x in []', 11, /expected a value, found/, /^$/],
    ['data.x.a; drop', 8, /';' is not a value/, /quotes/],
    ['{data.x', 0, /is not a value/, /quotes/],
  ]
  for (const [source, at, what, remedy] of ROWS) {
    it(`'${source}' says what, where and what to do`, () => {
      const slip = slipIn(source) as [number, string, string]
      assert.notEqual(slip as unknown, 'good')
      assert.equal(slip[0], at, slip[1])
      assert.match(slip[1], what)
      assert.match(slip[2], remedy)
    })
  }

  it('has a length and a depth, each told with its number', () => {
    const deep = (n: number) => `${'('.repeat(n)}1${')'.repeat(n)}`
    assert.equal(slipIn(deep(EXPRESSION_DEEP_MAX)), 'good')
    for (const source of [
      deep(EXPRESSION_DEEP_MAX + 1),
      `${'-'.repeat(1)} ${'- '.repeat(30)}1`,
      `${'not '.repeat(30)}true`,
      `${'trim('.repeat(30)}'a'${')'.repeat(30)}`,
    ]) {
      assert.match(String(slipIn(source)), /more than 20 deep/)
    }
    assert.equal(slipIn(`1${' + 1'.repeat((EXPRESSION_CHARS_MAX - 1) / 4)}`), 'good')
    assert.match(String(slipIn(`1${' + 1'.repeat(EXPRESSION_CHARS_MAX / 4)}`)), /longer than 500 characters/)
  })

  it('is told of any text whatever, without throwing', () => {
    const sign = fc.constantFrom(
      'data.x',
      '1',
      "'a'",
      '(',
      ')',
      '+',
      '-',
      '*',
      '/',
      '==',
      '<',
      'in',
      '[',
      ']',
      ',',
      'not',
      'and',
      'or',
      'sum(',
      'round(',
      '{',
      '}',
      ' ',
      'x',
      '"',
      '=',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ maxLength: 40 }),
          fc.array(sign, { maxLength: 25 }).map((signs) => signs.join(' ')),
        ),
        (source) => {
          const slip = readExpression(source)
          if (slip instanceof Slip) assert.ok(slip.at >= 0 && slip.at <= source.length, `${slip.at} in ${source}`)
          const condition = compileCondition(source)
          if (!(condition instanceof Slip)) assert.equal(typeof condition.holds(scope()), 'boolean')
        },
      ),
      { numRuns: 2000 },
    )
  })
})

/** The plain evaluator: fractions, rounded at the tenth decimal after each step as is written on the page. */
type Fraction = readonly [bigint, bigint]
type Tree =
  | { value: number }
  | { path: 'a' | 'b' | 'zero' }
  | { op: '+' | '-' | '*' | '/'; left: Tree; right: Tree }
  | { minus: Tree }
const UNIT = 10n ** 10n
const tenth = ([n, d]: Fraction): Fraction => {
  const [over, under] = d < 0n ? [-n, -d] : [n, d]
  const size = ((over < 0n ? -over : over) * UNIT * 2n + under) / (2n * under)
  return [over < 0n ? -size : size, UNIT]
}
const fraction = (value: number): Fraction => [BigInt(Math.round(value * 100)), 100n]
function plain(tree: Tree): Fraction | undefined {
  if ('value' in tree) return fraction(tree.value)
  if ('path' in tree) return fraction((data as Record<string, number>)[tree.path] as number)
  if ('minus' in tree) {
    const of = plain(tree.minus)
    return of && [-of[0], of[1]]
  }
  const [left, right] = [plain(tree.left), plain(tree.right)]
  if (!left || !right || (tree.op === '/' && right[0] === 0n)) return undefined
  const [[a, b], [c, d]] = [left, right]
  const made: Record<string, Fraction> = {
    '+': [a * d + c * b, b * d],
    '-': [a * d - c * b, b * d],
    '*': [a * c, b * d],
    '/': [a * d, b * c],
  }
  const [n, under] = tenth(made[tree.op] as Fraction)
  return (n < 0n ? -n : n) >= under * 10n ** 15n ? undefined : [n, under]
}
/** With the fewest parentheses: what is without must be read by rank, and from left to right. */
function written(tree: Tree, rank = 0): string {
  if ('value' in tree) return tree.value < 0 ? `(${tree.value})` : String(tree.value)
  if ('path' in tree) return `data.x.${tree.path}`
  if ('minus' in tree) return `-${written(tree.minus, 3).replace(/^(?=[\w-])/, ' ')}`
  const own = tree.op === '+' || tree.op === '-' ? 1 : 2
  const text = `${written(tree.left, own)} ${tree.op} ${written(tree.right, own + 1)}`
  return own < rank ? `(${text})` : text
}
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.integer({ min: -100_000, max: 100_000 }).map((cents): Tree => ({ value: cents / 100 })),
    fc.constantFrom('a' as const, 'b' as const, 'zero' as const).map((path): Tree => ({ path })),
    fc.record({
      op: fc.constantFrom('+' as const, '-' as const, '*' as const, '/' as const),
      left: tie('tree'),
      right: tie('tree'),
    }),
    tie('tree').map((of): Tree => ({ minus: of })),
  ),
}))

describe('any arithmetic', () => {
  it('comes out as with fractions, or is refused where they have none', () => {
    let worked = 0
    fc.assert(
      fc.property(tree, (one) => {
        const source = written(one)
        fc.pre(!(readExpression(source) instanceof Slip))
        const expected = plain(one)
        if (!expected) return assert.throws(() => worth(source), Unfit, source)
        worked++
        assert.equal(worth(source), Number(decimal(expected)) + 0, source)
      }),
      { numRuns: 2000 },
    )
    assert.ok(worked > 500, `${worked} were worked out`)
  })

  it('compares as fractions do', () => {
    fc.assert(
      fc.property(tree, tree, fc.constantFrom('<', '<=', '>', '>=', '==', '!='), (one, other, op) => {
        const source = `${written(one)} ${op} ${written(other)}`
        fc.pre(!(readExpression(source) instanceof Slip))
        const [left, right] = [plain(one), plain(other)]
        const [l, r] = [left && Number(decimal(left)), right && Number(decimal(right))]
        const holds =
          l === undefined || r === undefined
            ? op === '!='
              ? l !== r
              : op === '==' && l === r
            : { '<': l < r, '<=': l <= r, '>': l > r, '>=': l >= r, '==': l === r, '!=': l !== r }[op]
        assert.equal(worth(source), holds, source)
      }),
      { numRuns: 1000 },
    )
  })

  it('of money adds up to the toea in whatever order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 99 }), (toea) => {
        const price = toea.map((each) => ({ price: each / 100 }))
        const context = { data: { x: { rows: price } } }
        const sum = toea.reduce((all, each) => all + each, 0)
        assert.equal(worth("sum(data.x.rows, 'price') * 100", context), sum)
        assert.equal(worth("sum(data.x.rows, 'price')", { data: { x: { rows: price.toReversed() } } }), sum / 100)
      }),
      { numRuns: 200 },
    )
  })
})

function decimal([n, d]: Fraction): string {
  const size = ((n < 0n ? -n : n) * UNIT) / d
  return `${n < 0n ? '-' : ''}${size / UNIT}.${String(size % UNIT).padStart(10, '0')}`
}
