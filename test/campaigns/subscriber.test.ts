import assert from 'node:assert/strict'
import { converse, newDiary } from './subscriber.ts'
import type { Phone } from '../../src/simulator/phone/phone.ts'

describe('the diary of a subscriber', () => {
  /** A phone that shows one text after so long, by a clock of its own. */
  async function told(text: string, { afterMs, hungAfterMs }: { afterMs: number; hungAfterMs: number }) {
    let nowMs = 0
    const screen = { text, open: false }
    const phone = {
      msisdn: '67570000001',
      story: [],
      dial: async () => ((nowMs += afterMs), screen),
    } as unknown as Phone
    const diary = { ...newDiary(), hungAfterMs }
    await converse(
      phone,
      diary,
      () => 0.5,
      undefined,
      () => nowMs,
    )
    return { hung: diary.hung.length, apologies: diary.apologies }
  }
  const EXPIRED = 'Your menu has expired. Please dial again.'

  it('takes the end of a dialogue whose screen never came for one that hung', async () => {
    assert.deepEqual(await told(EXPIRED, { afterMs: 8_000, hungAfterMs: 8_000 }), { hung: 1, apologies: 1 })
  })
  it('takes an apology that comes sooner for what it is', async () => {
    assert.deepEqual(await told(EXPIRED, { afterMs: 7_999, hungAfterMs: 8_000 }), { hung: 0, apologies: 1 })
  })
})
