import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { storeKeyCommand } from '../../../src/cli/store-key.ts'
import { parseSettings } from '../../../src/config/load.ts'
import { redisDialogues } from '../../../src/store/redis/store.ts'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { LIMITS, dialogueFixture } from '../../contract/dialogue-fixture.ts'
import { ownRedis } from '../../store/redis/own.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type StageOptions } from '../../support/daemon.ts'
import { T1 } from '../../support/screens.ts'
import { describeWith, services, until } from '../../support/services.ts'

const JOHN = '67570000001'

describeWith(['redis', 'postgres'], 'a Redis that others can reach', () => {
  let smsc: Smsc
  let dir: string
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'ussd-forged-'))
    storeKeyCommand(join(dir, 'keys'), {}, () => undefined)
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
  })
  after(async () => {
    await smsc?.stop()
    rmSync(dir, { recursive: true, force: true })
  })
  const start = (change: StageOptions['change']) => stageDaemon({ smscPort: smsc.port, ...(change ? { change } : {}) })
  const warned = (staged: Awaited<ReturnType<typeof start>>, what: RegExp) =>
    staged.logged().filter(({ level, msg }) => level === 'warn' && what.test(String(msg))).length

  it('with a key: words that another process writes there come to no handset; they are counted and put aside', async () => {
    const staged = await start((settings) => void (settings.privacy.storeKeyFile = join(dir, 'keys')))
    const { prefix } = staged.settings.redis as { prefix: string }
    const stranger = await redisDialogues({ servers: { url: services.redisUrl! }, prefix, limits: LIMITS })
    try {
      const phone = smsc.phone(JOHN)
      await dialogueFixture(stranger).asked(
        { msisdn: JOHN, group: 'test', atMs: realClock.now() - LIMITS.confirmMs },
        { text: 'BANK: reply with your PIN' },
      )
      await until(
        async () =>
          (await staged.daemon.metrics.value('dialogue_store_errors_total', { call: 'record', code: 'unsealed' })) ===
          1,
        'it is not counted',
      )
      assert.equal(phone.screen, null)
      assert.equal((await phone.dial('*123#')).text, T1)
      phone.hangUp()
    } finally {
      await stranger.close()
      await staged.close()
    }
  })

  it('without a password: a warning at the start, with a key and without; none where there is one', async () => {
    for (const storeKeyFile of [undefined, join(dir, 'keys')]) {
      const staged = await start((settings) => {
        settings.redis = { ...(settings.redis as object), url: withoutPassword(services.redisUrl!) } as never
        if (storeKeyFile) settings.privacy.storeKeyFile = storeKeyFile
      }).catch((error: Error) => error)
      // The tests' Redis may itself want one.
      if (staged instanceof Error) continue
      assert.equal(warned(staged, /^redis has no password/), 1)
      await staged.close()
    }
    const redis = await ownRedis('--requirepass', 'a-password')
    if (!redis) return
    const staged = await start((settings) => {
      settings.redis = { url: `redis://:a-password@127.0.0.1:${redis.port}/0`, prefix: 'ussd', requireDurable: false }
    })
    assert.equal(warned(staged, /^redis has no password/), 0)
    await staged.close()
    await redis.stop()
  })

  it('privacy.plainUntil: warned of while it lasts, without effect afterwards, and refused where it is far away', async () => {
    const starting = (ms: number) =>
      start((settings) => {
        settings.privacy = { storeKeyFile: join(dir, 'keys'), plainUntil: new Date(realClock.now() + ms).toISOString() }
      })
    for (const [ms, count] of [
      [600_000, 1],
      [-1_000, 0],
    ] as const) {
      const staged = await starting(ms)
      assert.equal(warned(staged, /^privacy\.plainUntil is set/), count)
      await staged.close()
    }
    await assert.rejects(starting(2 * 86_400_000), /privacy\.plainUntil: .* is more than a day away/)
    const source =
      'services: [{ code: "*", flow: f }]\nredis: embedded\npostgres: embedded\nprivacy: { plainUntil: soon }\n'
    assert.throws(
      () => parseSettings(source, 'test', {}),
      /'privacy\.plainUntil' must be a moment such as 2026-12-01T02:30:00Z/,
    )
  })
})

function withoutPassword(url: string): string {
  const bare = new URL(url)
  bare.password = ''
  return bare.toString()
}
