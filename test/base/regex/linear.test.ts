import assert from 'node:assert/strict'
import fc from 'fast-check'
import { compilePattern, longestOf } from '../../../src/flow/expression/pattern.ts'
import { exampleOf } from '../../../src/flow/expression/pattern-sample.ts'
import { compileLinear, PROGRAM_MAX, type Linear } from '../../../src/base/regex/linear.ts'
import { readRegex, type Limits } from '../../../src/base/regex/read.ts'
import { matcher, regexFault } from '../../../src/smpp/dialect/regex.ts'

const WIDE: Limits = { lengthMax: 200, repeatMax: 200, repeatsMax: 99, rangeWidth: 10, named: true }

function linear(source: string, where: 'whole' | 'anywhere'): Linear | undefined {
  const read = readRegex(source, WIDE)
  const compiled = typeof read === 'string' ? read : compileLinear(read, where)
  return typeof compiled === 'string' ? undefined : compiled
}

/** What `RegExp.exec` gives, without what only it has. */
const groupsOf = (found: readonly (string | undefined)[] | null) => found && [...found]

const SIGNS = [
  'a',
  'b',
  'z',
  'A',
  '1',
  '9',
  '٣',
  '_',
  ' ',
  '\u00a0',
  '\u2003',
  '\ufeff',
  '\u0085',
  '\n',
  '\r',
  '\u2028',
  '\t',
  '-',
  '.',
  '*',
  '#',
  'é',
  'ß',
  'K',
  '😀',
  'ệ',
]
const text = fc.string({ unit: fc.constantFrom(...SIGNS), maxLength: 10 })
const literal = fc.constantFrom(
  'a',
  'b',
  'A',
  '1',
  '\\.',
  '\\*',
  '#',
  '\\n',
  '\\u00e9',
  '\\u{1f600}',
  '\\x41',
  '\\t',
  '\\/',
  '_',
)
const shorthand = fc.constantFrom(
  '\\d',
  '\\D',
  '\\w',
  '\\W',
  '\\s',
  '\\S',
  '\\p{L}',
  '\\P{L}',
  '\\p{Lu}',
  '\\p{Decimal_Number}',
  '\\p{gc=Nd}',
  '\\p{Script=Latin}',
  '\\p{Alphabetic}',
)
const range = fc.constantFrom('a-z', '0-9', 'A-Za-z', '\\u0000-\\u00ff', '\\]', '\\-', '^', ' ', '.')
const charClass = fc
  .tuple(
    fc.constantFrom('', '^'),
    fc.array(
      fc.oneof(
        range.filter((one) => one !== '^'),
        shorthand,
        literal,
      ),
      { maxLength: 3 },
    ),
  )
  .map(([not, members]) => `[${not}${members.join('')}]`)
const times = fc.constantFrom('', '', '', '?', '*', '+', '??', '*?', '+?', '{2}', '{0}', '{1,3}', '{2,}', '{0,2}?')
const one = fc
  .tuple(fc.oneof(literal, literal, shorthand, charClass, fc.constant('.')), times)
  .map((parts) => parts.join(''))
const edge = fc.constantFrom('^', '$', '\\b', '\\B')

const { branches } = fc.letrec<{ branches: string; branch: string; part: string; group: string }>((tie) => ({
  branches: fc.array(tie('branch'), { minLength: 1, maxLength: 3 }).map((all) => all.join('|')),
  branch: fc.array(tie('part'), { maxLength: 4 }).map((all) => all.join('')),
  part: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 6, arbitrary: one },
    { weight: 1, arbitrary: edge },
    { weight: 2, arbitrary: tie('group') },
  ),
  group: fc
    .tuple(fc.constantFrom('(', '(?:'), tie('branches'), fc.constantFrom('', '', '?', '??'))
    .map(([open, inner, often]) => `${open}${inner})${often}`),
}))

/** A group that may be left out and may take nothing: to V8 it is left out then, to RE2 it has taken nothing. */
const mayTakeNothing = (source: string) =>
  /\)\?/.test(source) && /[*?]|\{0|\|\)|\(\)|\(\||\(\?:\||[\^$]|\\[bB]/.test(source)

/** V8 finds \\B also between the two halves of one character, where there is no place. */
const splitsPair = (source: string, said: string) => source.includes('\\B') && /[\ud800-\udfff]/.test(said)

describe('the engine for expressions of operators', () => {
  it('takes whole answers that the engine of V8 takes, and no others', () => {
    fc.assert(
      fc.property(branches, fc.array(text, { minLength: 1, maxLength: 8 }), (source, texts) => {
        const own = linear(source, 'whole')
        fc.pre(own !== undefined)
        const theirs = new RegExp(`^(?:${source})$`, 'u')
        for (const said of texts) assert.equal(own!.test(said), theirs.test(said), JSON.stringify([source, said]))
      }),
      { numRuns: 1_200 },
    )
  })

  it('finds the same place and the same groups in a text', () => {
    fc.assert(
      fc.property(branches, fc.array(text, { minLength: 1, maxLength: 8 }), (source, texts) => {
        fc.pre(!mayTakeNothing(source))
        const own = linear(source, 'anywhere')
        fc.pre(own !== undefined)
        const theirs = new RegExp(source, 'u')
        for (const said of texts.filter((one) => !splitsPair(source, one)))
          assert.deepEqual(own!.find(said), groupsOf(theirs.exec(said)), JSON.stringify([source, said]))
      }),
      { numRuns: 1_200 },
    )
  })

  it('reads what V8 reads, but for what it refuses with a remedy', () => {
    const known = (source: string) => {
      try {
        return Boolean(new RegExp(source, 'u'))
      } catch {
        return false
      }
    }
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'a1()[]{}?*+|^$\\.-,:dpL'), maxLength: 8 }), (source) => {
        const read = readRegex(source, WIDE)
        if (typeof read === 'string')
          return assert.ok(!known(source) || !read.startsWith('is no pattern'), `${source}: ${read}`)
        return assert.ok(known(source), source)
      }),
      { numRuns: 3_000 },
    )
  })

  it('knows every general category by both names, and says so of what it does not know', () => {
    for (const name of [
      'L',
      'Letter',
      'Lu',
      'Uppercase_Letter',
      'Nd',
      'digit',
      'P',
      'punct',
      'Zs',
      'Space_Separator',
      'C',
      'Other',
      'Cn',
      'Unassigned',
      'Sc',
      'Currency_Symbol',
    ]) {
      const [own, theirs] = [linear(`\\p{${name}}`, 'whole')!, new RegExp(`^\\p{${name}}$`, 'u')]
      for (const sign of [...SIGNS, '$', '€', '\u0378', '\u0000', '𝟘'])
        assert.equal(own.test(sign), theirs.test(sign), `${name} ${sign}`)
    }
    for (const source of ['\\p{ASCII}', '\\p{Script=Latn}', '\\p{scx=Grek}'])
      assert.match(String(compilePattern(source)), /has an unknown .*: write /)
  })

  it('names a remedy for what it refuses', () => {
    const refused = [
      '(a)\\1',
      '(?<n>a)\\k<n>',
      '(?=a)',
      '(?!a)b',
      '(?<=a)b',
      '(?<!a)b',
      '(a+)+',
      'a*b*c*',
      'a{161}',
      '[a-z]{160}'.repeat(4),
      'a'.repeat(201),
    ]
    for (const source of refused) assert.match(String(compilePattern(source)), /: \w+/, source)
  })

  it('examples and longest answers agree with it', () => {
    fc.assert(
      fc.property(branches, (source) => {
        const pattern = compilePattern(source)
        fc.pre(typeof pattern !== 'string')
        const example = exampleOf(source)
        fc.pre(example !== undefined)
        assert.ok((pattern as Linear).test(example!), source)
        assert.ok([...example!].length <= longestOf(source), source)
      }),
      { numRuns: 400 },
    )
  })
})

/** Reads of single characters, which each step of the engine makes; V8's own makes none. */
function readsOf(run: () => void): number {
  const strings = Object.getPrototypeOf('') as { charCodeAt: (this: string, at: number) => number }
  const read = strings.charCodeAt
  let reads = 0
  strings.charCodeAt = function counted(at) {
    reads++
    return read.call(this, at)
  }
  try {
    run()
  } finally {
    strings.charCodeAt = read
  }
  return reads
}

describe('an expression that would never end', () => {
  const PATTERNS: [string, string[]][] = [
    [`${'\\d{0,10}'.repeat(8)}x`, [`${'1'.repeat(44)}x1`, `${'1'.repeat(158)}x1`]],
    [`${'(?:a|ab?)?'.repeat(19)}x`, [`${'ab'.repeat(79)}xa`, `${'a'.repeat(158)}xa`]],
    [`${'a?'.repeat(47)}[x]`, [`${'a'.repeat(158)}xa`]],
    ['a*a*', [`${'a'.repeat(159)}!`]],
    ['\\p{L}{0,120}\\p{L}{0,120}x', [`${'é'.repeat(158)}x!`, `${'x'.repeat(158)}!!`]],
    [`${'(?:a?|b?|c?)?'.repeat(15)}`, [`${'abc'.repeat(53)}!`]],
  ]
  for (const [source, answers] of PATTERNS) {
    it(`is worked through in steps that are counted: ${source.slice(0, 30)}`, () => {
      const pattern = compilePattern(source)
      assert.ok(typeof pattern !== 'string', String(pattern))
      assert.ok(pattern.size <= PROGRAM_MAX)
      for (const answer of answers) {
        const reads = readsOf(() => void pattern.test(answer))
        assert.ok(reads > 0, 'it went past the engine that is bounded')
        assert.ok(reads <= 4 * pattern.size * (answer.length + 1), `${reads} reads`)
      }
    })
  }

  it('is worked through in a profile, too, on the beginning of a text', () => {
    for (const source of [`${'a?'.repeat(47)}[x]`, `${'(?:a|ab?)?'.repeat(9)}x`, 'a*b*$', '(?<code>\\*\\d+)#']) {
      assert.equal(regexFault(source), null, source)
      const match = matcher(source)
      for (const long of [`${'a'.repeat(200)}xb${'a'.repeat(50_000)}`, 'ab'.repeat(50_000), '*1'.repeat(50_000)]) {
        const reads = readsOf(() => void match(long))
        assert.ok(reads <= 4 * PROGRAM_MAX * 257, `${source}: ${reads} reads`)
      }
    }
  })

  it('of whatever kind that is let through takes a bounded number of steps', () => {
    const nasty = fc.array(
      fc.constantFrom(
        'a?',
        'a*',
        '(?:a|ab?)?',
        '[ab]{0,10}',
        '(?:a?b?)?',
        '\\w{0,9}',
        '(a|b|ab)?',
        'a{0,20}',
        '.?',
        '\\p{L}?',
      ),
      { minLength: 1, maxLength: 16 },
    )
    fc.assert(
      fc.property(nasty, fc.constantFrom('a', 'ab', 'aab', 'b'), (parts, unit) => {
        const pattern = compilePattern(`${parts.join('')}x`)
        fc.pre(typeof pattern !== 'string')
        const answer = `${unit.repeat(160).slice(0, 158)}x!`
        const { size } = pattern as Linear
        const reads = readsOf(() => void (pattern as Linear).test(answer))
        assert.ok(
          size <= PROGRAM_MAX && reads <= 4 * size * 161,
          `${parts.join('')}: ${reads} reads, ${size} instructions`,
        )
      }),
      { numRuns: 300 },
    )
  })
})
