import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Knex } from 'knex'
import { storeKeyCommand } from '../../../src/cli/store-key.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { stub, type Stub } from '../../backend/contracts/stub.ts'
import { realClock } from '../../support/clock.ts'
import { newStage, stageDaemon, stageTables, type Staged } from '../../support/daemon.ts'
import { describeWith, until } from '../../support/services.ts'

const FLOW = `
flow: loan
spec: 1
start: main
languages: [en]
screens:
  main: { menu: "Loans", choices: [{ label: My debt, to: debt }] }
  debt: { call: bank.debt, as: it, to: owed, failed: owed }
  owed: { end: "You owe K {data.it.amount}." }
texts:
  en: { holding: "The bank is working. We will tell you." }
`

interface Row {
  epoch: string
  msisdn: string
  snapshot: string
  turn: number
  lease_until: Date
}

describeWith(['redis', 'postgres'], 'promised answers whose rows were forged', () => {
  const dir = mkdtempSync(join(tmpdir(), 'ussd-late-forged-'))
  const stage = newStage()
  let smsc: Smsc
  let staged: Staged
  let bank: Stub
  let knex: Knex
  const waiting: ServerResponse[] = []
  const start = async () => {
    staged = await stageDaemon({
      smscPort: smsc.port,
      frozen: false,
      with: stage,
      change: (settings) => {
        settings.flows.dir = dir
        settings.services = [{ code: '*123#', flow: 'loan' }]
        const http = {
          url: bank.url,
          timeoutMs: 20_000,
          headers: {},
          concurrent: 50,
          retries: 0,
          octetsMax: 65_536,
          ended: false,
          patienceMs: 150,
        }
        settings.backends = { bank: { http } }
        settings.late = { waitMs: 60_000, busyMs: 20_000, pushMs: 3_000, leaseMs: 1_000, waitingMax: 100 }
        settings.privacy.storeKeyFile = join(dir, 'keys')
        settings.stopMs = 0
      },
    })
    await smsc.bound(1)
  }
  before(async () => {
    writeFileSync(join(dir, 'loan.yaml'), FLOW)
    storeKeyCommand(join(dir, 'keys'), {}, () => undefined)
    bank = await stub()
    bank.says((_, response) => void waiting.push(response))
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    await start()
    knex = await stageTables(stage)
  })
  after(async () => {
    await staged?.close()
    await knex?.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
    await knex?.destroy()
    await smsc?.stop()
    await bank?.close()
    for (const path of [dir, stage.data]) rmSync(path, { recursive: true, force: true })
  })

  it('are not told: with a plain snapshot, that of another row, or another turn; counted, put aside, and not tried again', async () => {
    const phones = ['1', '2', '3', '4'].map((n) => smsc.phone(`6757000000${n}`))
    for (const phone of phones) {
      await phone.dial('*123#')
      assert.match((await phone.answer('1')).text, /We will tell you/)
    }
    const rows = () => knex('ussd_late').select<Row[]>('*').orderBy('msisdn')
    await until(async () => (await rows()).length === 4, 'not all were promised')
    const [plain, moved, turned] = await rows()
    assert.match(plain!.snapshot, /^-2k/)
    await staged.close()
    waiting.length = 0
    const forge = (row: { epoch: string }, change: object) =>
      knex('ussd_late').where({ epoch: row.epoch }).update(change)
    await forge(plain!, { snapshot: '{"value":"owed","context":{"data":{"it":{"amount":1}}}}' })
    await forge(moved!, { snapshot: turned!.snapshot })
    await forge(turned!, { turn: turned!.turn + 1 })
    await start()
    await until(
      async () => (await staged.daemon.metrics.value('ussd_late_total', { what: 'refused' })) >= 3,
      'not refused',
    )
    await until(() => waiting.length > 0, 'the fourth is not asked again')
    for (const response of waiting) response.writeHead(200, { 'content-type': 'application/json' }).end('{"amount":70}')
    assert.equal((await phones[3]!.next()).text, 'You owe K 70.')
    assert.deepEqual(
      phones.slice(0, 3).map((phone) => phone.inbox.length),
      [0, 0, 0],
    )
    await until(async () => (await rows()).length === 3, 'the fourth is not settled')
    const left = await rows()
    assert.deepEqual(
      left.map(({ msisdn }) => msisdn),
      [plain!.msisdn, moved!.msisdn, turned!.msisdn],
    )
    assert.ok(
      left.every(({ lease_until }) => lease_until.getTime() > realClock.now() + 3_600_000),
      'they are looked at again',
    )
    assert.equal(
      staged.logged().filter(({ msg }) => String(msg).startsWith('a row of ussd_late was altered')).length,
      3,
    )
  })
})
