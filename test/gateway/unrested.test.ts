import assert from 'node:assert/strict'
import { SimulatedClock } from 'xstate'
import type { DialogueRecord } from '../../src/dialogue/types.ts'
import { createUnrested } from '../../src/gateway/unrested.ts'

const TURN_MS = 4_000
const record = {
  epoch: 'b',
  turn: 1,
  openedMs: 20,
  touchedMs: 0,
  key: { group: 'main', msisdn: '1' },
} as DialogueRecord
const older = { ...record, epoch: 'a', openedMs: 10 }

/** A store that says nothing for so many calls; the clock goes on by itself. */
async function refusedWhen(
  silentCalls: number,
  stands: DialogueRecord | null,
): Promise<{ said: string[]; asked: number; results: unknown[] }> {
  const simulated = new SimulatedClock()
  const said: string[] = []
  const results: unknown[] = []
  let asked = 0
  const unrested = createUnrested({
    dialogues: { find: async () => stands },
    limits: { turnMs: TURN_MS },
    clock: {
      now: () => simulated.now(),
      today: () => simulated.now(),
      after(ms, run) {
        simulated.setTimeout(run, ms)
        queueMicrotask(() => simulated.increment(ms))
        return () => undefined
      },
    },
    guarded: async (_, run) => (++asked <= silentCalls ? undefined : run()),
    metrics: { count: (_: string, { result }: { result: string }) => void results.push(result) } as never,
    log: {} as never,
    apologise: async ({ epoch }, reason) => void said.push(`${epoch} ${reason}`),
  })
  await unrested.refused(record, 'continue', { name: 'akiba' } as never, undefined)
  return { said, asked, results }
}

describe('a turn that the store refused', () => {
  it('is apologised for where something older stands, also if the store is slow to say so', async () => {
    for (const silentCalls of [0, 1, 5]) {
      const { said, results } = await refusedWhen(silentCalls, older)
      assert.deepEqual([said, results], [['b store-failed'], ['forgotten']], `${silentCalls} calls in vain`)
    }
  })
  it('is passed over where something newer stands', async () => {
    const { said, results } = await refusedWhen(2, { ...record, epoch: 'c', openedMs: 30 })
    assert.deepEqual([said, results], [[], ['stale']])
  })
  it('is passed over when the turn has no time left and the store has not said why', async () => {
    const { said, asked, results } = await refusedWhen(Infinity, null)
    assert.deepEqual([said, asked, results], [[], TURN_MS / 200, ['stale']])
  })
})
