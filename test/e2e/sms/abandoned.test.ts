/** `abandoned`: one SMS for who leaves a screen, none for who does not, over SMPP and over killed daemons. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Settings } from '../../../src/config/schema.ts'
import { faultProxy, targetOf, type FaultProxy } from '../../campaigns/staging/proxy.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { foreignSmsc } from '../../support/foreign-smsc.ts'
import { ProcessStage, soonTakenOver } from '../../support/process-stage.ts'
import { describeWith, services, until } from '../../support/services.ts'

const FLOW = `
flow: pay
spec: 1
languages: [en, fr]
start: speak
screens:
  speak:
    menu: { en: Speak, fr: Parler }
    choices:
      - { label: { en: English, fr: English }, to: amount }
      - { label: { en: French, fr: French }, to: amount, set: { language: fr } }
  amount:
    input: { en: 'How much?', fr: 'Combien ?' }
    number: { min: 1, max: 100 }
    to: sure
  sure:
    menu: { en: 'Pay {answers.amount, number}?', fr: 'Payer {answers.amount, number} ?' }
    choices:
      - { label: { en: 'Yes', fr: Oui }, to: paid }
      - { label: { en: Leave, fr: Quitter }, to: out }
    abandoned:
      sms:
        text: { en: 'You did not pay {answers.amount, number}.', fr: "Vous n'avez pas paye {answers.amount, number}." }
        key: 'pay-{msisdn}'
  paid: { end: { en: Paid., fr: Paye. } }
  out: { exit: true }
`

function serving(settings: Settings, dir: string): void {
  settings.flows = { ...settings.flows, dir }
  settings.services = [{ code: '*384#', flow: 'pay' }]
  settings.backends = {}
  settings.reminders.pollMs = 50
  settings.dialogue.sweepMs = 100
}

for (const embedded of [false, true]) {
  describeWith(
    embedded ? [] : ['redis', 'postgres'],
    `an SMS for who leaves a screen${embedded ? ', all embedded' : ''}`,
    function () {
      this.timeout(60_000)
      const dir = mkdtempSync(join(tmpdir(), 'ussd-abandoned-'))
      let smsc: Awaited<ReturnType<typeof foreignSmsc>>
      let staged: Staged
      let serial = 0

      before(async () => {
        writeFileSync(join(dir, 'pay.yaml'), FLOW)
        smsc = await foreignSmsc()
        staged = await stageDaemon({
          smscPort: smsc.port,
          embedded,
          frozen: false,
          change: (settings) => {
            serving(settings, dir)
            settings.dialogue.idleMs = 1_500
          },
        })
      })
      after(async () => {
        await staged?.close()
        smsc?.stop()
        rmSync(dir, { recursive: true, force: true })
      })

      const texts = (msisdn: string) => smsc.sms.filter(({ to }) => to === msisdn).map(({ text }) => text)
      const recorded = (msisdn: string, count: number) =>
        until(async () => (await staged.knex('cdr').where({ msisdn, kind: 'dialogue' })).length === count, 'no record')
      const dialled = async (...keys: string[]) => {
        const msisdn = `6757000${String(++serial).padStart(4, '0')}`
        const phone = smsc.phone(msisdn)
        await phone.dial('*384#')
        for (const key of keys) await phone.answer(key)
        return { msisdn, phone }
      }

      it('goes out when the subscriber hangs up there, with the values of the dialogue, in its language', async () => {
        for (const [key, text] of [
          ['1', 'You did not pay 12.'],
          ['2', "Vous n'avez pas paye 12."],
        ]) {
          const { msisdn, phone } = await dialled(key!, '12')
          await phone.hangUp()
          await until(() => texts(msisdn).length > 0, 'no SMS')
          assert.deepEqual(texts(msisdn), [text])
          const [row] = await staged.knex('sms_outbox').where({ msisdn })
          assert.deepEqual([row.owner, row.key, row.kind], ['flow:pay', `pay-${msisdn}`, 'transactional'])
        }
      })

      it('goes out when no answer came in time', async () => {
        const { msisdn } = await dialled('1', '13')
        await until(() => texts(msisdn).includes('You did not pay 13.'), 'no SMS')
      })

      it('goes out when the subscriber dials again', async () => {
        const { msisdn, phone } = await dialled('1', '14')
        await phone.dial('*384#')
        await until(() => texts(msisdn).length > 0, 'no SMS')
        await phone.hangUp()
        await recorded(msisdn, 2)
        assert.deepEqual(texts(msisdn), ['You did not pay 14.'])
      })

      it('does not for who paid, chose to leave, or left another screen', async () => {
        const paid = await dialled('1', '15', '1')
        const left = await dialled('1', '15', '2')
        const early = await dialled('1')
        await early.phone.hangUp()
        for (const { msisdn } of [paid, left, early]) await recorded(msisdn, 1)
        // What goes out goes out with the record.
        for (const { msisdn } of [paid, left, early])
          assert.equal((await staged.knex('sms_outbox').where({ msisdn })).length, 0)
      })
    },
  )
}

describeWith(['redis', 'postgres'], 'an SMS for who leaves a screen, with daemons that are killed', function () {
  this.timeout(120_000)
  const dir = mkdtempSync(join(tmpdir(), 'ussd-abandoned-'))
  let proxy: FaultProxy
  const on = new ProcessStage((settings) => {
    soonTakenOver(settings)
    serving(settings, dir)
    if (settings.postgres === 'embedded') return
    const url = new URL(settings.postgres.url)
    url.hostname = '127.0.0.1'
    url.port = String(proxy.port)
    settings.postgres.url = url.toString()
  })
  let serial = 0

  before(async () => {
    writeFileSync(join(dir, 'pay.yaml'), FLOW)
    proxy = await faultProxy(targetOf(services.postgresUrl!))
    await on.open()
  })
  after(async () => {
    await on.close()
    await proxy?.close()
    rmSync(dir, { recursive: true, force: true })
  })

  async function leaves(): Promise<string> {
    const msisdn = `6757010${String(++serial).padStart(4, '0')}`
    const phone = on.smsc.phone(msisdn)
    await phone.dial('*384#', { withinMs: 10_000 })
    for (const key of ['1', '12']) await phone.answer(key, { withinMs: 10_000 })
    phone.hangUp()
    return msisdn
  }
  /** Records beside the dialogues. */
  async function waiting(): Promise<number> {
    const redis = new Redis(services.redisUrl!)
    try {
      const shelves = await redis.keys(`${on.stage.prefix}:{b*}:cdr`)
      const counts = await Promise.all(shelves.map((shelf) => redis.hlen(shelf)))
      return counts.reduce((sum, n) => sum + n, 0)
    } finally {
      redis.disconnect()
    }
  }
  const owed = async (msisdn: string) => await on.knex('sms_outbox').where({ msisdn })
  const written = (msisdn: string) =>
    until(async () => (await on.knex('cdr').where({ msisdn })).length === 1, 'no record', 30_000)

  it('is one where the daemon dies when the record is written, and before the store knows', async () => {
    await on.startBound({ USSD_CONNECTOR_FAILPOINTS: 'cdr-written=1' })
    const died = on.daemon.exited
    const msisdn = await leaves()
    await died
    assert.equal((await owed(msisdn)).length, 1)
    await on.knex('sms_outbox').where({ msisdn }).update({ state: 'cancelled', settled_at: new Date(), lease: null })
    await on.startBound()
    const next = await leaves()
    await written(next)
    await until(async () => (await waiting()) === 0, 'records wait', 30_000)
    assert.equal((await owed(next)).length, 1)
    assert.deepEqual(
      (await owed(msisdn)).map(({ state }) => state as string),
      ['cancelled'],
      'what was taken back stays so',
    )
    await on.kill()
  })

  it('is one where Postgres was away and the daemon died before it came back', async () => {
    await on.startBound()
    await proxy.set({ is: 'refuse' })
    const msisdn = await leaves()
    await until(async () => (await waiting()) === 1, 'no record waits')
    await on.kill()
    assert.equal((await owed(msisdn)).length, 0)
    await proxy.set({ is: 'pass' })
    await on.startBound()
    await written(msisdn)
    assert.equal((await owed(msisdn)).length, 1)
    await on.kill()
  })
})
