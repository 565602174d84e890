/** Tokens that are taken out of their files, or of the settings: dead within ten seconds, in every daemon. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tokenHash } from '../../../src/admin/access.ts'
import type { Settings } from '../../../src/config/schema.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { realClock } from '../../support/clock.ts'
import { newStage, stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, until } from '../../support/services.ts'

const [NIGHT, GONE] = ['night-token-of-a-test', 'token-of-one-who-left']
const [SHOP, BANK] = ['shop-token-of-a-test-door', 'bank-token-of-a-test-door']
const DEAD_MS = 10_000

describeWith(['redis', 'postgres'], 'a revoked token', () => {
  let smsc: Smsc
  let daemons: Staged[] = []
  let file: Settings
  const stage = newStage()
  const put = (name: string, text: string) => writeFileSync(join(stage.data, name), text, { mode: 0o600 })
  const line = (token: string, name: string) => `read,operate:${tokenHash(token).toString('hex')} ${name}\n`
  const admin = (daemon: Staged, token: string) =>
    fetch(`http://127.0.0.1:${daemon.daemon.admin.port}/v1/lines`, {
      headers: { authorization: `Bearer ${token}` },
    }).then(({ status }) => status)
  const knocks = (token: string) =>
    fetch(`http://127.0.0.1:${daemons[0]!.daemon.ingress.port()}/ussd`, {
      method: 'POST',
      body: new URLSearchParams({
        sessionId: 'ATUid_1',
        phoneNumber: '+67570000001',
        networkCode: '1',
        serviceCode: '*123#',
        text: '',
      }),
      headers: { authorization: `Bearer ${token}` },
    }).then(({ status }) => status)

  before(async function () {
    this.timeout(60_000)
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    put('tokens', line(NIGHT, 'night') + line(GONE, 'gone'))
    put('shop', SHOP)
    put('bank', BANK)
    const start = (name: string, change: (settings: Settings) => void) =>
      stageDaemon({
        smscPort: smsc.port,
        with: stage,
        read: () => structuredClone(file),
        change(settings) {
          settings.instance = name
          settings.lines[0]!.name = name
          settings.data = join(stage.data, name)
          settings.admin.tokensFile = join(stage.data, 'tokens')
          change(settings)
        },
      })
    const caller = (name: string) => ({ name, tokenFile: join(stage.data, name), msisdn: [], addresses: [] })
    const first = await start('one', (settings) => {
      settings.door = {
        name: 'door',
        host: '127.0.0.1',
        port: 0,
        path: '/ussd',
        contract: 'africastalking',
        tokens: [caller('shop'), caller('bank')],
        proxies: [],
      }
    })
    daemons = [first, await start('two', () => undefined)]
    file = structuredClone(first.settings)
  })
  after(async () => {
    const [first] = daemons
    await Promise.all(daemons.map(({ daemon }) => daemon.stop()))
    await first?.knex.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
    await Promise.all(daemons.map(({ knex }) => knex.destroy()))
    await smsc?.stop()
  })

  it('of admin.tokensFile is dead in each daemon that reads the file, and the others live', async () => {
    for (const daemon of daemons) assert.equal(await admin(daemon, GONE), 200)
    put('tokens', line(NIGHT, 'night'))
    const dead = async () =>
      (await Promise.all(daemons.map((one) => admin(one, GONE)))).every((is) => is === 401 || is === 429)
    await until(dead, 'the token lives', DEAD_MS)
    for (const daemon of daemons) assert.equal(await admin(daemon, NIGHT), 200)
  })

  it('of the door is dead when its file has another one, or none; the same caller goes on with the new one', async () => {
    assert.deepEqual([await knocks(SHOP), await knocks(BANK)], [200, 200])
    put('shop', 'another-token-of-the-shop')
    put('bank', '')
    await until(async () => (await knocks(SHOP)) !== 200 && (await knocks(BANK)) !== 200, 'they live', DEAD_MS)
    assert.equal(await knocks('another-token-of-the-shop'), 200)
    put('bank', BANK)
    await until(async () => (await knocks(BANK)) === 200, 'the old one is not back', DEAD_MS)
    const audits = daemons[0]!.logged().filter(({ msg }) => msg === 'HTTP ingress audit: tokens changed')
    assert.ok(audits.length >= 2)
    assert.equal(JSON.stringify(daemons[0]!.logged()).includes('another-token-of-the-shop'), false)
  }).timeout(45_000)

  it('of the door is dead at once when a reload takes the caller out', async () => {
    file.door!.tokens.pop()
    const { applied } = await daemons[0]!.daemon.reload()
    assert.deepEqual(
      applied.map(({ setting, way }) => `${setting} ${way}`),
      ['door.tokens at-once'],
    )
    assert.notEqual(await knocks(BANK), 200)
    file.door!.tokens.pop()
    await daemons[0]!.daemon.reload()
    assert.notEqual(await knocks('another-token-of-the-shop'), 200, 'without callers nobody gets in')
  })
})
