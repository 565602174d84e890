import assert from 'node:assert/strict'
import { Redis } from 'ioredis'
import { UsageError } from '../../../src/base/errors.ts'
import { refuseEarlierDialogues } from '../../../src/store/redis/earlier.ts'
import { describeWith, freePort, services } from '../../support/services.ts'

describeWith(['redis'], 'dialogues that a build before the first release left in Redis', () => {
  const prefix = `earlier${process.pid}`
  const [record, due] = [`${prefix}:{b7}:d:main:67570000001`, `${prefix}:{b7}:due`]
  let client: Redis
  beforeEach(() => (client = new Redis(services.redisUrl!)))
  afterEach(async () => {
    await client.del(record, due)
    client.disconnect()
  })

  it('are nothing to a Redis that has none', () => refuseEarlierDialogues(client, prefix))

  it('are refused while they live, with what to do; the deadlines of those that are gone are removed', async () => {
    await client.set(record, '1rc 1 e')
    await client.zadd(due, 1, 'main:67570000001')
    const isRefused = (error: Error) => error instanceof UsageError && /stop its daemons.*or delete/.test(error.message)
    await assert.rejects(refuseEarlierDialogues(client, prefix), isRefused)
    await client.del(record)
    await refuseEarlierDialogues(client, prefix)
    assert.equal(await client.exists(due), 0)
  })

  it('are not waited for where Redis does not answer', async () => {
    const away = new Redis({
      port: await freePort(),
      lazyConnect: true,
      enableOfflineQueue: false,
      retryStrategy: null,
    })
    away.on('error', () => undefined)
    await refuseEarlierDialogues(away, prefix)
    away.disconnect()
  })
})
