import assert from 'node:assert/strict'
import { LEAVES, converse, newDiary } from './subscriber.ts'
import type { Phone } from '../../../src/simulator/phone/phone.ts'

describe('the diary of a subscriber', () => {
  /** A phone whose first key comes to nothing; `repeats`: the screen that stood was shown again meanwhile. */
  async function told(repeats: number) {
    const state = { answers: 0, repeats: 0 }
    const phone = {
      msisdn: '67570000001',
      story: [],
      get repeats() {
        return state.repeats
      },
      hangUp: () => undefined,
      dial: async () => ({ text: 'Welcome, N000001!\n1. Check Appointments\n4. Exit', open: true }),
      async answer() {
        if (++state.answers > 1) return { text: 'No appointments found.', open: false }
        state.repeats += repeats
        throw new Error('the phone waited 10 ms for a screen, which did not arrive')
      },
    } as unknown as Phone
    const diary = newDiary()
    await converse(phone, diary, () => 0.5, LEAVES)
    return { hung: diary.hung.length, pressedAgain: diary.pressedAgain, answers: state.answers }
  }

  it('tells of a key that came to nothing', async () => {
    assert.deepEqual(await told(0), { hung: 1, pressedAgain: 0, answers: 1 })
  })
  it('tells of a key that was pressed again, since the screen that stood was shown once more', async () => {
    assert.deepEqual(await told(1), { hung: 0, pressedAgain: 1, answers: 2 })
  })
})
