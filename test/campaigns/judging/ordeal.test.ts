import assert from 'node:assert/strict'
import { apologiesAfter, type JudgedRun } from './judged-run.ts'

describe('the wait for the last apology', () => {
  const ordealOf = (diary: { apologies: number; undelivered: number }) => ({ scene: { diary } }) as unknown as JudgedRun
  const done = async (): Promise<void> => undefined

  it('is over once none came for a while', async () => {
    assert.deepEqual(await apologiesAfter(ordealOf({ apologies: 7, undelivered: 2 }), done, { quietMs: 10 }), {
      ms: 0,
      afterMs: 0,
      count: 0,
    })
  })
  it('is over, too, where they never end: the goal is missed, and the campaign goes on', async () => {
    let n = 0
    const diary = {
      get apologies() {
        return ++n
      },
      undelivered: 0,
    }
    const { ms, count } = await apologiesAfter(ordealOf(diary), done, { quietMs: 10_000, limitMs: 1_500 })
    assert.ok(ms > 0 && count > 0, `${ms} ms, ${count}`)
  })
})
