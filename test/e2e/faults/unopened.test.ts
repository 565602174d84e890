import assert from 'node:assert/strict'
import { faultProxy, targetOf, through, type FaultProxy } from '../../campaigns/staging/proxy.ts'
import type { Settings } from '../../../src/config/schema.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { HELD_MS, heldClock } from '../../support/clock.ts'
import { newStage, stageDaemon, type Staged } from '../../support/daemon.ts'
import { FAREWELL, T1 } from '../../support/screens.ts'
import { describeWith, services, until } from '../../support/services.ts'

const BUSY = 'Service busy. Please try again later.'

/** The first dial meets a daemon whose Redis is away; what comes later is delivered to that one or to the other. */
describeWith(
  ['redis', 'postgres'],
  'a dial that met no store, and comes once more when the next one is under way',
  () => {
    let smsc: Smsc
    let proxy: FaultProxy
    /** The late copy comes when a test says so. */
    const clock = heldClock()
    let chosen = 0
    const daemons: Staged[] = []

    before(async function () {
      this.timeout(60_000)
      smsc = await startSmsc({
        clock,
        chance: Math.random,
        deliveries: {
          choose: (able) =>
            able.toSorted((a, b) => Number(a.systemId > b.systemId) - 0.5)[Math.min(chosen, able.length - 1)],
        },
      })
      proxy = await faultProxy(targetOf(services.redisUrl!))
      const first = await stageDaemon({
        smscPort: smsc.port,
        change: (settings) => change(settings, 'a', through(services.redisUrl!, proxy)),
      })
      daemons.push(first)
      const { prefix } = first.settings.redis as { prefix: string }
      const schema = /search_path=(\w+)/.exec(decodeURIComponent((first.settings.postgres as { url: string }).url))![1]!
      daemons.push(
        await stageDaemon({
          smscPort: smsc.port,
          with: { ...newStage(), prefix, schema },
          change: (settings) => change(settings, 'b', services.redisUrl!),
        }),
      )
      await smsc.bound(2)
      const msisdns = ['67572000001', '67572000002', '67572000003', '67572000004']
      await first
        .knex('dental_profile')
        .insert(msisdns.map((msisdn) => ({ msisdn, name: 'John', language: 'en', created_at: new Date() })))
    })
    after(async () => {
      for (const daemon of daemons.toReversed()) await daemon.close()
      await smsc?.stop()
      await proxy?.close()
    })
    afterEach(() => proxy.set({ is: 'pass' }))

    function change(settings: Settings, systemId: string, url: string): void {
      settings.redis = { ...(settings.redis as object), url } as Settings['redis']
      settings.lines[0]!.smsc.systemId = systemId
      settings.dialogue.sweepMs = 50
    }

    const repeats = (n: number) =>
      daemons[n]!.daemon.metrics.value('ussd_messages_total', { kind: 'begin', result: 'repeat' })
    const stored = (msisdn: string) => daemons[1]!.daemon.stores.dialogues.find({ group: 'test', msisdn })

    /** Dials while the Redis of the first daemon is away; then it is back, and has been told. */
    async function refused(msisdn: string) {
      const phone = smsc.phone(msisdn)
      smsc.chaos.add({ on: 'deliver_sm', msisdn, event: 'begin', times: 1, act: { is: 'late', ms: HELD_MS } })
      chosen = 0
      await proxy.set({ is: 'refuse' })
      assert.equal((await phone.dial('*123#')).text, BUSY)
      await proxy.set({ is: 'pass' })
      return phone
    }

    for (const [copy, name] of ['the same daemon', 'another daemon'].entries()) {
      it(`is known for a copy by ${name}: the dialogue goes on`, async () => {
        const msisdn = `6757200000${copy + 1}`
        const phone = await refused(msisdn)
        await until(async () => (await stored(msisdn))?.ended === 'store-failed', 'it is not written down')
        chosen = copy
        assert.equal((await phone.dial('*123#')).text, T1)
        const before = await repeats(copy)
        clock.release()
        await until(async () => (await repeats(copy)) > before, 'no copy is counted')
        assert.equal((await phone.answer('4')).text, FAREWELL)
      })
    }

    it('is no copy of itself where the next dial gets its number: that one is served', async () => {
      const phone = smsc.phone('67572000004')
      chosen = 0
      await proxy.set({ is: 'refuse' })
      for (let dial = 0; dial < 2; dial++) assert.equal((await phone.dial('*123#', { number: 7 })).text, BUSY)
      await proxy.set({ is: 'pass' })
      await until(async () => (await stored('67572000004'))?.ended === 'store-failed', 'it is not written down')
      assert.equal((await phone.dial('*123#', { number: 7 })).text, T1)
      assert.equal((await phone.answer('4')).text, FAREWELL)
    })

    it('is written down under the dialogue that the other daemon opened meanwhile', async () => {
      const msisdn = '67572000003'
      const phone = smsc.phone(msisdn)
      smsc.chaos.add({ on: 'deliver_sm', msisdn, event: 'begin', times: 1, act: { is: 'late', ms: HELD_MS } })
      chosen = 0
      await proxy.set({ is: 'refuse' })
      assert.equal((await phone.dial('*123#')).text, BUSY)
      chosen = 1
      assert.equal((await phone.dial('*123#')).text, T1)
      await proxy.set({ is: 'pass' })
      const isUp = async () => (await daemons[0]!.daemon.readiness()).ready
      await until(isUp, 'Redis is not back')
      const swept = await daemons[0]!.daemon.metrics.value('dialogue_store_errors_total')
      assert.ok(swept > 0)
      const before = await repeats(0)
      chosen = 0
      clock.release()
      await until(async () => (await repeats(0)) > before, 'no copy is counted')
      assert.equal((await phone.answer('4')).text, FAREWELL)
    })
  },
)
