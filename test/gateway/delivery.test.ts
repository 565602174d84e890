import assert from 'node:assert/strict'
import { silentLog } from '../../src/base/log-port.ts'
import type { DialogueRecord } from '../../src/dialogue/types.ts'
import { createDelivery } from '../../src/gateway/delivery.ts'
import type { Line, SubmitOptions } from '../../src/smpp/types.ts'
import { fakeClock } from '../support/clock.ts'

const LIMITS = { turnMs: 8_000, totalMs: 180_000 }

/** A delivery whose store answers `stands`, so many milliseconds after it was asked. */
function delivering(stands: Partial<DialogueRecord> | null, answerMs: number[] = []) {
  const clock = fakeClock()
  const written: number[] = []
  const results: string[] = []
  /** What happens while a screen waits for a slot of the window. */
  const waits: (() => Promise<unknown>)[] = []
  const record = {
    epoch: 'a',
    turn: 2,
    status: 'resting',
    ended: null,
    touchedMs: clock.now(),
    line: 'main',
    key: { group: 'main', msisdn: '1' },
  } as DialogueRecord
  const line = {
    name: 'main',
    dialect: { habits: { submitResp: 'immediate', deliverResp: 'immediate' }, write: () => ({ pdu: {} }) },
    submit: async (_: unknown, { mayLeave }: SubmitOptions) => {
      await waits.shift()?.()
      const may = mayLeave?.() ?? 'yes'
      if (may !== 'yes') return { kind: 'unsent', why: may }
      written.push(clock.now())
      return { kind: 'ok', messageId: '' }
    },
  } as unknown as Line
  const delivery = createDelivery({
    dialogues: {
      find: async () => {
        await clock.advance(answerMs.shift() ?? 0)
        return stands && { ...record, ...stands }
      },
      confirm: () => undefined,
    },
    guarded: (_, run) => run(),
    line: () => line,
    clock,
    chance: () => 0.5,
    log: silentLog,
    metrics: { count: (_: string, { result }: { result?: string }) => result && results.push(result) } as never,
    limits: LIMITS,
    drop: async () => undefined,
  })
  const send = () => delivery.deliver(record, line, { pdu: {} as never, action: 'continue' })
  return { clock, record, line, waits, written, results, delivery, send }
}

describe('a screen on its way for the first time', () => {
  it('is sent without a question when it was decided just now', async () => {
    const { send, clock, written } = delivering({ turn: 3 })
    await clock.advance(900)
    await send()
    assert.equal(written.length, 1)
  })
  it('is not sent when it is late and the dialogue has gone on: the daemon stood still after it was stored', async () => {
    const { send, clock, written, results } = delivering({ turn: 3 })
    await clock.advance(8_000)
    await send()
    assert.deepEqual([written, results], [[], ['unsent']])
  })
  it('is sent when it is late and still the newest', async () => {
    const { send, clock, written, results } = delivering({})
    await clock.advance(3_000)
    await send()
    assert.deepEqual([written.length, results], [1, ['ok']])
  })
  it('is asked for when it waited long for a slot of the window, and sent if it is still the newest', async () => {
    const { send, clock, waits, written, results } = delivering({})
    waits.push(() => clock.advance(2_000))
    await send()
    assert.deepEqual([written.length, results], [1, ['ok']])
  })
})

describe('a screen that is sent again', () => {
  it('is sent if the dialogue still stands at it, and left alone if the subscriber has answered', async () => {
    for (const [turn, writes] of [
      [2, 1],
      [3, 0],
    ] as const) {
      const { delivery, record, written } = delivering({ turn })
      const again = { ...record, reply: { action: 'continue', text: 'A', step: null, link: '' } } as DialogueRecord
      assert.equal(await delivery.resend(again, undefined), writes ? 'sent' : 'over')
      assert.equal(written.length, writes, `the dialogue is at turn ${turn}`)
    }
  })
  it('is asked for once more where the answer of the store is old: what it says may be over', async () => {
    const { delivery, record, written, clock } = delivering(
      { reply: { action: 'continue', text: 'A' } as never },
      [8_000],
    )
    const beganMs = clock.now()
    const again = { ...record, reply: { action: 'continue', text: 'A', step: null, link: '' } } as DialogueRecord
    assert.equal(await delivery.resend(again, undefined), 'sent')
    assert.deepEqual(written, [beganMs + 8_000])
  })
  it('is not sent where no answer of the store is fresh', async () => {
    const { delivery, record, written } = delivering({}, [8_000, 8_000, 8_000])
    const again = { ...record, reply: { action: 'continue', text: 'A', step: null, link: '' } } as DialogueRecord
    assert.equal(await delivery.resend(again, undefined), 'later', 'it is given again')
    assert.deepEqual(written, [])
  })
  it('is not written behind a later screen of this daemon that left since the store was asked', async () => {
    const { delivery, record, line, waits, written } = delivering({})
    const again = { ...record, reply: { action: 'continue', text: 'A', step: null, link: '' } } as DialogueRecord
    const later = { ...record, turn: 3 }
    waits.push(() => delivery.deliver(later, line, { pdu: {} as never, action: 'continue' }) as Promise<unknown>)
    await delivery.resend(again, undefined)
    assert.equal(written.length, 1, 'the later one')
  })
  it('is asked for again where a new dialogue of the subscriber got its screen in between', async () => {
    const { delivery, record, line, waits, written, clock } = delivering({ epoch: 'b', turn: 1 })
    const first = { pdu: {} as never, action: 'continue' } as const
    waits.push(async () => {
      await clock.advance(5)
      await delivery.deliver({ ...record, epoch: 'b', turn: 1, touchedMs: clock.now() }, line, first)
    })
    await delivery.deliver(record, line, first)
    assert.equal(written.length, 1, 'that of the new dialogue')
  })
  it('is sent where the clock was set back by an hour since the screen before: that one is no later one', async () => {
    const { delivery, record, line, written, clock } = delivering({ epoch: 'b', turn: 1 })
    const first = { pdu: {} as never, action: 'continue' } as const
    await delivery.deliver({ ...record, touchedMs: clock.now() + 3_600_000 }, line, first)
    written.length = 0
    await delivery.deliver({ ...record, epoch: 'b', turn: 1, touchedMs: clock.now() }, line, first)
    assert.equal(written.length, 1)
  })
})
