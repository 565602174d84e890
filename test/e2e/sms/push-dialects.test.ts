import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import knexFactory from 'knex'
import { dialectNames } from '../../../src/smpp/dialect/load.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { networkCodingOf } from '../../../src/simulator/network/by-name.ts'
import { realClock } from '../../support/clock.ts'
import { FROZEN, newStage, stageDaemon, type Staged, type Stage } from '../../support/daemon.ts'
import { describeWith, services, until } from '../../support/services.ts'
import { root } from '../../style/tree.ts'

const DIR = join(root, 'dialects')
const FLOW = `
flow: visit
spec: 1
start: ask
languages: [en]
screens:
  ask: { menu: "You have a visit.", choices: [{ label: Keep, to: kept }, { label: More, to: more }] }
  more: { menu: "At ten.", choices: [{ label: Keep, to: kept }] }
  kept: { end: "See you." }
`
const ASK = 'You have a visit.\n1. Keep\n2. More'

describeWith(['redis', 'postgres'], 'USSD that we begin, in every dialect', () => {
  const names = dialectNames(DIR)
  const smscs = new Map<string, Smsc>()
  const dir = mkdtempSync(join(tmpdir(), 'ussd-push-'))
  let staged: Staged
  let stage: Stage

  const start = () =>
    stageDaemon({
      smscPort: smscs.get('standard')!.port,
      with: stage,
      change: (settings) => {
        settings.flows.dir = join(dir, 'flows')
        settings.services = [{ code: '*123#', flow: 'visit' }]
        settings.backends = {}
        settings.reminders.channel = 'push-then-sms'
        settings.reminders.pushFlow = 'visit'
        settings.reminders.pollMs = 50
        settings.stopMs = 0
        const [line] = settings.lines
        line!.timers.reconnectMs = 50
        settings.lines = names.map((name) => ({
          ...line!,
          name,
          dialect: name,
          smsc: { ...line!.smsc, port: smscs.get(name)!.port },
        }))
        settings.lines.push({
          ...line!,
          name: 'closed',
          dialect: join(dir, 'closed.yaml'),
          smsc: { ...line!.smsc, port: smscs.get('closed')!.port },
        })
      },
    })

  before(async function () {
    this.timeout(60_000)
    mkdirSync(join(dir, 'flows'))
    writeFileSync(join(dir, 'flows/visit.yaml'), FLOW)
    writeFileSync(
      join(dir, 'closed.yaml'),
      'name: closed\nextends: standard\nseen: nowhere\nconfidence: inferred\npush: { idFrom: none }\n',
    )
    for (const name of names)
      smscs.set(name, await startSmsc({ clock: realClock, chance: Math.random, coding: networkCodingOf(name, DIR) }))
    smscs.set('closed', await startSmsc({ clock: realClock, chance: Math.random }))
    stage = newStage()
    staged = await start()
    await Promise.all([...smscs.values()].map((smsc) => smsc.bound(1)))
  })
  after(async function () {
    await staged?.close()
    const admin = knexFactory({ client: 'pg', connection: services.postgresUrl! })
    await admin.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
    await admin.destroy()
    rmSync(stage.data, { recursive: true, force: true })
    await Promise.all([...smscs.values()].map((smsc) => smsc.stop()))
    rmSync(dir, { recursive: true, force: true })
  })

  const numberOf = (d: number, i: number) => `6757${String(d).padStart(3, '0')}${String(i).padStart(4, '0')}`
  const push = (line: string, msisdn: string) => staged.daemon.push.push({ line, msisdn, flow: 'visit', ttlMs: 3_000 })

  for (const [d, name] of names.entries()) {
    it(`${name}: a question, whose answers go on in the flow, a notification, and a dial in between`, async () => {
      const phone = smscs.get(name)!.phone(numberOf(d, 1))
      const shown = await push(name, numberOf(d, 1))
      assert.equal(shown.is, 'shown', JSON.stringify(shown))
      const screen = await phone.next()
      assert.deepEqual([screen.text, screen.open], [ASK, true])
      assert.equal((await phone.answer('2')).text, 'At ten.\n1. Keep', phone.story.join('\n'))
      phone.type('1')
      await until(async () => (await staged.daemon.stores.dialogues.count()) === 0, 'the dialogue hangs')
      assert.equal((await phone.dial('*123#')).text, ASK, phone.story.join('\n'))
      phone.type('1')
      await until(async () => (await staged.daemon.stores.dialogues.count()) === 0, 'the second dialogue hangs')
      phone.dismiss()
      const told = await staged.daemon.push.notify({ line: name, msisdn: numberOf(d, 1), text: 'Hello.', ttlMs: 3_000 })
      assert.equal(told.is, 'shown', JSON.stringify(told))
      await until(() => phone.screen?.text === 'Hello.', `it sees no notification: ${phone.story.join('\n')}`)
    })
  }

  for (const [d, name] of names.entries()) {
    it(`${name}: a reminder that the network does not show comes by SMS`, async () => {
      const [smsc, msisdn] = [smscs.get(name)!, numberOf(d, 2)]
      smsc.chaos.add({ on: 'submit_sm', msisdn, lane: 'ussd', times: 1, act: { is: 'refuse', status: 0x45 } })
      smsc.chaos.add({ on: 'data_sm', msisdn, lane: 'ussd', times: 1, act: { is: 'refuse', status: 0x45 } })
      await staged.knex('sms_outbox').insert({
        subject: `test:${msisdn}`,
        kind: 'reminder',
        msisdn,
        line: name,
        text: 'By SMS',
        due_at: new Date(FROZEN - 1_000),
        expires_at: new Date(FROZEN + 3_600_000),
        wake_at: new Date(0),
        created_at: new Date(),
      })
      assert.equal((await smsc.phone(msisdn).sms()).text, 'By SMS')
      assert.equal(smsc.phone(msisdn).screen, null)
      smsc.chaos.clear()
    })
  }

  it('goes on in every dialect after a restart of the daemon', async function () {
    this.timeout(60_000)
    const phones = names.map((name, d) => smscs.get(name)!.phone(numberOf(d, 3)))
    const told = await Promise.all(names.map((name, d) => push(name, numberOf(d, 3))))
    assert.deepEqual(new Set(told.map(({ is }) => is)), new Set(['shown']))
    await staged.close()
    staged = await start()
    await Promise.all([...smscs.values()].map((smsc) => smsc.bound(1)))
    for (const [d, phone] of phones.entries()) {
      assert.equal((await phone.next()).text, ASK)
      assert.equal((await phone.answer('2')).text, 'At ten.\n1. Keep', `${names[d]}: ${phone.story.join('\n')}`)
    }
  })

  it('says so at once where a profile lets us not begin', async () => {
    const before = smscs.get('closed')!.trace().length
    assert.deepEqual(await push('closed', '67570000001'), { is: 'unsupported', sms: false })
    assert.equal(smscs.get('closed')!.trace().length, before)
  })
})
