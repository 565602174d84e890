/**
 * Real Redis servers of a campaign's own, on loopback, in a temporary folder: a Cluster, or a master behind sentinels.
 * Durable as an operator's would be (append-only file, no snapshots), so that a killed server comes back with its data.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { freePort, listens } from '../../support/services.ts'
import { reached } from '../judging/outcome.ts'
import type { RedisPlace } from './stage.ts'

const NODE_MS = 1_000
const DISK = [
  '--appendonly',
  'yes',
  '--save',
  '',
  '--auto-aof-rewrite-percentage',
  '100',
  '--auto-aof-rewrite-min-size',
  '16mb',
]

export interface Server {
  readonly port: number
  readonly pid: number
  /** SIGKILL, SIGSTOP, SIGCONT … */
  signal(signal: NodeJS.Signals): void
  /** Ends it at once; its files stay. */
  kill(): Promise<void>
  /** Again, on the same port with the same files. */
  start(): Promise<void>
  ask(...command: string[]): Promise<unknown>
}

export interface Fleet {
  place: RedisPlace
  servers: readonly Server[]
  /** Those that say they are masters now. */
  masters(): Promise<Server[]>
  close(): Promise<void>
}

/** Three masters with a replica each; a node is held for dead after a second. */
export async function clusterFleet(): Promise<Fleet> {
  const fleet = await openFleet()
  try {
    const settings = [
      '--cluster-enabled',
      'yes',
      '--cluster-node-timeout',
      String(NODE_MS),
      '--maxmemory-policy',
      'noeviction',
      ...DISK,
    ]
    for (let n = 0; n < 6; n++) await fleet.add(settings, { isCluster: true })
    const addresses = fleet.servers.map(({ port }) => `127.0.0.1:${port}`)
    execFileSync('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes'], {
      stdio: 'ignore',
      timeout: 60_000,
    })
    const whole = async (server: Server) =>
      /cluster_state:ok[^]*cluster_known_nodes:6/.test(String(await server.ask('CLUSTER', 'INFO')))
    const isWhole = await reached(async () => (await Promise.all(fleet.servers.map(whole))).every(Boolean), 30_000)
    const synced = async (server: Server) =>
      !/master_link_status:down/.test(String(await server.ask('INFO', 'replication')))
    const isSynced = await reached(async () => (await Promise.all(fleet.servers.map(synced))).every(Boolean), 30_000)
    if (!isWhole || !isSynced) throw new Error('the Redis Cluster does not form')
    return { ...fleet, place: { cluster: addresses.slice(0, 3).map((address) => `redis://${address}`) } }
  } catch (error) {
    await fleet.close()
    throw error
  }
}

/** One master, two replicas, three sentinels of quorum two. */
export async function sentinelFleet(): Promise<Fleet & { sentinels: readonly Server[] }> {
  const fleet = await openFleet()
  try {
    const master = await fleet.add(DISK)
    for (let n = 0; n < 2; n++) await fleet.add([...DISK, '--replicaof', `127.0.0.1 ${master.port}`])
    const up = async (server: Server) => /master_link_status:up/.test(String(await server.ask('INFO', 'replication')))
    const isUp = await reached(async () => (await Promise.all(fleet.servers.slice(1).map(up))).every(Boolean), 30_000)
    if (!isUp) throw new Error('the replicas do not follow')
    const sentinels: Server[] = []
    for (let n = 0; n < 3; n++) {
      sentinels.push(
        await fleet.add([], {
          sentinel: [
            `sentinel monitor main 127.0.0.1 ${master.port} 2`,
            `sentinel down-after-milliseconds main ${NODE_MS}`,
            'sentinel failover-timeout main 5000',
            'sentinel parallel-syncs main 1',
          ],
        }),
      )
    }
    const knows = async (server: Server) =>
      ((await server.ask('SENTINEL', 'replicas', 'main')) as unknown[]).length === 2 &&
      ((await server.ask('SENTINEL', 'sentinels', 'main')) as unknown[]).length === 2
    if (!(await reached(async () => (await Promise.all(sentinels.map(knows))).every(Boolean), 30_000)))
      throw new Error('the sentinels do not meet')
    const nodes = sentinels.map(({ port }) => `127.0.0.1:${port}`)
    return { ...fleet, sentinels, place: { sentinel: { name: 'main', nodes } } }
  } catch (error) {
    await fleet.close()
    throw error
  }
}

/** One server as in production, to be stopped and gone on. */
export async function soleRedis(): Promise<Fleet> {
  const fleet = await openFleet()
  const { port } = await fleet.add(DISK)
  return { ...fleet, place: { url: `redis://127.0.0.1:${port}/0` } }
}

type Kind = { isCluster?: boolean; sentinel?: string[] }
type Opened = Omit<Fleet, 'place'> & { add(settings: string[], kind?: Kind): Promise<Server> }

async function openFleet(): Promise<Opened> {
  const dir = mkdtempSync(join(tmpdir(), 'ussd-fleet-'))
  const [all, data]: [Server[], Server[]] = [[], []]
  const isMaster = async (server: Server) =>
    /role:master/.test(String(await server.ask('INFO', 'replication').catch(() => '')))
  return {
    servers: data,
    async add(settings, kind = {}) {
      const port = await portOf(kind)
      const home = join(dir, String(port))
      mkdirSync(home)
      const server = await serverOf(port, home, settings, kind)
      all.push(server)
      if (!kind.sentinel) data.push(server)
      return server
    },
    async masters() {
      const are = await Promise.all(data.map(isMaster))
      return data.filter((_, n) => are[n])
    },
    async close() {
      await Promise.all(all.map((server) => server.kill()))
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** A Cluster node speaks on a second port, 10 000 above. */
async function portOf({ isCluster }: Kind): Promise<number> {
  for (;;) {
    const port = await freePort()
    if (!isCluster || (port < 55_000 && !(await listens(port + 10_000)))) return port
  }
}

async function serverOf(port: number, home: string, settings: string[], { sentinel }: Kind): Promise<Server> {
  const common = ['--port', String(port), '--bind', '127.0.0.1', '--dir', home, '--protected-mode', 'no']
  const file = join(home, 'sentinel.conf')
  if (sentinel) writeFileSync(file, `${sentinel.join('\n')}\n`)
  const args = sentinel ? [file, '--sentinel', ...common] : [...common, ...settings]
  let child: ChildProcess
  const server: Server = {
    port,
    get pid() {
      return child.pid!
    },
    signal: (signal) => void child.kill(signal),
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = new Promise((done) => child.once('exit', done))
      child.kill('SIGKILL')
      await gone
    },
    async start() {
      if (!existsSync(home)) throw new Error('the fleet is closed')
      child = spawn('redis-server', args, { stdio: 'ignore' })
      if (!(await reached(() => listens(port), 20_000))) throw new Error(`redis-server does not answer on ${port}`)
    },
    async ask(...command) {
      const client = new Redis(port, '127.0.0.1', {
        retryStrategy: () => null,
        maxRetriesPerRequest: 0,
        commandTimeout: 2_000,
        lazyConnect: true,
      })
      client.on('error', () => undefined)
      try {
        await client.connect()
        return await client.call(command[0]!, ...command.slice(1))
      } finally {
        client.disconnect()
      }
    },
  }
  await server.start()
  return server
}
