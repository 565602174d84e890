import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Redis } from 'ioredis'
import { startSmsc, type Smsc } from '../../../src/simulator/smsc/smsc.ts'
import { isForgotten } from '../../../src/gateway/unrested.ts'
import { realClock } from '../../support/clock.ts'
import { stageDaemon, type Staged } from '../../support/daemon.ts'
import { describeWith, services, until } from '../../support/services.ts'

describeWith(['redis', 'postgres'], 'a dialogue that Redis forgot under a turn, as a failover does', () => {
  let smsc: Smsc
  let backend: Server
  let staged: Staged
  let redis: Redis
  /** What happens while the back end is asked. */
  let meanwhile = async (): Promise<void> => undefined

  before(async function () {
    redis = new Redis(services.redisUrl!)
    smsc = await startSmsc({ clock: realClock, chance: Math.random })
    backend = createServer(
      (_, response) =>
        void meanwhile().then(() =>
          response.setHeader('content-type', 'application/json').end('{"amount": 120, "currency": "PGK"}'),
        ),
    ).listen(0, '127.0.0.1')
    await new Promise((done) => backend.once('listening', done))
    staged = await stageDaemon({
      smscPort: smsc.port,
      change: (settings) => {
        settings.services.push({ code: '*675#', flow: 'topup' })
        settings.backends.wallet = {
          http: {
            url: `http://127.0.0.1:${(backend.address() as AddressInfo).port}`,
            timeoutMs: 5_000,
            headers: {},
            concurrent: 5,
            retries: 1,
            octetsMax: 65_536,
            ended: false,
          },
        }
      },
    })
    await smsc.bound(1)
  })
  after(async () => {
    await staged?.close()
    await smsc?.stop()
    backend?.close()
    redis?.disconnect()
  })

  async function recordOf(msisdn: string): Promise<string> {
    const [key] = await redis.keys(`*:u:test:${msisdn}`)
    return key!
  }

  it('ends with the busy text where nothing is left of it', async () => {
    meanwhile = async () => void (await redis.del(await recordOf('67570000031')))
    const screen = await smsc.phone('67570000031').dial('*675*1#')
    assert.deepEqual([screen.text, screen.open], ['Service busy. Please try again later.', false])
    assert.equal(await staged.daemon.metrics.value('ussd_replies_total', { result: 'forgotten' }), 1)
  })

  it('ends with the busy text where an older turn stands there again, and leaves nothing open', async () => {
    meanwhile = async () => undefined
    const phone = smsc.phone('67570000032')
    const menu = await phone.dial('*675#')
    assert.equal(menu.open, true, menu.text)
    const key = await recordOf('67570000032')
    const old = await redis.getBuffer(key)
    meanwhile = async () => void (await redis.set(key, old!))
    const screen = await phone.answer('2')
    assert.deepEqual([screen.text, screen.open], ['Service busy. Please try again later.', false])
    // The text goes out first.
    const record = () => staged.daemon.stores.dialogues.find({ group: 'test', msisdn: '67570000032' })
    await until(async () => (await record())?.status === 'ended', 'the older turn is still open')
    assert.equal((await record())?.ended, 'store-failed')
  })

  it('is told from a hang-up, a newer dial and a takeover', () => {
    const record = { epoch: 'b', turn: 3, openedMs: 20 } as Parameters<typeof isForgotten>[0]
    assert.equal(isForgotten(record, null), true)
    assert.equal(isForgotten(record, { ...record, turn: 2 }), true)
    assert.equal(isForgotten(record, { ...record, epoch: 'a', openedMs: 10 }), true)
    assert.equal(isForgotten(record, { ...record }), false, 'hung up, or taken over')
    assert.equal(isForgotten(record, { ...record, turn: 4 }), false)
    assert.equal(isForgotten(record, { ...record, epoch: 'c', openedMs: 30, turn: 1 }), false, 'dialled anew')
    assert.equal(isForgotten(record, undefined), false, 'Redis does not answer')
  })
})
