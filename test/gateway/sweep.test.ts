/** The regular look at what is due: what it asks of the store. */
import assert from 'node:assert/strict'
import { silentLog, systemClock } from '../../src/base/index.ts'
import type { DialogueRecord } from '../../src/dialogue/types.ts'
import type { Resent } from '../../src/gateway/delivery.ts'
import type { Sent } from '../../src/gateway/reply.ts'
import type { Line } from '../../src/smpp/types.ts'
import type { UssdReply } from '../../src/ussd/vocabulary.ts'
import { COUNT_EVERY, createSweep, type SweepDeps } from '../../src/gateway/sweep.ts'
import { fakeClock, type FakeClock } from '../support/clock.ts'

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

describe('what a sweep does about what is due', () => {
  const record = {
    key: { group: 'main', msisdn: '1' },
    epoch: 'e1',
    line: 'main',
    turn: 2,
    status: 'taken',
    openedMs: 0,
    touchedMs: 5,
    reply: { action: 'end', text: 'Too late', step: null, link: '' },
    returnPath: { carrier: '0a' },
  } as unknown as DialogueRecord
  interface Due {
    due: (clock: FakeClock) => object[] | undefined
    submitResp?: 'withheld' | 'immediate'
    isLineThere?: boolean
    resent?: Resent
    said?: Sent
    play?: (item: DialogueRecord) => Promise<void>
    count?: number | undefined
  }
  function sweeping({ due, submitResp = 'immediate', isLineThere = true, resent = 'sent', said = 'ok', ...more }: Due) {
    const clock = fakeClock()
    const told: string[] = []
    const asked: unknown[][] = []
    const played: { record: DialogueRecord; how: object }[] = []
    const line = { name: 'main', dialect: { habits: { submitResp } } }
    const timers = new Set<object>()
    let tokens = 0
    const deps = {
      dialogues: {
        count: async () => ('count' in more ? more.count : 3),
        overdue: async (...of: unknown[]) => (asked.push(of), due(clock)),
        confirm: ({ epoch }: DialogueRecord) => void told.push(`confirm ${epoch}`),
      },
      guarded: ((what, work) => (told.push(what), work())) as Guarded,
      unopened: { flush: async () => void told.push('flush') },
      counted: (open: number) => void told.push(`open ${open}`),
      clock: {
        ...clock,
        after: (ms: number, run: () => void) => {
          const timer = {}
          timers.add(timer)
          const cancel = clock.after(ms, () => (timers.delete(timer), run()))
          return () => (timers.delete(timer), cancel())
        },
      },
      mint: { token: () => `token${++tokens}` },
      log: {
        ...silentLog,
        error: (fields: object, message: string) => told.push(`${message} ${JSON.stringify(fields)}`),
      },
      metrics: { count: (name: string, labels: object) => told.push([name, ...Object.values(labels)].join(' ')) },
      limits: { leaseMs: 3_000, turnMs: 20_000, takeoversMax: 2, totalMs: 180_000 },
      texts: { expired: 'Session expired' },
      finish: ({ epoch }: DialogueRecord) => void told.push(`finish ${epoch}`),
      line: () => (isLineThere ? line : undefined),
      turns: {
        lostOf: (previous: DialogueRecord | null) => previous && { ...previous, epoch: 'lost' },
        play: async (of: DialogueRecord, how: object) => (played.push({ record: of, how }), more.play?.(of)),
      },
      delivery: {
        resend: async (_: DialogueRecord, link?: string) => (told.push(`resend ${link}`), resent),
        say: async (reply: UssdReply, path: { carrier: string }, on: Line, link?: string) => {
          told.push(`say ${reply.text} ${path.carrier} ${on.name} ${link}`)
          return said
        },
      },
    }
    const sweep = createSweep(deps as unknown as SweepDeps)
    return { clock, told, asked, played, sweep, timers: () => timers.size }
  }
  const dealt = async (parts: Due) => {
    const it = sweeping(parts)
    await it.sweep()
    return it.told.slice(it.told.indexOf('open 3') + 1)
  }

  it('asks for it once what waited to be opened is, with a token and a lease of its own', async () => {
    const { sweep, told, asked, clock } = sweeping({ due: () => [] })
    for (let n = 0; n < 2; n++) await sweep()
    const now = clock.now()
    assert.deepEqual(
      asked.map((of) => of.slice(0, 4)),
      [
        [now, 200, 'token1', now + 3_000],
        [now, 200, 'token2', now + 3_000],
      ],
    )
    assert.deepEqual(told, ['count', 'flush', 'overdue', 'open 3', 'flush', 'overdue'])
  })
  it('tells nobody how many are open where the store did not say, and does nothing where it said nothing', async () => {
    const { sweep, told } = sweeping({ due: () => undefined, count: undefined })
    await sweep()
    assert.deepEqual(told, ['count', 'flush', 'overdue'])
  })
  it('plays a turn that was left behind, as if its answer came now', async () => {
    const previous = { ...record, epoch: 'e0' }
    const item = { is: 'abandoned', record, token: 't', held: { at: 'x' }, previous }
    const { sweep, played, told, clock } = sweeping({ due: () => [item] })
    await sweep()
    assert.deepEqual(played, [
      {
        record: { ...record, touchedMs: clock.now() },
        how: { token: 't', held: { at: 'x' }, lost: { ...previous, epoch: 'lost' }, isLate: true },
      },
    ])
    assert.deepEqual(told.at(-1), 'dialogue_takeovers_total turn')
    const young = sweeping({ due: ({ now }) => [{ ...item, record: { ...record, touchedMs: now() }, previous: null }] })
    await young.sweep()
    assert.deepEqual(young.played[0]!.how, { token: 't', held: { at: 'x' }, lost: null, isLate: false })
  })
  it('sends a screen again that nobody saw accepted, and then is done with it, unless that comes later', async () => {
    const due = () => [{ is: 'unconfirmed', record }]
    assert.deepEqual(await dealt({ due }), ['resend undefined', 'confirm e1'])
    assert.deepEqual(await dealt({ due, resent: 'over' }), ['resend undefined', 'confirm e1'])
    assert.deepEqual(await dealt({ due, resent: 'later' }), ['resend undefined'])
    assert.deepEqual(await dealt({ due, isLineThere: false }), ['resend undefined', 'confirm e1'])
  })
  it('sends no screen again where responses are withheld: it stands on the phone', async () => {
    const due = () => [{ is: 'unconfirmed', record }]
    assert.deepEqual(await dealt({ due, submitResp: 'withheld' }), ['confirm e1'])
  })
  it('says the last words of one that ended, over any link; where there is no line, its end is all', async () => {
    const due = () => [{ is: 'ended', record }]
    assert.deepEqual(await dealt({ due }), ['finish e1', 'say Too late 0a main undefined', 'confirm e1'])
    assert.deepEqual(await dealt({ due, isLineThere: false }), ['finish e1'])
  })
  it('deals with the others where one fails, which is a bug', async () => {
    const play = ({ epoch }: DialogueRecord) => (epoch === 'e1' ? Promise.reject(new Error('x')) : Promise.resolve())
    const other = { is: 'unconfirmed', record: { ...record, epoch: 'e2' } }
    const told = await dealt({ due: () => [{ is: 'abandoned', record, previous: null }, other], play })
    assert.ok(told.includes('confirm e2'))
    assert.ok(told.includes('bugs_total sweep'))
    const said = told.find((line) => line.startsWith('the sweep failed for one dialogue'))!
    assert.match(said, /"epoch":"e1"/)
  })
  it('goes on after a while where a turn waits for its back end, and leaves no timer behind where none does', async () => {
    const hangs = sweeping({
      due: () => [{ is: 'abandoned', record, previous: null }],
      play: () => new Promise(() => undefined),
    })
    let isOver = false
    void hangs.sweep().then(() => (isOver = true))
    await hangs.clock.advance(999)
    assert.deepEqual([isOver, hangs.timers()], [false, 1])
    await hangs.clock.advance(1)
    assert.deepEqual([isOver, hangs.timers()], [true, 0])
    const quick = sweeping({ due: () => [{ is: 'unconfirmed', record }] })
    await quick.sweep()
    assert.equal(quick.timers(), 0)
  })
})
