/** A dialogue at rest is stored as a list, and comes back as it was: whoever wrote it, and whatever its record says. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { packed, unpacked } from '../../machines/packed.ts'
import { compileFlow } from '../../src/flow/load/compile.ts'
import type { FlowSnapshot } from '../../src/flow/engine/types.ts'
import type { JsonObject } from '../../src/ussd/index.ts'
import type { Recorded } from '../corpus/recorded.ts'
import { root } from '../style/tree.ts'

const RECORD = { msisdn: '67570000001', code: '*123#', line: 'akiba' }
const FRESH = {
  ...RECORD,
  language: 'en',
  page: { septets: 182, ucs2: 80 },
  dialled: [],
  answers: {},
  chosen: {},
  data: {},
  vars: {},
  shown: null,
  notice: '',
  wrong: 0,
  failed: false,
  via: '',
  origin: '',
  resume: null,
}
const text = (snapshot: object, record = RECORD) => JSON.stringify(packed(snapshot as JsonObject, record))
const back = (stored: string, record = RECORD) => unpacked(JSON.parse(stored), record)
const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as object

const corpus = join(root, 'test/corpus/0.1.0')

describe('a dialogue that is stored as a list', () => {
  it('has four places when it is new, and as many as it needs', () => {
    assert.equal(text({ value: 'main', context: FRESH }), '["main","en",182,80,0,""]')
    const context = { ...FRESH, origin: 'main', shown: { at: [[0, 1]], n: 3, more: true }, vars: { day: 'Fri' } }
    assert.equal(text({ value: 'main', context }), '["main","en",182,80,0,0,[[[0,1]],3,1],{"day":"Fri"}]')
  })

  it('has the line, the code and the number where its record has others', () => {
    const other = { msisdn: '67570000002', code: '*124#', line: 'north' }
    const snapshot = { value: 'main', context: FRESH }
    for (const name of ['msisdn', 'code', 'line'] as const) {
      const record = { ...RECORD, [name]: other[name] }
      assert.ok(text(snapshot, record).includes(JSON.stringify(RECORD[name])), name)
      assert.deepEqual(back(text(snapshot, record), record), snapshot)
    }
  })

  it('has names that have no place, among them those of a later release', () => {
    const context = { ...FRESH, began: 'e0', homed: null, trail: [{ screen: 'main', at: null }], later: { a: 1 } }
    assert.deepEqual(back(text({ value: 'main', context })), { value: 'main', context })
    assert.deepEqual(back(text({ value: 'main', context: { ...FRESH, secrets: undefined } })), {
      value: 'main',
      context: FRESH,
    })
  })

  it('stays as it is where it is none, lacks a name, or has more than a state and a context', () => {
    const { via: _via, ...earlier } = FRESH
    const others = [
      { value: 'main' },
      { a: 1 },
      { value: 'main', context: null },
      { value: { a: 'b' }, context: FRESH },
      { value: 'main', context: earlier },
      { value: 'main', context: { ...earlier, now: '2026-12-02T08:00:00.000Z' } },
      { value: 'main', context: FRESH, status: 'active' },
    ]
    for (const snapshot of others) {
      assert.equal(text(snapshot), JSON.stringify(snapshot))
      assert.deepEqual(back(text(snapshot)), snapshot)
    }
  })

  it('comes back as it was, whatever it has', () => {
    const words = fc.string({ maxLength: 8 })
    const object = fc.dictionary(words, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 })
    const shown = fc.record({
      at: fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 3 }),
      n: fc.nat(),
      more: fc.boolean(),
    })
    const context = fc.record(
      {
        msisdn: fc.constantFrom('67570000001', '67570000002', ''),
        code: fc.constantFrom('*123#', '*124#', ''),
        line: fc.constantFrom('akiba', 'north', ''),
        language: words,
        page: fc.record({ septets: fc.nat(), ucs2: fc.nat() }),
        dialled: fc.array(words, { maxLength: 2 }),
        answers: object,
        chosen: object,
        data: object,
        vars: object,
        shown: fc.option(shown),
        notice: words,
        wrong: fc.nat(9),
        failed: fc.boolean(),
        via: words,
        origin: fc.constantFrom('main', 'list', ''),
        resume: fc.option(fc.record({ value: words, context: object })),
        now: words.filter((word) => word !== ''),
        broken: fc.nat(),
        unsettled: fc.record({ by: words, key: words }),
        again: fc.option(fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 2 })),
        find: fc.option(words),
      },
      { requiredKeys: Object.keys(FRESH) as never[] },
    )
    fc.assert(
      fc.property(fc.constantFrom('main', 'list', ''), context, (value, its) => {
        const snapshot = plain({ value, context: its })
        const stored = text(snapshot)
        assert.equal(stored[0], '[')
        assert.deepEqual(plain(back(stored)), snapshot)
      }),
      { numRuns: 500 },
    )
  })

  for (const file of readdirSync(corpus)) {
    const { source, steps } = JSON.parse(readFileSync(join(corpus, file), 'utf8')) as Recorded
    it(`goes on as it would: ${file}`, () => {
      const { flow } = compileFlow(source)
      const rested = steps.filter(({ event }) => event !== null)
      assert.ok(rested.length > 0)
      for (const { from, event } of rested) {
        const stored = text(from as object)
        assert.equal(stored[0], '[', 'a dialogue of the first release is packed')
        assert.deepEqual(plain(back(stored)), from)
        assert.ok(stored.length < JSON.stringify(from).length * 0.8, stored)
        const [as, was] = [
          flow.step(back(stored) as unknown as FlowSnapshot, event!),
          flow.step(from as FlowSnapshot, event!),
        ]
        assert.deepEqual(plain(as), plain(was))
        assert.deepEqual(plain(flow.want(as)), plain(flow.want(was)))
      }
    })
  }
})
