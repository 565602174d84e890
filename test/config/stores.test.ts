import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RedisOptions } from 'ioredis'
import { parseSettings } from '../../src/config/load.ts'
import type { RedisSettings } from '../../src/config/schema-stores.ts'
import { serversOf } from '../../src/daemon/stores/stores.ts'
import { ProblemsError } from '../../src/base/errors.ts'
import { addressOf, clientOf } from '../../src/store/redis/servers.ts'

const sourceOf = (redis: string) => `
lines:
  - { name: digicel, smsc: { host: 127.0.0.1, systemId: ussd, password: secret } }
services: [{ code: "*123#", flow: dental }]
postgres: { url: "postgres://u@localhost/x" }
redis: ${redis}
`

function redisOf(redis: string): RedisSettings {
  return parseSettings(sourceOf(redis), 'connector.yaml', {}).settings.redis as RedisSettings
}

function problemsOf(redis: string): string[] {
  try {
    redisOf(redis)
  } catch (error) {
    if (error instanceof ProblemsError) return error.problems.map(({ what }) => what)
    throw error
  }
  return []
}

describe('the settings of Redis', () => {
  let dir: string
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'ussd-stores-'))
    writeFileSync(join(dir, 'data'), 'p@ss\n', { mode: 0o600 })
    writeFileSync(join(dir, 'sentinels'), 'other\n', { mode: 0o600 })
  })
  after(() => rmSync(dir, { recursive: true }))

  it('take the password of every node of a Cluster from one file', () => {
    const redis = redisOf(`{ cluster: ["rediss://u@a:7000", "rediss://u@b:7001"], passwordFile: ${dir}/data }`)
    assert.deepEqual(redis.cluster, ['rediss://u:p%40ss@a:7000', 'rediss://u:p%40ss@b:7001'])
    const cluster = clientOf({ ...serversOf(redis), cluster: ['rediss://u:p%40ss@127.0.0.1:1'] } as Parameters<
      typeof clientOf
    >[0])
    cluster.on('error', () => undefined)
    const { redisOptions } = cluster.options as {
      redisOptions: { username: string; password: string; tls: unknown; commandTimeout: number }
    }
    assert.deepEqual([redisOptions.username, redisOptions.password, redisOptions.commandTimeout], ['u', 'p@ss', 500])
    assert.notEqual(redisOptions.tls, undefined)
    cluster.disconnect()
  })

  it('keep the password of the sentinels apart from that of the servers', () => {
    const redis =
      redisOf(`{ sentinel: { name: main, nodes: ["a:26379", "[::1]:26380"], passwordFile: ${dir}/sentinels },
      username: app, passwordFile: ${dir}/data, db: 2, tls: {} }`)
    const servers = serversOf(redis)
    assert.deepEqual(servers, {
      sentinel: { name: 'main', nodes: ['a:26379', '[::1]:26380'], password: 'other' },
      username: 'app',
      password: 'p@ss',
      db: 2,
      tls: { minVersion: 'TLSv1.2' },
    })
    const client = clientOf({ ...servers, sentinel: { ...servers.sentinel!, nodes: ['127.0.0.1:1', '[::1]:1'] } })
    client.on('error', () => undefined)
    const options = client.options as RedisOptions
    assert.deepEqual(options.sentinels, [
      { host: '127.0.0.1', port: 1 },
      { host: '::1', port: 1 },
    ])
    assert.deepEqual(
      [options.sentinelPassword, options.password, options.db, options.failoverDetector],
      ['other', 'p@ss', 2, true],
    )
    assert.equal(options.enableTLSForSentinelMode, true)
    client.disconnect()
  })

  it('are one of three ways, and say so', () => {
    assert.deepEqual(problemsOf('{ prefix: x }'), ["'redis' needs one of url, cluster, sentinel"])
    assert.deepEqual(problemsOf('{ url: "redis://a", cluster: ["redis://b"] }'), [
      "'redis' needs one of url, cluster, sentinel",
    ])
    assert.match(
      problemsOf('{ url: "redis://a", username: x }')[0]!,
      /username, password and db work only with sentinel/,
    )
    assert.match(problemsOf('{ cluster: ["redis://a:1/3"] }')[0]!, /only database 0/)
    assert.match(
      problemsOf('{ sentinel: { name: m, nodes: [a] } }')[0]!,
      /'redis\.sentinel\.nodes\.0' must be host:port/,
    )
  })

  it('name a node as an operator knows it', () => {
    const client = clientOf({ url: 'redis://127.0.0.1:1' })
    client.on('error', () => undefined)
    assert.equal(addressOf(client as Parameters<typeof addressOf>[0]), '127.0.0.1:1')
    client.disconnect()
  })
})
