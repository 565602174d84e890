import assert from 'node:assert/strict'
import { accepting } from '../../../src/flow/check/accepts.ts'
import { vetFlow } from '../../../src/flow/check/check.ts'
import { readFlow } from '../../../src/flow/read/read.ts'
import { good } from '../check/seeded-faults.ts'
import { PLANTED_FAULTS } from './faults.ts'
import { verdictOf } from './verdict.ts'

describe('faults that a designer of a money service can make', () => {
  it('are sixty at least, each with a name of its own', () => {
    assert.ok(PLANTED_FAULTS.length >= 60)
    assert.equal(new Set(PLANTED_FAULTS.map(({ name }) => name)).size, PLANTED_FAULTS.length)
  })

  it('are none in the bank flow as it is', async () => {
    assert.deepEqual((await verdictOf({ name: '', by: 'check', says: /./, edits: [] })).said, [])
  })

  for (const [name, source] of Object.entries(good)) {
    it(`are none in the flow ${name} that comes along`, () => {
      const read = readFlow(source)
      const found = accepting(read.definition, vetFlow(read)).filter(({ accepted }) => accepted === undefined)
      assert.deepEqual(
        found.map(({ where, what }) => `${where} ${what}`),
        [],
      )
    })
  }

  for (const fault of PLANTED_FAULTS) {
    it(`${fault.by}: ${fault.name}`, async () => {
      const { is, said } = await verdictOf(fault)
      assert.equal(is, 'found', said.join('\n') || 'nothing complained')
    })
  }
})
