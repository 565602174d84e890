/** The leases of turns under way: renewed in time, for as long as they last, and no longer. */
import assert from 'node:assert/strict'
import { createLeases, isGivenUp, mayBeSeen, seenAs, type GatewayLimits } from '../../src/gateway/steps.ts'
import type { Incoming } from '../../src/smpp/types.ts'
import { silentLog } from '../../src/base/log/port.ts'
import { RECORD, START } from '../dialogue/turn-support.ts'
import { fakeClock } from '../support/clock.ts'

describe('the leases', () => {
  const leasesOf = (leaseMs: number) => {
    const clock = fakeClock(0)
    const renewed: [string, number][] = []
    const leases = createLeases(leaseMs, clock)
    return { clock, renewed, keep: (name: string) => leases.keep(() => void renewed.push([name, clock.now()])) }
  }

  it('are renewed at each third of their time', async () => {
    const { clock, renewed, keep } = leasesOf(3_000)
    keep('a')
    await clock.advance(3_500)
    assert.deepEqual(renewed, [
      ['a', 1_000],
      ['a', 2_000],
      ['a', 3_000],
    ])
  })

  it('are renewed each at its own time', async () => {
    const { clock, renewed, keep } = leasesOf(3_000)
    keep('a')
    await clock.advance(400)
    keep('b')
    await clock.advance(2_100)
    assert.deepEqual(renewed, [
      ['a', 1_000],
      ['b', 1_400],
      ['a', 2_000],
      ['b', 2_400],
    ])
  })

  it('are renewed on when the clock is set back by an hour', async () => {
    const { clock, renewed, keep } = leasesOf(3_000)
    keep('a')
    clock.set(-3_600_000)
    await clock.advance(2_500)
    assert.deepEqual(
      renewed.map(([name]) => name),
      ['a'],
    )
  })

  it('are not renewed once their turn is over', async () => {
    const { clock, renewed, keep } = leasesOf(3_000)
    const over = keep('a')
    const [, other] = [keep('b'), keep('c')]
    other()
    await clock.advance(1_500)
    over()
    await clock.advance(1_000)
    assert.deepEqual(renewed, [
      ['a', 1_000],
      ['b', 1_000],
      ['b', 2_000],
    ])
  })

  it('are renewed again after none was held for a while', async () => {
    const { clock, renewed, keep } = leasesOf(3_000)
    keep('a')()
    await clock.advance(10_000)
    keep('b')
    await clock.advance(1_000)
    assert.deepEqual(renewed, [['b', 11_000]])
  })
})

describe('a turn that was left behind', () => {
  const limits = { turnMs: 8_000, leaseMs: 3_000, takeoversMax: 2 } as GatewayLimits
  const given = (takeovers: number, nowMs: number) => {
    const counted: string[] = []
    const metrics = {
      count: (name: string, labels: Record<string, string> = {}) =>
        void counted.push([name, ...Object.values(labels)].join(' ')),
    }
    return [isGivenUp({ ...RECORD, takeovers }, nowMs, { limits, metrics, log: silentLog }), counted]
  }

  it('is played again until it is too late, or was taken over too often, which is counted', () => {
    assert.deepEqual(given(1, START + 14_000), [false, []])
    assert.deepEqual(given(2, START + 14_000), [false, []])
    assert.deepEqual(given(1, START + 14_001), [true, []])
    assert.deepEqual(given(3, START + 1), [true, ['limits_total takeovers_max']])
  })
})

describe('what a message may be shown as, before the store is asked', () => {
  const ussd = (kind: string) => ({ is: 'ussd', message: { kind } }) as Incoming
  it('is the code of a dial; nothing of an answer, which may be a secret; and SMS and receipts, which are none', () => {
    assert.deepEqual(
      [ussd('begin'), ussd('input'), ussd('notify-ack'), ussd('end')].map((incoming) => seenAs(incoming)),
      ['code', undefined, undefined, undefined],
    )
    const others: Incoming[] = [{ is: 'sms' }, { is: 'receipt' }, { is: 'ignore', why: 'x' }]
    assert.deepEqual(
      others.map((incoming) => seenAs(incoming)),
      ['open', 'open', undefined],
    )
  })
  it('is in clear of an answer that is taken, once it is known that no secret was asked for', () => {
    const of = (is: string, context: object) =>
      mayBeSeen({ is, record: { ...RECORD, snapshot: { value: 's', context } } } as never)
    assert.deepEqual([of('next', {}), of('next', { gate: 'pin' }), of('repeat', {})], [true, false, false])
  })
})
