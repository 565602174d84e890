import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { silentLog } from '../../../src/base/log/port.ts'
import { connect, disconnect } from '../../../src/store/redis/connection.ts'
import type { Client } from '../../../src/store/redis/servers.ts'
import { describeWith, services, until } from '../../support/services.ts'

/** What of ioredis the test reaches into. */
interface Inside {
  connector: { disconnect(): void }
  stream: Socket
}
const ended = (client: Client) => new Promise<void>((done) => client.once('end', () => done()))

describeWith(['redis'], 'the connection to Redis', () => {
  it('is made anew where ioredis gives up for good: a failover was told of while it was connecting', async () => {
    const client = await connect({ url: services.redisUrl! }, silentLog)
    const inside = client as unknown as Inside
    const gaveUp = ended(client)
    // What ioredis does when a sentinel says +switch-master.
    client.once('connecting', () => inside.connector.disconnect())
    inside.stream.destroy()
    await gaveUp
    await until(() => client.status === 'ready', 'nothing connects any more')
    assert.equal(await client.ping(), 'PONG')
    await disconnect(client)
  })
  it('stays closed once we left', async () => {
    const client = await connect({ url: services.redisUrl! }, silentLog)
    const gone = ended(client)
    await disconnect(client)
    await gone
    for (let rounds = 0; rounds < 5; rounds++) await new Promise((done) => setImmediate(done))
    assert.equal(client.status, 'end')
  })
})
