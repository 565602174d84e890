import assert from 'node:assert/strict'
import { bounded, ANSWER_UNITS_MAX, DEPTH_MAX, TEXT_UNITS_MAX } from '../../src/backend/bounds.ts'
import { parseJson } from '../../src/backend/body.ts'
import { guard } from '../../src/backend/guard.ts'
import { moduleBackend } from '../../src/backend/module.ts'
import { Refusal, type Backend, type CallContext, type CallResult } from '../../src/backend/types.ts'
import { moreKey } from '../../src/flow/engine/app-pages.ts'
import { folded } from '../../src/flow/expression/fold.ts'
import { silentLog } from '../../src/base/log/port.ts'
import { wishOf } from '../../src/sms/inbox/keywords.ts'
import { clean, transliterate } from '../../src/ussd/text.ts'
import type { Json } from '../../src/ussd/vocabulary.ts'
import { flowOf, handset } from '../flow/support.ts'
import { fakeClock } from '../support/clock.ts'
import { workOf } from '../support/work.ts'

const context: CallContext = {
  intention: 'e:1:1',
  epoch: 'e',
  msisdn: '67570000001',
  language: 'en',
  line: 'digicel',
  todayMs: 0,
  signal: new AbortController().signal,
}

function guardedBy(backend: Backend, unitsMax?: number) {
  const counted: string[] = []
  const counters = {
    count: (name: string, labels: Record<string, string> = {}, by = 1) =>
      void counted.push([name, ...Object.values(labels), by].join(' ')),
  }
  return { counted, backend: guard(backend, { clock: fakeClock(), counters, log: silentLog }, undefined, unitsMax) }
}

const saying = (data: Json | Refusal) => moduleBackend('wallet', { operations: { balance: async () => data } })
const dataOf = (result: CallResult) => (result.is === 'failed' ? undefined : result.data)

describe('what a back end says', () => {
  const long = 'a'.repeat(200_000)

  it('is cut to what a screen can show, counted, whatever it is reached by', async () => {
    const { backend, counted } = guardedBy(saying({ name: long, rows: [{ note: ' '.repeat(60_000) }, 7], short: 'x' }))
    const data = dataOf(await backend.call('balance', {}, context)) as {
      name: string
      rows: [{ note: string }, number]
      short: string
    }
    assert.deepEqual(
      [data.name.length, data.rows[0].note.length, data.rows[1], data.short],
      [TEXT_UNITS_MAX, TEXT_UNITS_MAX, 7, 'x'],
    )
    assert.ok(counted.includes('limits_total backend-text 2'), counted.join())
  })

  it('is cut in a refusal as well', async () => {
    const { backend } = guardedBy(saying(new Refusal('closed', { why: long })))
    const result = await backend.call('balance', {}, context)
    assert.deepEqual([result.is, (dataOf(result) as { why: string }).why.length], ['refused', TEXT_UNITS_MAX])
  })

  it('is left as it is, and the same, where it is within bounds', () => {
    const data = { rows: [{ name: 'b'.repeat(TEXT_UNITS_MAX), at: 3 }], none: null }
    const given: CallResult = { is: 'data', data }
    assert.equal(bounded(given).result, given)
  })

  it('is never cut inside a surrogate pair', () => {
    const { result } = bounded({ is: 'data', data: `${'a'.repeat(TEXT_UNITS_MAX - 1)}😀` })
    assert.equal(dataOf(result), 'a'.repeat(TEXT_UNITS_MAX - 1))
    assert.equal(dataOf(bounded({ is: 'data', data: 'a\ud800b😀' }).result), 'a\ufffdb😀')
  })

  it('is nonsense where it is too much in all or too deep, also one that holds itself', async () => {
    const deep = (n: number): Json => (n === 0 ? 1 : [deep(n - 1)])
    const self: Record<string, Json> = {}
    self.self = self
    const much = Array.from({ length: ANSWER_UNITS_MAX / 1024 + 1 }, () => 'a'.repeat(1024))
    for (const data of [deep(DEPTH_MAX + 1), self, much]) {
      const { backend, counted } = guardedBy(saying(data))
      const result = await backend.call('balance', {}, context)
      assert.deepEqual([result.is, result.is === 'failed' && result.why], ['failed', 'nonsense'])
      assert.ok(
        counted.includes('limits_total backend-answer 1') &&
          counted.includes('backend_calls_total wallet balance nonsense 1'),
        counted.join(),
      )
    }
    assert.equal((await guardedBy(saying(much), 4 * ANSWER_UNITS_MAX).backend.call('balance', {}, context)).is, 'data')
    assert.equal((await guardedBy(saying(deep(DEPTH_MAX - 1))).backend.call('balance', {}, context)).is, 'data')
  })

  it('has no key that means something to JavaScript, and may be nested as deep as JSON can be', () => {
    const read = parseJson('{"a":[{"__proto__":{"x":1},"b":2}],"\\u005f_proto__":3}')
    assert.deepEqual(read, { a: [{ b: 2 }] })
    assert.equal(Object.hasOwn(read as object, '__proto__'), false)
    assert.ok(parseJson(`${'['.repeat(100_000)}${']'.repeat(100_000)}`))
  })
})

describe('a turn, whatever the back end said in it', () => {
  const { flow } = flowOf(`
  main: { call: wallet.balance, to: pick }
  pick: { list: 'Hello {data.main.x}, choose', from: data.main.rows, row: '{row.x} {row.y}', to: sure, keep: [x, y], search: [x, y], empty: told }
  sure: { input: 'Sure, {chosen.pick.x}?', to: named }
  named: { list: 'Again', from: data.main.rows, row: '{row.x}', keep: [x], to: note, labels: true, empty: told }
  note: { notify: '{data.main.x} {data.main.x}', to: told }
  told: { end: '{data.main.x}' }`)
  const TURN_UNITS_MAX = 4_000_000
  const SIGNS: Record<string, string> = {
    blanks: ' ',
    letters: 'a',
    'line feeds': '\n',
    'blanks and line feeds': ' \n',
    marks: '\u0301',
    'joined signs': '👩\u200d',
    flags: '🇵',
    controls: '\u0001',
    ligatures: 'ﷺ',
    hangul: '한',
    'lone halves': '\ud800',
  }
  for (const [name, sign] of Object.entries(SIGNS)) {
    it(`takes work that is bounded: ${name}`, async () => {
      const x = `x${sign.repeat(200_000 / sign.length)}x`
      const { result } = bounded({
        is: 'data',
        data: { x, rows: Array.from({ length: 15 }, (_, i) => ({ x: `${i} ${x.slice(0, 3_000)}`, y: 'b' })) },
      })
      const phone = handset(flow!, () => result as never)
      const turns = [
        () => phone.dial(),
        ...['9', 'zz', 'b', '2', '1', 'yes', 'zz', '1'].map((answer) => () => phone.answer(answer)),
        () => phone.send({ type: 'ACK' }),
        () => phone.answer('1'),
      ]
      for (const turn of turns) {
        const work = await workOf(async () => void (await turn()))
        // What is kept of the answer is 50,000 units: a page of it is tried in many ways, each of which looks at some
        // of them.
        assert.ok(work.units <= TURN_UNITS_MAX, `${work.units} units looked at`)
        assert.deepEqual(work.squares, [], 'no expression with two open ends meets a long text')
      }
    })
  }

  it('never sorts thousands of marks, nor looks at an SMS beyond what may be a keyword', async () => {
    const marks = `a${'\u0301\u0327'.repeat(20_000)}`
    const work = await workOf(async () => {
      for (const run of [folded, transliterate, (text: string) => clean(text, 5_000)]) run(marks)
      wishOf(`stop${' '.repeat(40_000)}x`, { stop: ['STOP'], start: ['START'], help: ['HELP'], all: ['ALL'] })
    })
    assert.ok(work.marks <= 30, `${work.marks} marks in a row were sorted`)
    assert.deepEqual(work.squares, [])
  })

  it('finds the way on in a text of line feeds', () => {
    assert.equal(moreKey(`${'\n'.repeat(1_500)} 98. Next`), '99')
    assert.equal(moreKey('1. One\n  980. Other'), '98')
  })
})
