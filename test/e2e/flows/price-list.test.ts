import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { newStage, stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, until } from '../../support/services.ts'

const SUBSCRIBERS = 200

/** A price list as an operator keeps it: she changes the figures. */
const prices = (small: number, large: number) => `flow: prices
spec: 1
start: main
languages: [en]
screens:
  main: { menu: Data bundles, choices: [{ label: '1 GB K${small}', to: small }, { label: '5 GB K${large}', to: large }] }
  small: { menu: 'Buy 1 GB for K${small}?', choices: [{ label: 'Yes', to: small-bought }] }
  large: { menu: 'Buy 5 GB for K${large}?', choices: [{ label: 'Yes', to: large-bought }] }
  small-bought: { end: 'You bought 1 GB for K${small}.' }
  large-bought: { end: 'You bought 5 GB for K${large}.' }
`

describeWith(['redis', 'postgres'], 'a price list that is edited while it is read', () => {
  const stage = newStage()
  const folder = mkdtempSync(join(tmpdir(), 'ussd-prices-'))
  let smsc: Smsc
  let staged: Staged
  const start = async () => {
    staged = await stageDaemon({
      smscPort: smsc.port,
      with: stage,
      change: (settings) => {
        settings.flows = { ...settings.flows, dir: folder, reloadMs: 50 }
        settings.services = [{ code: '*200#', flow: 'prices' }]
        settings.lines[0]!.timers.reconnectMs = 50
        settings.stopMs = 0
      },
    })
    await smsc.bound(1)
  }
  const inForce = async () => JSON.stringify((await staged.daemon.readiness()).parts.flows)
  const write = async (text: string) => {
    const before = await inForce()
    writeFileSync(join(folder, 'prices.new'), text)
    renameSync(join(folder, 'prices.new'), join(folder, 'prices.yaml'))
    await until(async () => (await inForce()) !== before, 'the edit does not go live')
  }
  before(async () => {
    writeFileSync(join(folder, 'prices.yaml'), prices(10, 40))
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    await start()
  })
  after(async () => {
    await staged?.daemon.stores.knex.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
    await staged?.close()
    await smsc?.stop()
    for (const path of [folder, stage.data]) rmSync(path, { recursive: true, force: true })
  })

  it(`${SUBSCRIBERS} dialogues finish with the price that they were shown, also over a restart; new dials see the new one`, async function () {
    this.timeout(60_000)
    const phones = Array.from({ length: SUBSCRIBERS }, (_, n) => smsc.phone(`6757${String(n).padStart(7, '0')}`))
    const half = SUBSCRIBERS / 2
    const all = <T>(who: typeof phones, run: (phone: (typeof phones)[number], n: number) => Promise<T>) =>
      Promise.all(who.map(run))
    await all(phones, async (phone) =>
      assert.equal((await phone.dial('*200#')).text, 'Data bundles\n1. 1 GB K10\n2. 5 GB K40'),
    )
    await all(phones.slice(0, half), async (phone) =>
      assert.match((await phone.answer('1')).text, /^Buy 1 GB for K10\?/),
    )
    const old = /prices@\w+/.exec(await inForce())![0]
    await write(prices(12, 44))
    const now = /prices@\w+/.exec(await inForce())![0]
    const fresh = smsc.phone('67579999999')
    assert.equal((await fresh.dial('*200#')).text, 'Data bundles\n1. 1 GB K12\n2. 5 GB K44')
    assert.deepEqual(
      [...(await staged.daemon.stores.dialogues.census(1_000)).open],
      [
        [old, SUBSCRIBERS],
        [now, 1],
      ],
    )
    // Those who saw K10 and have not chosen yet: some before, some after the daemon starts anew, from the archive.
    await all(phones.slice(half), async (phone) => assert.match((await phone.answer('2')).text, /^Buy 5 GB for K40\?/))
    const texts = await all(phones.slice(0, half / 2), async (phone) => (await phone.answer('1')).text)
    assert.equal(await staged.daemon.metrics.value('flow_ends_total', { revision: old, reason: 'completed' }), half / 2)
    await staged.close()
    writeFileSync(join(folder, 'prices.yaml'), prices(15, 50))
    await start()
    texts.push(...(await all(phones.slice(half / 2), async (phone) => (await phone.answer('1')).text)))
    const counted = (text: string) => texts.filter((said) => said === text).length
    assert.deepEqual([counted('You bought 1 GB for K10.'), counted('You bought 5 GB for K40.')], [half, half])
    assert.match((await fresh.answer('1')).text, /^Buy 1 GB for K12\?/)
    assert.match((await smsc.phone('67579999998').dial('*200#')).text, /K15/)
    assert.equal(await staged.daemon.metrics.value('flow_turns_total', { revision: old }), SUBSCRIBERS - half / 2)
  })
})
