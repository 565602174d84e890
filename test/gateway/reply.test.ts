import assert from 'node:assert/strict'
import { sendReply, THROTTLED_MS, type Sent } from '../../src/gateway/reply.ts'
import type { Line, OutgoingPdu, SubmitOptions, SubmitOutcome } from '../../src/smpp/types.ts'
import { statusPolicy } from '../../src/ussd/status-policy.ts'
import { fakeClock, type FakeClock } from '../support/clock.ts'

const TURN_MS = 8_000
const THROTTLED: SubmitOutcome = { kind: 'refused', status: 0x58 }
const FULL: SubmitOutcome = { kind: 'refused', status: 0x14 }
const OK: SubmitOutcome = {
  kind: 'ok',
  messageId: '',
  pdu: { command: 'submit_sm_resp', status: 0, sequence: 1, body: {}, tlvs: [] },
}

interface Scene {
  outcomes: SubmitOutcome[]
  chance?: number
  isWanted?: (atMs: number) => boolean | null
  deadlineMs?: number
}

/** When each write was, in milliseconds from the first, and what came of all. The last outcome is repeated. */
async function played({ outcomes, chance = 0, isWanted = () => true, deadlineMs = TURN_MS }: Scene) {
  const clock: FakeClock = fakeClock()
  const startMs = clock.now()
  const writes: number[] = []
  const links: (string | undefined)[] = []
  const counted: string[] = []
  const line = {
    name: 'test',
    dialect: { policy: statusPolicy },
    async submit(_: OutgoingPdu, { link }: SubmitOptions): Promise<SubmitOutcome> {
      const outcome = outcomes[Math.min(writes.length, outcomes.length - 1)]!
      links.push(link)
      writes.push(clock.now() - startMs)
      return outcome
    },
  } as unknown as Line
  const reply = {
    pdu: {} as OutgoingPdu,
    action: 'continue' as const,
    line,
    link: 'one/0#1',
    deadline: startMs + deadlineMs,
    tryUntil: startMs + TURN_MS,
  }
  let sent: Sent | undefined
  const parts = {
    clock,
    chance: () => chance,
    metrics: {
      count: (name: string, labels: Record<string, string> = {}) =>
        void counted.push(`${name} ${labels.result ?? labels.why}`),
    },
    isWanted: async () => isWanted(clock.now() - startMs),
  }
  const sending = sendReply(reply, parts).then((it) => (sent = it))
  await clock.advance(deadlineMs + TURN_MS)
  assert.notEqual(sent, undefined, 'it goes on after its time')
  return { writes, links, counted, sent: await sending }
}

describe('a reply that the SMSC throttles', () => {
  for (const chance of [0, 0.999_999]) {
    it(`is shown within 4 s after three refusals, each try in another second (lot ${chance})`, async () => {
      const { writes, sent } = await played({ outcomes: [THROTTLED, FULL, THROTTLED, OK], chance })
      assert.equal(sent, 'ok')
      assert.equal(writes.length, 4)
      assert.ok(writes[3]! <= 4_000, `the fourth try is at ${writes[3]} ms`)
      assert.equal(new Set(writes.map((ms) => Math.floor(ms / 1_000))).size, 4)
    })
  }

  it('is tried over the whole time of the turn, and then is refused for good, not open', async () => {
    const { writes, sent } = await played({ outcomes: [THROTTLED] })
    assert.equal(sent, 'throttled')
    assert.ok(TURN_MS - writes.at(-1)! <= THROTTLED_MS.most, `no try since ${writes.at(-1)} ms`)
    assert.ok(writes.length <= TURN_MS / THROTTLED_MS.least, 'no more than one a second')
  })

  it('is not tried until an answer is due, where the response to a question waits for the subscriber', async () => {
    const { writes, sent } = await played({ outcomes: [THROTTLED], deadlineMs: 180_000 })
    assert.equal(sent, 'throttled')
    assert.ok(writes.at(-1)! < TURN_MS)
  })

  it('is let go as soon as the dialogue has gone on', async () => {
    const { writes, sent } = await played({ outcomes: [THROTTLED], isWanted: (atMs) => atMs < 2_500 })
    assert.equal(sent, 'stale')
    assert.deepEqual(writes, [0, 1_000, 2_000])
  })

  it('is left to the sweep where another write of it may have been shown', async () => {
    const { sent } = await played({ outcomes: [{ kind: 'lost' }, THROTTLED] })
    assert.equal(sent, 'lost')
  })

  it('is sent once more at once, over any bind, where the SMSC does not count this bind', async () => {
    const unbound: SubmitOutcome = { kind: 'refused', status: 0x04 }
    const shown = await played({ outcomes: [unbound, OK] })
    assert.deepEqual([shown.writes, shown.links, shown.sent], [[0, 0], ['one/0#1', undefined], 'ok'])
    const never = await played({ outcomes: [unbound] })
    assert.deepEqual([never.writes, never.sent], [[0, 0], 'gone'])
  })

  it('is not tried again where the refusal is another', async () => {
    const { writes, sent } = await played({ outcomes: [{ kind: 'refused', status: 0x45 }] })
    assert.deepEqual([writes, sent], [[0], 'gone'])
  })
})

describe('a reply whose link is lost', () => {
  it('is written twice at most, soon one after the other, and left to the sweep', async () => {
    const { writes, sent } = await played({ outcomes: [{ kind: 'lost' }] })
    assert.deepEqual([writes, sent], [[0, 200], 'lost'])
  })
  it('is left to the sweep where there is no link all the time', async () => {
    const { sent, writes, counted } = await played({ outcomes: [{ kind: 'unsent', why: 'no-bind' }] })
    assert.equal(sent, 'lost')
    assert.ok(writes.length > 10)
    assert.deepEqual(counted, ['ussd_replies_total unsent', 'smpp_unsent no-bind'], 'the reply, not its tries')
  })
  it('is not tried again on a line that was stopped: a process that ends would wait for it', async () => {
    const { sent, writes, counted } = await played({ outcomes: [{ kind: 'lost' }, { kind: 'unsent', why: 'stopped' }] })
    assert.deepEqual([sent, writes, counted], ['lost', [0, 200], ['ussd_replies_total lost']])
  })
  it('is not counted as unsent where a later try gets a link', async () => {
    const none: SubmitOutcome = { kind: 'unsent', why: 'no-bind' }
    const { sent, counted } = await played({ outcomes: [none, none, OK] })
    assert.deepEqual([sent, counted], ['ok', ['ussd_replies_total ok']])
  })
  it('is open, and sent once more only, where the SMSC has it and says nothing', async () => {
    const { writes, sent } = await played({ outcomes: [{ kind: 'timeout' }] })
    assert.deepEqual([writes, sent], [[0], 'open'])
  })
})
