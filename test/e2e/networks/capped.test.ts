import assert from 'node:assert/strict'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, until } from '../../support/services.ts'

const PHONES = 100
/** What is dialled in the first second; of the next, what fits into the time of a turn. */
const SERVED_MAX = 20

describeWith(['redis', 'postgres'], 'more dials than the cap of the line lets answer', () => {
  let smsc: Smsc
  let staged: Staged

  async function start(embedded: boolean): Promise<void> {
    smsc = await startSmsc({ clock: realClock, chance: Math.random, deliveries: { temporaryMs: 60_000 } })
    staged = await stageDaemon({
      smscPort: smsc.port,
      embedded,
      change: (settings) => {
        settings.lines[0]!.submits = { perSecond: 5, ussdShare: 0.05 }
        settings.dialogue.turnMs = 2_000
      },
    })
    await smsc.bound(1)
  }
  afterEach(async () => {
    await staged?.close()
    await smsc?.stop()
  })

  for (const embedded of [false, true]) {
    it(`are turned away and counted, and those that are let in are answered (${embedded ? 'alone' : 'over Redis'})`, async function () {
      this.timeout(60_000)
      await start(embedded)
      const seen: string[] = []
      for (let n = 0; n < PHONES; n++) {
        void smsc
          .phone(String(67_571_000_000 + n))
          .dial('*123#')
          .then(
            ({ text }) => seen.push(text),
            () => undefined,
          )
      }
      const { metrics } = staged.daemon
      const away = () => metrics.value('limits_total', { limit: 'submits_per_second' })
      const begun = () => metrics.value('ussd_messages_total', { kind: 'begin', result: 'opened' })
      await until(async () => (await away()) >= PHONES - SERVED_MAX, 'they are not turned away')
      const welcomed = () => seen.filter((text) => text.startsWith('Welcome')).length
      await until(
        async () => welcomed() === (await begun()) && welcomed() > 4,
        'not all that were let in have a screen',
      )
      assert.ok(welcomed() <= SERVED_MAX, `${welcomed()}`)
      assert.equal(await metrics.value('limits_total', { limit: 'turn_ms' }), 0)
      assert.ok((await metrics.value('smpp_cap_used', { kind: 'ussd' })) >= welcomed())
      const asks = await metrics.value('smpp_cap_asks', { result: 'given' })
      assert.equal(asks > 0, !embedded)
    })
  }
})
