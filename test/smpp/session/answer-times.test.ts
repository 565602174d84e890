import assert from 'node:assert/strict'
import { AnswerTimes, percentileMs } from '../../../src/smpp/session/answer-times.ts'

const filled = (times: number[]) => {
  const answers = new AnswerTimes()
  for (const ms of times) answers.add(ms)
  return answers
}

describe('how long an SMSC took for its answers', () => {
  it('is exact below 16 ms, and at most an eighth above it', () => {
    for (const ms of [0, 1, 15, 16, 17, 100, 999, 1_000, 30_000, 100_000]) {
      const told = percentileMs(undefined, filled([ms]).counts(), 0.95)!
      assert.ok(told >= ms && told <= ms * 1.125, `${ms}: ${told}`)
    }
    assert.equal(percentileMs(undefined, filled([7]).counts(), 0.95), 7)
  })
  it('takes what no clock should say', () => {
    assert.equal(percentileMs(undefined, filled([-5]).counts(), 0.95), 0)
    assert.ok(percentileMs(undefined, filled([10_000_000]).counts(), 0.95)! > 100_000)
  })
  it('is of what came between two moments', () => {
    const answers = filled([5, 5, 5])
    const before = answers.counts()
    assert.equal(percentileMs(before, answers.counts(), 0.95), undefined)
    for (let n = 0; n < 90; n++) answers.add(2)
    for (let n = 0; n < 10; n++) answers.add(12)
    assert.equal(percentileMs(before, answers.counts(), 0.5), 2)
    assert.equal(percentileMs(before, answers.counts(), 0.95), 12)
  })
})
