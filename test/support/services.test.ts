import assert from 'node:assert/strict'
import { Redis } from 'ioredis'
import pg from 'pg'
import { describeWith, services } from './services.ts'

describeWith(['redis', 'postgres'], 'the servers that the tests use', () => {
  it('are real and private', async () => {
    const redis = new Redis(services.redisUrl!)
    assert.equal(await redis.ping(), 'PONG')
    redis.disconnect()
    const client = new pg.Client({ connectionString: services.postgresUrl })
    await client.connect()
    const { rows } = await client.query('SELECT current_database() AS name')
    assert.match(rows[0].name, /^ussd_test_/)
    await client.end()
  })
})
