import assert from 'node:assert/strict'
import { Redis } from 'ioredis'
import { redisFirst } from '../../../src/store/redis/first.ts'
import { REDIS_OPTIONS } from '../../../src/store/redis/servers.ts'
import { describeWith, services, until } from '../../support/services.ts'

describeWith(['redis'], 'the first of several daemons, by Redis', () => {
  let client: Redis
  const prefix = `first${process.pid}`

  before(async () => {
    client = new Redis(services.redisUrl!, { ...REDIS_OPTIONS, lazyConnect: true })
    await client.connect()
  })
  after(() => client?.quit())

  it('is one of all that ask at once, for each thing by itself, until the time is over', async () => {
    const first = redisFirst({ client, prefix })
    const asked = await Promise.all(Array.from({ length: 20 }, () => first('alarm', 300)))
    assert.equal(asked.filter(Boolean).length, 1)
    assert.equal(await first('another', 300), true)
    await until(() => first('alarm', 300), 'never again')
    await client.del(`${prefix}:first:alarm`, `${prefix}:first:another`)
  })
})
