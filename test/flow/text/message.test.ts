import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { DialogueContext } from '../../../machines/dialogue.ts'
import { FlowFault } from '../../../src/base/errors.ts'
import { compileCondition, Slip, type ConditionSource } from '../../../src/flow/expression/condition.ts'
import { DEFAULT_DATE_FORMAT, showDate, showTime } from '../../../src/base/time/dates.ts'
import { compileMessage } from '../../../src/flow/text/message.ts'
import { compilePattern } from '../../../src/flow/expression/pattern.ts'
import type { Json } from '../../../src/ussd/vocabulary.ts'

const ZONE = 'Pacific/Port_Moresby'
const scope = (data: Json) => ({
  context: { data, answers: {}, chosen: {}, vars: {}, language: 'en', msisdn: '675' } as unknown as DialogueContext,
})

function say(text: string, data: Json, options: { locale?: string; valueMax?: number; lines?: boolean } = {}): string {
  const message = compileMessage(text, { locale: options.locale ?? 'en', zone: ZONE, dates: DEFAULT_DATE_FORMAT })
  if (typeof message === 'string') throw new Error(message)
  return message.say(scope(data), options)
}

describe('a text', () => {
  const rows: [string, Json, string][] = [
    ['Welcome, {data.name}!', { name: 'John' }, 'Welcome, John!'],
    ["You'll get an SMS reminder.", {}, "You'll get an SMS reminder."],
    ["It's {data.name}'s turn", { name: 'Mary' }, "It's Mary's turn"],
    ['{ data.a-b.c_d }', { 'a-b': { c_d: 'deep' } }, 'deep'],
    ['{data.n, plural, =0 {none} one {# day} other {# days}}', { n: 1 }, '1 day'],
    ['{data.n, plural, =0 {none} one {# day} other {{data.n} days}}', { n: 3 }, '3 days'],
    ['{data.s, select, done {Done} other {{data.s}}}', { s: 'late' }, 'late'],
    ['{data.known, select, true {Hello} other {Who?}}', { known: true }, 'Hello'],
    ['{data.amount, number}', { amount: 1234567.5 }, '1,234,567.5'],
    ['{data.amount, number}', { amount: '120' }, '120'],
    ['{data.amount, number, money}', { amount: 5 }, '5.00'],
    ['{data.amount, number, ::currency/PGK}', { amount: 5 }, 'PGK 5.00'],
    ['{data.at, date} {data.at, time}', { at: '2025-05-10T09:00:00+10:00' }, '10/05/2025 9 AM'],
    ['{data.at, date} {data.at, time}', { at: '2025-05-09T23:30:00Z' }, '10/05/2025 9:30 AM'],
    ['{data.rows.count} left', { rows: [1, 2] }, '2 left'],
    ['[{data.missing}]', {}, '[]'],
    ['[{data.object}]', { object: { a: 1 } }, '[]'],
    ['{data.b} {data.z}', { b: false, z: 0 }, 'false 0'],
    ['<b>{data.name}</b> # 100%', { name: '<i>' }, '<b><i></b> # 100%'],
    ["a '{'quoted'}' brace", {}, 'a {quoted} brace'],
    ['a } and {data.name}', { name: 'b' }, 'a } and b'],
    [
      '{data.n, plural, one {{data.s, select, a {an {data.name}} other {?}}} other {# of {data.s}}}',
      { n: 1, s: 'a', name: 'apple' },
      'an apple',
    ],
    ['{data.constructor} {data.__proto__}', {}, ' '],
  ]
  for (const [text, data, expected] of rows)
    it(`${text} gives ${expected}`, () => assert.equal(say(text, data), expected))

  it('takes two apostrophes for one, in front of a value too', () => {
    const message = compileMessage("It''s ''{msisdn}'.", { locale: 'en', zone: 'UTC', dates: {} as never })
    assert.equal(typeof message === 'object' && message.say({ context: { msisdn: '675' } as never }), "It's '675'.")
  })

  it('takes values as they are: braces, apostrophes and number signs in them are no message', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), (value) => {
        assert.equal(say('<{data.v}>', { v: value }), `<${value}>`)
        assert.equal(say('{data.n, plural, other {<{data.v}>}}', { n: 2, v: value }), `<${value}>`)
      }),
    )
    assert.equal(say('{data.v}', { v: "{data.x} '{' # {" }), "{data.x} '{' # {")
  })

  it('never holds a narrow blank, a hard blank or a direction mark', () => {
    assert.equal(say('{data.n, number, money}\u00a0K', { n: 1234567 }, { locale: 'fr' }), '1 234 567,00 K')
    assert.equal(say('{data.v}', { v: 'a\u202fb\u2066c\u2069\u200f' }), 'a bc')
  })

  it('lets no value forge a line of a menu, except where lines are wanted', () => {
    assert.equal(say('Hi {data.v}', { v: 'John\n2. Free money\u0007' }), 'Hi John 2. Free money')
    assert.equal(say('{data.v}', { v: 'one\ntwo' }, { lines: true }), 'one\ntwo')
  })

  it('cuts values where a reader sees a character end', () => {
    assert.equal(say('{data.v}!', { v: 'e\u0301e\u0301e\u0301' }, { valueMax: 3 }), 'e\u0301!')
    assert.equal(say('{data.v}!', { v: '👩‍👩‍👧x' }, { valueMax: 4 }), '!')
  })

  it('faults on a number or a date that is none, rather than showing a hole', () => {
    for (const text of ['{data.x, number}', '{data.x, date}', '{data.x, time}', '{data.x, plural, other {#}}']) {
      for (const x of [undefined, null, '', 'soon', true, {}, []]) {
        assert.throws(() => say(text, x === undefined ? {} : { x }), FlowFault, `${text} of ${JSON.stringify(x)}`)
      }
    }
  })
})

describe('dates and times', () => {
  const rows: [string, string, string][] = [
    ['2025-05-10T09:00:00+10:00', '10/05/2025', '9 AM'],
    ['2025-05-10T09:30:00+10:00', '10/05/2025', '9:30 AM'],
    ['2025-05-10T12:00:00+10:00', '10/05/2025', '12 PM'],
    ['2025-05-10T00:00:00+10:00', '10/05/2025', '12 AM'],
    ['2025-05-10T14:05:59+10:00', '10/05/2025', '2:05 PM'],
    ['2025-12-31T23:59:00Z', '01/01/2026', '9:59 AM'],
  ]
  for (const [at, date, time] of rows) {
    it(`${at} is ${date}, ${time} in Port Moresby`, () => {
      assert.deepEqual([showDate(at, ZONE), showTime(at, ZONE)], [date, time])
      assert.deepEqual([showDate(Date.parse(at), ZONE), showTime(Date.parse(at), ZONE)], [date, time])
    })
  }

  it('follow the pattern of a language', () => {
    const format = { date: 'd. LLLL yyyy', time: 'HH:mm', timeMinutes: 'HH:mm', locale: 'fr' }
    assert.deepEqual(
      [showDate('2025-08-01T15:00:00+10:00', ZONE, format), showTime('2025-08-01T15:00:00+10:00', ZONE, format)],
      ['1. août 2025', '15:00'],
    )
  })

  it('are empty for what is no date', () => {
    for (const at of ['', 'soon', '2025-13-01', null, undefined, {}, Number.NaN]) assert.equal(showDate(at, ZONE), '')
  })
})

describe('a condition', () => {
  const data: Json = {
    known: true,
    no: false,
    n: 5,
    s: 'upcoming',
    empty: [],
    rows: [{}],
    nul: null,
    price: 7,
    at: '2025-05-10',
  }
  const rows: [ConditionSource, boolean][] = [
    ['data.known', true],
    ['not data.known', false],
    ['data.missing', false],
    ['not data.missing', true],
    ['data.empty', false],
    ['data.rows', true],
    ['data.rows.count == 1', true],
    ['data.rows.count > 1', false],
    ['data.n == 5', true],
    ["data.n == '5'", true],
    ['data.n != 5', false],
    ['data.n >= 5', true],
    ['data.n<5', false],
    ['data.n <= data.price', true],
    ['data.n > data.price', false],
    ['data.missing < 5', false],
    ['data.missing >= 0', false],
    ['data.s == upcoming', true],
    ['data.s == "upcoming"', true],
    ['data.s != done', true],
    ['data.at < 2025-06-01', true],
    ['data.s in [done, upcoming]', true],
    ['data.n in [1, 5]', true],
    ['not data.s in [done]', true],
    ['data.nul == null', true],
    ['data.missing == null', true],
    ['data.known == true', true],
    ['data.no == false', true],
    ['language == en', true],
    [{ and: ['data.known', 'data.n > 4'] }, true],
    [{ and: ['data.known', 'data.n > 5'] }, false],
    [{ or: ['data.no', { not: 'data.n > 5' }] }, true],
    [{ not: { or: ['data.no', 'data.known'] } }, false],
    ['data.constructor', false],
    ['data.__proto__', false],
  ]
  for (const [source, expected] of rows) {
    it(`${JSON.stringify(source)} is ${expected}`, () => {
      const condition = compileCondition(source)
      assert.ok(!(condition instanceof Slip), JSON.stringify(condition))
      assert.equal(condition.holds(scope(data)), expected)
    })
  }

  it('is told from what is none', () => {
    for (const source of [
      '',
      'balance > 3',
      'data.x >',
      'data.x === 3 3',
      'process.exit()',
      '1 == 1',
      'data.x in 3',
      { and: ['data.x', 'y'] },
    ]) {
      assert.ok(compileCondition(source) instanceof Slip, JSON.stringify(source))
    }
  })
})

describe('a pattern', () => {
  it('holds for the whole answer', () => {
    const pattern = compilePattern('[A-Z]{2}\\d{4}|\\d+')
    assert.ok(typeof pattern !== 'string')
    assert.deepEqual(
      ['AB1234', '12', 'AB12345', 'xAB1234', ''].map((answer) => pattern.test(answer)),
      [true, true, false, false, false],
    )
  })

  for (const source of [
    '(a+)+',
    '(a|a)*',
    '(a){2,}',
    'a*b*c*',
    '(?=a)a',
    '(?<!a)b',
    '(a)\\1',
    '(?<x>a)\\k<x>',
    'a{500}',
    '[',
    'a{1,99}b{1,99}c{1,99}',
  ]) {
    it(`is refused if it may take for ever, or is none: ${source}`, () =>
      assert.equal(typeof compilePattern(source), 'string'))
  }

  it('may escape what would be refused', () => {
    for (const source of ['\\(a\\)\\+', '[(+)]+', '(?:ab|cd)-\\d{1,3}', '[+*]{3}'])
      assert.ok(typeof compilePattern(source) !== 'string', source)
  })
})
