import assert from 'node:assert/strict'
import { Cluster, Redis } from 'ioredis'
import type { DialogueStore } from '../../src/dialogue/types.ts'
import { REDIS_OPTIONS } from '../../src/store/redis-servers.ts'
import { redisDialogues } from '../../src/store/redis.ts'
import { LIMITS, scene } from '../contract/dialogue-scene.ts'
import { dialogueStoreContract } from '../contract/dialogue-store.ts'
import { describeWith, until } from '../support/services.ts'
import { ownRedis, type OwnRedis } from './redis-own.ts'

describeWith(['redis'], 'the dialogue store in a Redis Cluster of two nodes', () => {
  let nodes: OwnRedis[] = []
  let cluster: Cluster
  before(async function () {
    const started = await Promise.all([1, 2].map(() => ownRedis('--cluster-enabled', 'yes')))
    nodes = started.filter((node) => node !== undefined)
    if (nodes.length < 2) return this.skip()
    await meet(nodes.map((node) => node.port))
    cluster = new Cluster(nodes.map(({ port }) => ({ host: '127.0.0.1', port })), { redisOptions: REDIS_OPTIONS, enableOfflineQueue: false })
    await new Promise((done) => cluster.once('ready', done))
  })
  after(async () => {
    cluster?.disconnect()
    await Promise.all(nodes.map((node) => node.stop()))
  })

  let serial = 0
  dialogueStoreContract(async () => {
    const prefix = `c${++serial}`
    const stores: DialogueStore[] = []
    return {
      durable: true,
      async open(limits = LIMITS) {
        stores.push(await redisDialogues({ client: cluster, prefix, limits }))
        return stores.at(-1)!
      },
      clear: async () => void (await Promise.all(stores.map((store) => store.close()))),
    }
  })

  it('spreads dialogues over the nodes', async () => {
    const { asked } = scene(await redisDialogues({ client: cluster, prefix: 'spread', limits: LIMITS }))
    await Promise.all(Array.from({ length: 200 }, (_, n) => asked({ msisdn: String(n) })))
    const sizes = await Promise.all(cluster.nodes('master').map((node) => node.dbsize()))
    assert.equal(sizes.length, 2)
    assert.ok(sizes.every((keys) => keys > 50), String(sizes))
  })
})

/** Gives each node half of the slots and waits until both agree. */
async function meet(ports: number[]): Promise<void> {
  const clients = ports.map((port) => new Redis(port, '127.0.0.1'))
  await clients[0]!.cluster('ADDSLOTSRANGE', 0, 8191)
  await clients[1]!.cluster('ADDSLOTSRANGE', 8192, 16383)
  await clients[0]!.cluster('MEET', '127.0.0.1', ports[1]!)
  const agreed = async (client: Redis) => String(await client.cluster('INFO')).includes('cluster_state:ok')
    && String(await client.cluster('INFO')).includes('cluster_size:2')
  await until(async () => (await Promise.all(clients.map(agreed))).every(Boolean), 'the cluster does not form')
  for (const client of clients) client.disconnect()
}
