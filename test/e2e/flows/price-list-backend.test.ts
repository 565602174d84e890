import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { newStage, stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, until } from '../../support/services.ts'

const SUBSCRIBERS = 200

const FLOW = `flow: bundles
spec: 1
start: offers
languages: [en]
screens:
  offers: { call: shop.prices, expect: { rows: { is: rows, max: 9, fields: { name: 10 } } }, to: choose }
  choose: { list: Data bundles, from: data.offers.rows, row: '{row.name} K{row.price}', keep: [id, name, price], to: sure, empty: none }
  sure: { menu: 'Buy {chosen.choose.name} for K{chosen.choose.price}?', choices: [{ label: 'Yes', to: buy }] }
  buy:
    call: shop.buy
    with: { id: '{chosen.choose.id}', price: '{chosen.choose.price}' }
    once: true
    to: bought
  bought: { end: 'You bought {chosen.choose.name} for K{chosen.choose.price}.' }
  none: { end: Nothing for sale. }
`

interface Row {
  id: string
  name: string
  price: number
}
const OLD: Row[] = [
  { id: 'g1', name: '1 GB', price: 10 },
  { id: 'g5', name: '5 GB', price: 40 },
]
/** Dearer, in another order, with one more in front: what was 2 is now 3. */
const NEW: Row[] = [
  { id: 'g0', name: '500 MB', price: 6 },
  { id: 'g1', name: '1 GB', price: 12 },
  { id: 'g5', name: '5 GB', price: 44 },
]
const shown = (rows: Row[]) =>
  ['Data bundles', ...rows.map(({ name, price }, i) => `${i + 1}. ${name} K${price}`)].join('\n')

describeWith(['redis', 'postgres'], 'a price list that is changed in the back end while it is read', () => {
  const stage = newStage()
  const folder = mkdtempSync(join(tmpdir(), 'ussd-bundles-'))
  let shop: Server
  let rows = OLD
  let isAway = false
  let sold: { key: string; msisdn: string; id: string; price: number }[]
  let asked: { msisdn?: string; epoch?: string }[]
  let smsc: Smsc
  let staged: Staged

  const start = async () => {
    staged = await stageDaemon({
      smscPort: smsc.port,
      with: stage,
      change: (settings) => {
        settings.flows = { ...settings.flows, dir: folder, reloadMs: 0 }
        settings.services = [{ code: '*201#', flow: 'bundles' }]
        settings.backends = {
          shop: {
            http: {
              url: `http://127.0.0.1:${(shop.address() as AddressInfo).port}`,
              timeoutMs: 5_000,
              headers: {},
              concurrent: 50,
              retries: 0,
              octetsMax: 65_536,
              ended: false,
              cache: {
                entries: 10,
                octets: 65_536,
                reads: { prices: { maxAgeSeconds: 1, staleIfErrorSeconds: 600, shared: true } },
              },
            },
          },
        }
        settings.lines[0]!.timers.reconnectMs = 50
        settings.stopMs = 0
      },
    })
    await smsc.bound(1)
  }
  const cache = (result: string) => staged.daemon.metrics.value('backend_cache_total', { operation: 'prices', result })

  before(async () => {
    sold = []
    asked = []
    writeFileSync(join(folder, 'bundles.yaml'), FLOW)
    shop = createServer(async (request, response) => {
      let text = ''
      for await (const chunk of request) text += chunk
      const { msisdn, epoch, args } = JSON.parse(text) as {
        msisdn: string
        epoch: string
        args: { id: string; price: number }
      }
      if (isAway) return response.writeHead(503).end()
      const isPrices = request.url === '/prices'
      if (isPrices) asked.push({ msisdn, epoch })
      else sold.push({ key: request.headers['idempotency-key'] as string, msisdn, ...args })
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(isPrices ? { rows } : {}))
    }).listen(0, '127.0.0.1')
    await once(shop, 'listening')
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    await start()
  })
  after(async () => {
    await staged?.daemon.stores.knex.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
    await staged?.close()
    await smsc?.stop()
    shop?.closeAllConnections()
    shop?.close()
    for (const path of [folder, stage.data]) rmSync(path, { recursive: true, force: true })
  })

  it(`${SUBSCRIBERS} dialogues buy what they were shown, at its price, also over a restart; new dials see the new list`, async function () {
    this.timeout(60_000)
    const phones = Array.from({ length: SUBSCRIBERS }, (_, n) => smsc.phone(`6758${String(n).padStart(7, '0')}`))
    const half = SUBSCRIBERS / 2
    await Promise.all(phones.map(async (phone) => assert.equal((await phone.dial('*201#')).text, shown(OLD))))
    const [fetched, joined, fresh] = [await cache('fetched'), await cache('joined'), await cache('fresh')]
    assert.equal(fetched + joined + fresh, SUBSCRIBERS)
    assert.equal(asked.length, fetched)
    assert.ok(fetched < SUBSCRIBERS / 10, `asked ${fetched} times for ${SUBSCRIBERS} dials`)
    assert.ok(
      asked.every(({ msisdn, epoch }) => msisdn === undefined && epoch === undefined),
      'a shared read names nobody',
    )

    await Promise.all(
      phones.slice(0, half).map(async (phone) => assert.match((await phone.answer('1')).text, /^Buy 1 GB for K10\?/)),
    )
    rows = NEW
    let serial = 0
    const dials = async () => (await smsc.phone(`67590${String(serial++).padStart(6, '0')}`).dial('*201#')).text
    await until(async () => (await dials()) === shown(NEW), 'the new list is not seen')

    // The list on show is frozen: 2 is what was shown as 2, though the new list has another one there.
    await Promise.all(
      phones.slice(half).map(async (phone) => assert.match((await phone.answer('2')).text, /^Buy 5 GB for K40\?/)),
    )
    const texts = await Promise.all(phones.slice(0, half / 2).map(async (phone) => (await phone.answer('1')).text))

    isAway = true
    await until(async () => (await dials(), await cache('stale')) > 0, 'nothing is answered from what is old')
    assert.equal(await dials(), shown(NEW), 'and what is old is the newest that there was')
    isAway = false

    await staged.close()
    await start()
    texts.push(...(await Promise.all(phones.slice(half / 2).map(async (phone) => (await phone.answer('1')).text))))
    const counted = (text: string) => texts.filter((said) => said === text).length
    assert.deepEqual([counted('You bought 1 GB for K10.'), counted('You bought 5 GB for K40.')], [half, half])
    const bought = (id: string, price: number) => sold.filter((one) => one.id === id && one.price === price).length
    assert.deepEqual([bought('g1', 10), bought('g5', 40), sold.length], [half, half, SUBSCRIBERS])
    assert.equal(new Set(sold.map(({ key }) => key)).size, SUBSCRIBERS, 'each sale has its key')
    assert.equal(new Set(sold.map(({ msisdn }) => msisdn)).size, SUBSCRIBERS, 'and its buyer')
    assert.equal(await dials(), shown(NEW))
  })
})
