/** The regular look at what is due: what it asks of the store. */
import assert from 'node:assert/strict'
import { silentLog, systemClock } from '../../src/base/index.ts'
import type { DialogueRecord } from '../../src/dialogue/types.ts'
import type { Sent } from '../../src/gateway/reply.ts'
import type { UssdReply } from '../../src/ussd/vocabulary.ts'
import { COUNT_EVERY, createSweep, type SweepDeps } from '../../src/gateway/sweep.ts'

type Guarded = SweepDeps['guarded']

function stage(ask: <T>(what: string, value: T) => Promise<T>) {
  const counted: number[] = []
  const guarded: Guarded = (_, work) => work()
  const deps = {
    dialogues: { count: () => ask('count', 7), overdue: () => ask('overdue', []), confirm: async () => undefined },
    guarded,
    unopened: { flush: async () => true },
    counted: (open: number) => void counted.push(open),
    clock: systemClock(),
    mint: { token: () => 'token' },
    log: silentLog,
    limits: { leaseMs: 3_000 },
    texts: { expired: 'Session expired' },
  }
  return { sweep: createSweep(deps as unknown as SweepDeps), counted }
}

/** One dialogue that ended at its deadline; the SMSC says this to its text. */
function ended(sent: Sent) {
  const told: string[] = []
  const record = {
    line: 'main',
    code: '*123#',
    ended: 'idle',
    epoch: 'e1',
    returnPath: {},
  } as unknown as DialogueRecord
  const overdue = async (...of: Parameters<SweepDeps['dialogues']['overdue']>) => [
    { is: 'ended', record: { ...record, reply: of[4]!(record) } },
  ]
  const guarded: Guarded = (_, work) => work()
  const deps = {
    dialogues: {
      count: async () => 1,
      overdue,
      confirm: ({ epoch }: DialogueRecord) => void told.push(`confirmed ${epoch}`),
    },
    guarded,
    unopened: { flush: async () => true },
    counted: () => undefined,
    clock: systemClock(),
    mint: { token: () => 'token' },
    log: silentLog,
    limits: { leaseMs: 3_000 },
    texts: { expired: 'Session expired' },
    finish: ({ epoch }: DialogueRecord) => void told.push(`finished ${epoch}`),
    line: () => ({}),
    delivery: { say: async ({ action, text }: UssdReply) => (told.push(`${action} ${text}`), sent) },
  }
  return { sweep: createSweep(deps as unknown as SweepDeps), told }
}

describe('the text of a dialogue that ended at its deadline', () => {
  it('is stored before it is sent, and confirmed when the SMSC has it, or never will', async () => {
    for (const sent of ['ok', 'gone', 'throttled'] as const) {
      const { sweep, told } = ended(sent)
      await sweep()
      assert.deepEqual(told, ['finished e1', 'end Session expired', 'confirmed e1'], sent)
    }
  })
  it('is left to be sent again where nobody knows whether the SMSC has it', async () => {
    for (const sent of ['open', 'lost'] as const) {
      const { sweep, told } = ended(sent)
      await sweep()
      assert.deepEqual(told, ['finished e1', 'end Session expired'], sent)
    }
  })
})

describe('a sweep', () => {
  it('asks for the count and for what is due at once: one round trip', async () => {
    let [asked, answer] = [0, (): void => undefined]
    const both = new Promise<void>((done) => (answer = done))
    const { sweep, counted } = stage(async (_, value) => {
      if (++asked === 2) answer()
      await both
      return value
    })
    await sweep()
    assert.deepEqual(counted, [7])
  })

  it('looks for what is due each time, and counts now and then', async () => {
    const asked: string[] = []
    const { sweep, counted } = stage(async (what, value) => {
      asked.push(what)
      return value
    })
    for (let n = 0; n < 2 * COUNT_EVERY; n++) await sweep()
    assert.equal(asked.filter((what) => what === 'overdue').length, 2 * COUNT_EVERY)
    assert.deepEqual(counted, [7, 7])
  })
})
