/**
 * What call detail records cost, in processor time of all processes, by counts: `node --import tsx bench/records.ts
 * --before DIR`. Dialogues end in a Redis with and without a record, the records are written into a Postgres as the
 * daemon does, and their place is cleared: by this tree and by another one in turns (DIR, a checkout whose node_modules
 * is a link to that of this tree; --rounds 5; --batch 500 records a statement, as a daemon has, of the other tree
 * --before-batch). Then what a dialogue costs without records, in a daemon with phones, for `walk` and for `dental`
 * (--seconds 12; 0: none). Needs a build.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { uuidV7 } from '../src/base/ids.ts'
import type { Sql } from '../src/base/index.ts'
import type {
  DialogueEntry,
  DialogueLimits,
  DialogueRegister,
  Recording,
  WaitingRecord,
} from '../src/dialogue/index.ts'
import { keepDays, NO_FILE } from '../src/records/index.ts'
import { openPostgres } from '../src/store/postgres/connection.ts'
import { migrate } from '../src/store/postgres/migrate.ts'
import type { Client } from '../src/store/redis/servers.ts'
import { ownPostgres } from '../test/campaigns/staging/own-postgres.ts'
import { numberOf } from './options.ts'
import { crewOf, leaveOnSignals, root, runToEnd, startRedis, type OwnRedis } from './processes.ts'
import { SCENARIOS, type ScenarioName } from './scenarios.ts'
import { daemonSystem } from './systems.ts'

const SUBSCRIBERS = 100_000
/** Dialogues of one part of a round: what is compared is measured within seconds of each other. */
const DIALOGUES = 10_000
/** That end in one turn of the event loop. */
const TOGETHER = 10
const WAITING_MAX = 180_000
const US_A_S = 1_000_000

const LIMITS: DialogueLimits = {
  idleMs: 60_000,
  totalMs: 3_600_000,
  tombstoneMs: 120_000,
  resumeMs: 300_000,
  confirmMs: 12_000,
  snapshotOctetsMax: 16_384,
  duplicateBeginMs: 10_000,
}
const SNAPSHOT = { value: 'booked', context: { language: 'en', answers: { pad: 'x'.repeat(400) } } }

const say = (line: string) => process.stdout.write(`${line} (load ${loadavg()[0]!.toFixed(1)})\n`)
const middleOf = (all: readonly number[]) => all.toSorted((a, b) => a - b)[all.length >> 1]!

/** The parts of a tree that a record goes through. */
interface Tree {
  name: string
  recordsFor: typeof import('../src/dialogue/cdr.ts').recordsFor
  registerOn(client: Client): DialogueRegister
  recording: Recording
  write(sql: Sql, waiting: readonly WaitingRecord[]): Promise<unknown>
  /** Rows of a statement. */
  batch: number
}

async function treeIn(dir: string, name: string, batch: number): Promise<Tree> {
  const part = (file: string) => import(join(dir, 'src', file))
  const { recordsFor } = (await part('dialogue/cdr.ts')) as typeof import('../src/dialogue/cdr.ts')
  const { recordingOf } = (await part('daemon/index.ts')) as typeof import('../src/daemon/index.ts')
  const { dialogueRegister } = (await part('store/dialogues.ts')) as typeof import('../src/store/dialogues.ts')
  const { redisRegister } = (await part('store/redis/register.ts')) as typeof import('../src/store/redis/register.ts')
  const { writeCounted } = (await part('records/index.ts')) as typeof import('../src/records/index.ts')
  const settings = { records: { to: 'postgres' }, services: [{ code: '*384*1#', flow: 'walk' }], testDials: [] }
  const kind = { letter: 'u', index: 'deadlines' }
  const records = { max: WAITING_MAX, onFull: (): void => undefined }
  return {
    name,
    recordsFor,
    registerOn: (client) =>
      dialogueRegister({ register: redisRegister({ client, prefix: 'bench', kind, records }), limits: LIMITS }),
    recording: recordingOf(settings as unknown as Parameters<typeof recordingOf>[0], 'd1')!,
    write: (sql, waiting) =>
      writeCounted(
        sql,
        waiting.map(({ record }) => record),
        { fileOf: () => NO_FILE, areNew: true },
      ),
    batch,
  }
}

let serial = 0

/** A dialogue that has just ended. They end a millisecond after each other, not in the order in which they began. */
function walked(nowMs: number): DialogueEntry {
  const n = serial++
  const any = (n * 2_654_435_761) % 4_294_967_296
  const openedMs = nowMs + n - 20_000 - (any % 10_000)
  const octets = Buffer.alloc(10)
  octets.writeUInt32BE(any, 0)
  octets.writeUInt32BE(n, 4)
  const msisdn = String(67570000000 + (any % SUBSCRIBERS))
  const path = `main:1/${any % 9}>clinic:2/${any % 7}>day:3/${any % 5}>patient:*/${any % 23}>sure:1/3`
  return {
    version: `v${n}`,
    confirmed: false,
    past: [],
    untilMs: openedMs + 120_000,
    previous: null,
    track: { path, waitMs: 15_000, backendMs: 0 },
    key: { group: `g${n}`, msisdn },
    epoch: uuidV7(openedMs, () => octets),
    status: 'ended',
    network: '1',
    turn: 6,
    revision: 'walk@9f2c01ab77de',
    code: '*384*1#',
    line: 'bench',
    snapshot: SNAPSHOT,
    answer: { kind: 'input', text: '1', step: null },
    reply: { action: 'end', text: 'Booked: Mary Kila, Waigani, Fri. Thank you.', step: null, link: 'bench' },
    returnPath: { from: [1, 1, msisdn], to: [0, 1, '384'], serviceType: 'USSD', carrier: 'tlv' } as never,
    openedMs,
    touchedMs: openedMs + 18_250,
    ended: 'completed',
  }
}

/** Microseconds on a processor of a process, or of the children of one (schedstat of proc(5)). */
function workedUs(pid: number, whose: 'own' | 'children'): number {
  const read = (id: number | string, file: string) => readFileSync(`/proc/${id}/${file}`, 'utf8')
  const of = (id: number | string) => Number(read(id, 'schedstat').split(' ')[0]) / 1_000
  if (whose === 'own') return readdirSync(`/proc/${pid}/task`).reduce((sum, task) => sum + of(`${pid}/task/${task}`), 0)
  let sum = 0
  for (const id of readdirSync('/proc').filter((one) => /^\d+$/.test(one))) {
    try {
      const stat = read(id, 'stat')
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid) sum += of(id)
    } catch {
      // It has ended.
    }
  }
  return sum
}

interface Stores {
  redis: OwnRedis
  client: Client
  sql: Sql
  postgresPid: number
}

/** Microseconds for each dialogue. */
type Cost = Record<'daemon' | 'Redis' | 'Postgres', number>

const sumOf = ({ daemon, Redis, Postgres }: Cost) => daemon + Redis + Postgres

/** Ends dialogues. `isRecorded`: each with a record, until it is a row and gone from Redis. */
async function ended(tree: Tree, { redis, client, sql, postgresPid }: Stores, isRecorded: boolean): Promise<Cost> {
  await redis.client.flushall()
  const register = tree.registerOn(client)
  // As a collector has at its start.
  await register.records!.count()
  const waiting: WaitingRecord[] = []
  register.records!.follow((kept) => void waiting.push(...kept))
  const nowMs = Date.now()
  const entries = Array.from({ length: DIALOGUES }, () => walked(nowMs))
  const worked = (): Cost => {
    const { user, system } = process.cpuUsage()
    return {
      daemon: user + system,
      Redis: workedUs(redis.process.pid!, 'own'),
      Postgres: workedUs(postgresPid, 'children'),
    }
  }
  const before = worked()
  for (let at = 0; at < DIALOGUES; at += TOGETHER) {
    const together = entries.slice(at, at + TOGETHER).map((entry) => {
      const records = isRecorded ? tree.recordsFor(tree.recording, entry) : undefined
      return register.write(entry.key, { from: null, entry, nowMs, dueMs: null, ...(records && { records }) })
    })
    await Promise.all(together)
    if (waiting.length < tree.batch && at + TOGETHER < DIALOGUES) continue
    for (let from = 0; from < waiting.length; from += tree.batch) {
      const some = waiting.slice(from, from + tree.batch)
      await tree.write(sql, some)
      await register.records!.remove(some.map((one) => one.at))
    }
    waiting.length = 0
  }
  const after = worked()
  const each = (part: keyof Cost) => (after[part] - before[part]) / DIALOGUES
  return { daemon: each('daemon'), Redis: each('Redis'), Postgres: each('Postgres') }
}

const PARTS = ['daemon', 'Redis', 'Postgres'] as const

function less(cost: Cost, without: Cost): Cost {
  return Object.fromEntries(PARTS.map((part) => [part, cost[part] - without[part]])) as Cost
}

function told(costs: readonly Cost[]): Cost {
  return Object.fromEntries(PARTS.map((part) => [part, middleOf(costs.map((cost) => cost[part]))])) as Cost
}

/** What a record costs in each tree. */
async function byRecord(trees: readonly Tree[], rounds: number): Promise<Map<Tree, Cost>> {
  const server = await ownPostgres({ checkpointsRarely: true })
  const db = await openPostgres({ url: server.url, poolMax: 1 })
  await migrate(db.knex)
  await keepDays(db.sql, { nowMs: Date.now(), days: 90 })
  const costs = new Map<Tree, Cost[]>(trees.map((tree) => [tree, []]))
  await crewOf('records', async (crew) => {
    crew.onStop(() => db.close().then(() => server.close()))
    const redis = await startRedis(crew, 512)
    const client = redis.client.duplicate() as Client
    crew.onStop(async () => client.disconnect())
    const stores: Stores = { redis, client, sql: db.sql, postgresPid: server.pid() }
    for (let round = 0; round <= rounds; round++) {
      for (const tree of round % 2 ? trees : trees.toReversed()) {
        const without = await ended(tree, stores, false)
        const cost = less(await ended(tree, stores, true), without)
        // The first round warms up.
        if (round > 0) costs.get(tree)!.push(cost)
      }
    }
    await crew.stop()
  })
  return new Map([...costs].map(([tree, all]) => [tree, told(all)]))
}

/** Microseconds of all processes for one dialogue of the scenario, without records. */
async function byDialogue(name: ScenarioName, seconds: number): Promise<{ turns: number; us: number }> {
  const scenario = SCENARIOS.find((one) => one.name === name)!
  const system = await daemonSystem('daemon', { scenario, records: { to: 'none' } })
  const order = { scenario: name, concurrent: Math.min(500, scenario.phones), seconds }
  await system.walk(order)
  await system.clear()
  const before = system.cpu()
  const { turns } = await system.walk(order)
  const used = Object.entries(system.cpu()).reduce((sum, [part, s]) => sum + s - before[part]!, 0)
  await system.stop()
  const each = scenario.steps.length
  return { turns: each, us: (used / turns) * each * US_A_S }
}

async function main(): Promise<void> {
  const at = process.argv.indexOf('--before')
  const batch = numberOf('--batch', 500)
  const before = at < 0 ? [] : [await treeIn(process.argv[at + 1]!, 'before', numberOf('--before-batch', batch))]
  const trees = [...before, await treeIn(root, 'now', batch)]
  const seconds = numberOf('--seconds', 12)
  const costs = await byRecord(trees, numberOf('--rounds', 5))
  for (const [{ name }, cost] of costs) {
    const parts = PARTS.map((part) => `${part} ${cost[part].toFixed(1)}`)
    say(`${name}: a record costs ${sumOf(cost).toFixed(1)} µs: ${parts.join(', ')}`)
  }
  for (const name of seconds > 0 ? (['walk', 'dental'] as const) : []) {
    const { turns, us } = await byDialogue(name, seconds)
    const shares = [...costs].map(([tree, cost]) => `${((sumOf(cost) / us) * 100).toFixed(1)} % ${tree.name}`)
    say(`${name}: ${turns} turns cost ${us.toFixed(0)} µs without a record, which is ${shares.join(', ')}`)
  }
}

leaveOnSignals()
runToEnd(main)
