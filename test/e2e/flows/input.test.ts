import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { writeStoreKeys } from '../../../src/store/key-file.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, services, until } from '../../support/services.ts'

const FLOW = `flow: safe
spec: 1
start: main
languages: [en]
screens:
  main: { menu: Safe, choices: [{ label: New PIN, to: new }, { label: Open, to: pin }, { label: Tell Ann, to: ann }] }
  new: { input: 'New:', secret: true, to: propose }
  propose: { call: pin.propose, with: { pin: '{answers.new}' }, to: again, refused: { weak: { to: new, notice: Too easy. } } }
  again: { input: 'Again:', secret: true, to: confirm }
  confirm: { call: pin.confirm, with: { pin: '{answers.again}' }, once: true, to: set, refused: { differs: { to: new, notice: Differs. } } }
  set: { end: Set. }
  pin: { input: 'PIN:', secret: true, to: verify }
  verify: { call: pin.verify, with: { pin: '{answers.pin}' }, once: true, to: more, refused: { wrong: { to: pin, notice: Wrong. }, locked: locked } }
  more: { menu: Inside, choices: [{ label: Tell me, to: tell }] }
  tell: { sms: 'You were in, {msisdn}.', to: told }
  told: { end: Told. }
  ann: { sms: Hello Ann, recipient: '67570000002', to: told, failed: no }
  no: { end: Not to her. }
  locked: { end: Locked. }
`
const JOHN = '67570000001'
const PIN = '918273645091'

describeWith(['redis', 'postgres'], 'a PIN and an SMS, over a real socket', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ussd-input-'))
  let smsc: Smsc
  let staged: Staged
  let redis: Redis
  before(async () => {
    writeFileSync(join(folder, 'safe.yaml'), FLOW)
    writeFileSync(join(folder, 'keys'), writeStoreKeys(randomBytes), { mode: 0o600 })
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    staged = await stageDaemon({
      smscPort: smsc.port,
      change: (settings) => {
        settings.flows = { ...settings.flows, dir: folder, reloadMs: 0 }
        settings.services = [{ code: '*200#', flow: 'safe' }]
        settings.backends = { pin: { module: 'pin', concurrent: 50, settings: { digits: { min: 4, max: 12 } } } }
        settings.privacy = { ...settings.privacy, storeKeyFile: join(folder, 'keys') }
        settings.lines[0]!.sms!.recipients = ['67572']
        settings.reminders.pollMs = 50
      },
    })
    redis = new Redis(services.redisUrl!)
    await smsc.bound(1)
  })
  after(async () => {
    redis?.disconnect()
    await staged?.close()
    await smsc?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** All that stands in Redis for this daemon, as octets. */
  async function inRedis(): Promise<string> {
    const { prefix } = staged.settings.redis as { prefix: string }
    const keys = (await redis.keys('*')).filter((key) => key.includes(prefix))
    assert.ok(keys.length > 0)
    const values = await Promise.all(keys.map((key) => redis.dumpBuffer(key)))
    return [...keys, ...values.map((value) => value?.toString('latin1'))].join('\n')
  }
  const texts = async () =>
    (await staged.knex('sms_outbox').where({ kind: 'transactional' }).select('msisdn', 'text')) as object[]

  it('a PIN is set and opens; it is neither in Redis, nor in the database, nor in the log', async () => {
    const john = smsc.phone(JOHN)
    const seen = [(await john.dial('*200#')).text, (await john.answer('1')).text, (await john.answer(PIN)).text]
    seen.push(await inRedis(), (await john.answer(PIN)).text, (await john.dial('*200#')).text)
    seen.push((await john.answer('2')).text, (await john.answer(PIN)).text)
    assert.deepEqual(
      seen.filter((_, i) => i !== 3).map((text) => text.split('\n')[0]),
      ['Safe', 'New:', 'Again:', 'Set.', 'Safe', 'PIN:', 'Inside'],
    )
    const rows = await staged.knex('pin').select()
    const kept = [...seen, await inRedis(), JSON.stringify(staged.logged()), JSON.stringify(rows)].join('\n')
    assert.equal(rows.length, 1)
    assert.doesNotMatch(kept, new RegExp(PIN))
    await john.answer('1')
    await until(async () => (await texts()).length === 1, 'there is no SMS')
    assert.deepEqual(await texts(), [{ msisdn: JOHN, text: `You were in, ${JOHN}.` }])
  })

  it('wrong PINs lock it, for the right one too', async () => {
    const john = smsc.phone(JOHN)
    await john.dial('*200#')
    await john.answer('2')
    const told = [await john.answer('1111'), await john.answer('2222'), await john.answer('3333')].map(
      ({ text }) => text,
    )
    assert.deepEqual(told, ['Wrong.\nPIN:', 'Wrong.\nPIN:', 'Locked.'])
    await john.dial('*200#')
    await john.answer('2')
    assert.equal((await john.answer(PIN)).text, 'Locked.')
    assert.equal(await staged.daemon.metrics.value('pin_total', { result: 'locked' }), 2)
  })

  it('an SMS to another number is sent only where the line allows it', async () => {
    const john = smsc.phone(JOHN)
    const before = (await texts()).length
    await john.dial('*200#')
    assert.equal((await john.answer('3')).text, 'Not to her.')
    assert.equal((await texts()).length, before)
    staged.settings.lines[0]!.sms!.recipients = ['67570']
    await john.dial('*200#')
    assert.equal((await john.answer('3')).text, 'Told.')
    assert.deepEqual((await texts()).slice(before), [{ msisdn: '67570000002', text: 'Hello Ann' }])
  })
})
