import assert from 'node:assert/strict'
import { Cluster, Redis } from 'ioredis'
import type { DialogueStore } from '../../../src/dialogue/types.ts'
import { REDIS_OPTIONS } from '../../../src/store/redis/servers.ts'
import { redisParts } from '../../../src/store/redis/parts.ts'
import { redisDialogues } from '../../../src/store/redis/store.ts'
import { LIMITS, dialogueFixture, recordingOf } from '../../contract/dialogue-fixture.ts'
import { dialogueStoreContract } from '../../contract/dialogue-store.ts'
import { describeWith, until } from '../../support/services.ts'
import { ownRedis, type OwnRedis } from './own.ts'

describeWith(['redis'], 'the dialogue store in a Redis Cluster of two nodes', () => {
  let nodes: OwnRedis[] = []
  let cluster: Cluster
  before(async function () {
    const started = await Promise.all([1, 2].map(() => ownRedis('--cluster-enabled', 'yes')))
    nodes = started.filter((node) => node !== undefined)
    if (nodes.length < 2) return this.skip()
    await meet(nodes.map((node) => node.port))
    cluster = new Cluster(
      nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
      { redisOptions: REDIS_OPTIONS, enableOfflineQueue: false },
    )
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
      async open(limits = LIMITS, { recording = recordingOf() } = {}) {
        stores.push(await redisDialogues({ client: cluster, prefix, limits, recording }))
        return stores.at(-1)!
      },
      clear: async () => void (await Promise.all(stores.map((store) => store.close()))),
    }
  })

  it('spreads dialogues over the nodes', async () => {
    const { asked } = dialogueFixture(await redisDialogues({ client: cluster, prefix: 'spread', limits: LIMITS }))
    await Promise.all(Array.from({ length: 200 }, (_, n) => asked({ msisdn: String(n) })))
    const sizes = await Promise.all(cluster.nodes('master').map((node) => node.dbsize()))
    assert.equal(sizes.length, 2)
    assert.ok(
      sizes.every((keys) => keys > 50),
      String(sizes),
    )
  })

  it('keeps parts of SMS of every subscriber, whichever node has them', async () => {
    const shelf = redisParts({ client: cluster, prefix: 'parts', subscribersMax: 6_400 })
    const everybody = Array.from({ length: 100 }, (_, n) => ({ group: 'g', msisdn: `6757000${n}` }))
    const texts = [{ to: '1', reference: 1, total: 2, sinceMs: 0, parts: { 1: 'a' }, doneMs: null }]
    const put = (whose: (typeof everybody)[number]) =>
      shelf.change(whose, () => ({ held: { ...whose, texts }, dueMs: 1_000, liveMs: 1_000, result: null }))
    await Promise.all(everybody.map(put))
    assert.ok(
      (await Promise.all(everybody.map((whose) => shelf.find(whose)))).every(
        (held) => held?.texts[0]?.parts[1] === 'a',
      ),
    )
    assert.equal(await shelf.erase('67570000'), 1)
    const due = await shelf.changeDue(1_000, 500, ({ msisdn }) => ({ held: null, dueMs: 0, liveMs: 0, result: msisdn }))
    assert.deepEqual(
      due.toSorted(),
      everybody
        .map(({ msisdn }) => msisdn)
        .slice(1)
        .toSorted(),
    )
  })
})

describeWith(['redis'], 'a Redis Cluster of which some slots have no node', () => {
  let node: OwnRedis | undefined
  before(async function () {
    node = await ownRedis(
      '--cluster-enabled',
      'yes',
      '--cluster-require-full-coverage',
      'no',
      '--cluster-announce-ip',
      '127.0.0.1',
    )
    if (!node) return this.skip()
    const client = new Redis(node.port, '127.0.0.1')
    await client.cluster('ADDSLOTSRANGE', 0, 8191)
    await until(
      async () => String(await client.cluster('INFO')).includes('cluster_state:ok'),
      'the cluster does not form',
    )
    client.disconnect()
  })
  after(() => node?.stop())

  it('is connected to, and is not ready', async () => {
    const store = await redisDialogues({ servers: { cluster: [`redis://127.0.0.1:${node!.port}`] }, limits: LIMITS })
    await assert.rejects(() => store.check(), /some of its slots have no node/)
    assert.deepEqual(store.nodes!(), { known: 1, ready: 1 })
    await store.close()
  })

  it('gives what is due on the nodes that answer', async () => {
    const store = await redisDialogues({
      servers: { cluster: [`redis://127.0.0.1:${node!.port}`] },
      prefix: 'half',
      limits: LIMITS,
    })
    const { begin } = dialogueFixture(store)
    const opened = await Promise.allSettled(Array.from({ length: 40 }, (_, n) => begin({ msisdn: String(n) })))
    const kept = opened.filter((one) => one.status === 'fulfilled').length
    assert.ok(kept > 0 && kept < 40, String(kept))
    const due = await store.overdue(Number.MAX_SAFE_INTEGER, 100, 'sweep', Number.MAX_SAFE_INTEGER)
    assert.equal(due.length, kept)
    await store.close()
  })
})

/** Gives each node half of the slots and waits until both agree. */
async function meet(ports: number[]): Promise<void> {
  const clients = ports.map((port) => new Redis(port, '127.0.0.1'))
  await clients[0]!.cluster('ADDSLOTSRANGE', 0, 8191)
  await clients[1]!.cluster('ADDSLOTSRANGE', 8192, 16383)
  await clients[0]!.cluster('MEET', '127.0.0.1', ports[1]!)
  const agreed = async (client: Redis) =>
    String(await client.cluster('INFO')).includes('cluster_state:ok') &&
    String(await client.cluster('INFO')).includes('cluster_size:2')
  await until(async () => (await Promise.all(clients.map(agreed))).every(Boolean), 'the cluster does not form')
  for (const client of clients) client.disconnect()
}
