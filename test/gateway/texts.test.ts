import assert from 'node:assert/strict'
import { createTexts, SAY_MS, WAITING_TEXTS_MAX, type Said } from '../../src/gateway/texts.ts'
import type { Sent } from '../../src/gateway/reply.ts'
import type { Leaving } from '../../src/smpp/types.ts'
import { fakeClock } from '../support/clock.ts'

type When = 'immediate' | 'after-submit' | 'after-submit-resp'

/** A text on a line of that habit, and what happens in which order. */
function saying(deliverResp: When, waitMs = 0) {
  const clock = fakeClock()
  const happened: string[] = []
  let leaving: Leaving | undefined
  let settle: (sent: Sent) => void = () => undefined
  const texts = createTexts({
    clock,
    metrics: { count: (_, labels) => void happened.push(labels!.limit!) },
    delivery: {
      say: (...[, , , , given]) => {
        leaving = given
        return new Promise((done) => (settle = done))
      },
    },
  })
  const link = { id: 'main/0', respond: (_: unknown, status: number) => void happened.push(`0x${status.toString(16)}`) }
  const from = { pdu: {}, link, line: { dialect: { habits: { deliverResp } }, waitMs: () => waitMs } }
  const said: Promise<Said> = texts.say('Busy', { returnPath: {} } as never, from as never)
  return { clock, happened, leaving: leaving!, settle: (sent: Sent) => (settle(sent), said) }
}

describe('a text outside any dialogue', () => {
  it('is behind its acknowledgement, in the same write, on the link of the message', () => {
    const { leaving, happened } = saying('immediate')
    leaving.leaves('main/0')
    assert.deepEqual(happened, ['0x0'])
  })
  it('is acknowledged once the system has it, when it takes another link', () => {
    const { leaving, happened } = saying('immediate')
    leaving.leaves('main/0.tx')
    assert.deepEqual(happened, [])
    leaving.left()
    assert.deepEqual(happened, ['0x0'])
  })
  it('is before its acknowledgement where the dialect wants our submit_sm first', () => {
    const { leaving, happened } = saying('after-submit')
    leaving.leaves('main/0')
    assert.deepEqual(happened, [])
    leaving.left()
    assert.deepEqual(happened, ['0x0'])
  })
  it('is acknowledged after its response where the dialect wants that', async () => {
    const { leaving, happened, settle } = saying('after-submit-resp')
    leaving.leaves('main/0')
    leaving.left()
    assert.deepEqual(happened, [])
    assert.equal(await settle('ok'), 'ok')
    assert.deepEqual(happened, ['0x0'])
  })
  it('gives its message back where it did not leave, and counts that', async () => {
    const { happened, settle, leaving, clock } = saying('immediate')
    assert.equal(leaving.byMs, clock.now() + SAY_MS)
    assert.equal(await settle('lost'), 'again')
    assert.deepEqual(happened, ['say_ms', '0x64'])
  })
  it('is not queued where it would wait too long: its message is given back at once', () => {
    const { happened, leaving } = saying('immediate', SAY_MS + 1)
    assert.deepEqual([happened, leaving], [['say_ms', '0x64'], undefined])
  })
  it('is not queued behind too many that wait', async () => {
    const answers: number[] = []
    const limits: string[] = []
    const texts = createTexts({
      clock: fakeClock(),
      metrics: { count: (_, labels) => void limits.push(labels!.limit!) },
      delivery: { say: () => new Promise(() => undefined) },
    })
    const link = { id: 'main/0', respond: (_: unknown, status: number) => void answers.push(status) }
    const from = { pdu: {}, link, line: { dialect: { habits: { deliverResp: 'immediate' } }, waitMs: () => 0 } }
    for (let n = 0; n < WAITING_TEXTS_MAX; n++) void texts.say('Busy', { returnPath: {} } as never, from as never)
    assert.deepEqual([answers, limits], [[], []])
    assert.equal(await texts.say('Busy', { returnPath: {} } as never, from as never), 'again')
    assert.deepEqual([answers, limits], [[0x64], ['waiting_texts_max']])
  })
  it('makes room for another as soon as it is acknowledged', async () => {
    const limits: string[] = []
    const texts = createTexts({
      clock: fakeClock(),
      metrics: { count: (_, labels) => void limits.push(labels!.limit!) },
      delivery: { say: (...[, , , , leaving]) => (leaving!.leaves('main/0'), new Promise(() => undefined)) },
    })
    const link = { id: 'main/0', respond: () => undefined }
    const from = { pdu: {}, link, line: { dialect: { habits: { deliverResp: 'immediate' } }, waitMs: () => 0 } }
    for (let n = 0; n < WAITING_TEXTS_MAX * 2; n++) void texts.say('Busy', { returnPath: {} } as never, from as never)
    assert.deepEqual(limits, [])
  })
  it('is not given back where it left and its link was lost: its message was acknowledged', async () => {
    const { leaving, happened, settle } = saying('immediate')
    leaving.leaves('main/0')
    assert.equal(await settle('lost'), 'lost')
    assert.deepEqual(happened, ['0x0'])
  })
  it('is acknowledged where it can never be written: another try would end in the same way', async () => {
    const { happened, settle } = saying('immediate')
    assert.equal(await settle('gone'), 'gone')
    assert.deepEqual(happened, ['0x0'])
  })
})
