import assert from 'node:assert/strict'
import { askedBreaches, takenTwice, type AskedEntry, type AskedRow } from './asked-ledger.ts'

const one: AskedEntry = { owner: 'token:shop', key: 'a-1', text: 'Bill a-1.', is: 'owed' }
const row: AskedRow = { owner: 'token:shop', key: 'a-1', text: 'Bill a-1.', state: 'accepted', losses: 0 }
const taken = (times: number, text = one.text) => new Map(times ? [[text, times]] : [])

describe('the ledger of SMS that were asked for', () => {
  it('finds nothing where each was taken once', () => {
    assert.deepEqual(askedBreaches([one], [row], taken(1)), [])
  })
  it('finds one that was accepted and is nowhere, or was never taken', () => {
    assert.match(askedBreaches([one], [], taken(0))[0]!, /no row/)
    assert.equal(askedBreaches([one], [row], taken(0)).length, 1)
    assert.equal(askedBreaches([one], [{ ...row, state: 'failed', losses: 1 }], taken(0)).length, 1)
    assert.deepEqual(askedBreaches([one], [{ ...row, state: 'failed', losses: 2 }], taken(0)), [])
  })
  it('finds one that was taken twice without a loss, or three times', () => {
    assert.equal(askedBreaches([one], [row], taken(2)).length, 1)
    assert.deepEqual(askedBreaches([one], [{ ...row, losses: 1 }], taken(2)), [])
    assert.equal(askedBreaches([one], [{ ...row, losses: 2 }], taken(3)).length, 1)
    assert.equal(takenTwice(taken(2)), 1)
  })
  it('leaves open what nobody was told, but for a second copy', () => {
    const open: AskedEntry = { ...one, is: 'open' }
    assert.deepEqual(askedBreaches([open], [], taken(0)), [])
    assert.deepEqual(askedBreaches([open], [row], taken(1)), [])
    assert.equal(askedBreaches([open], [row], taken(2)).length, 1)
  })
  it('finds one that was sent after it was taken back', () => {
    const withdrawn: AskedEntry = { ...one, is: 'withdrawn' }
    assert.deepEqual(askedBreaches([withdrawn], [{ ...row, state: 'cancelled' }], taken(0)), [])
    assert.equal(askedBreaches([withdrawn], [{ ...row, state: 'cancelled' }], taken(1)).length, 1)
  })
  it('finds one that has no end, and one that nobody asked for', () => {
    assert.match(askedBreaches([one], [{ ...row, state: 'due' }], taken(1))[0]!, /still due/)
    const other = { ...row, key: 'a-2', text: 'Bill a-2.' }
    assert.equal(askedBreaches([one], [row, other], new Map([...taken(1), ...taken(1, other.text)])).length, 2)
  })
})
