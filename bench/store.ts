/**
 * Turns a second of the dialogue stores, and their cost: `node --import tsx bench/store.ts`. REDIS_URL names a Redis to
 * use (keys under `bench`, removed afterwards); without it only memory and journal are measured. A turn is a take, a
 * rest and a confirmation, the snapshot about 600 octets.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { DialogueLimits, DialogueStore } from '../src/dialogue/types.ts'
import { journalDialogues } from '../src/store/journal/store.ts'
import { pooled } from '../src/base/ids.ts'
import { redisDialogues } from '../src/store/redis/store.ts'
import { createSealer, plainSealer } from '../src/store/seal.ts'

const LIMITS: DialogueLimits = {
  idleMs: 60_000,
  totalMs: 3_600_000,
  tombstoneMs: 120_000,
  resumeMs: 300_000,
  confirmMs: 12_000,
  snapshotOctetsMax: 16_384,
  duplicateBeginMs: 10_000,
}
const T0 = 1_746_054_000_000
const TURNS = Number(process.env.TURNS ?? 20_000)
const OPEN = Number(process.env.OPEN ?? 20_000)
const SNAPSHOT = { value: 'main', context: { language: 'en', answers: { pad: 'x'.repeat(530) } } }
const TEXT = 'Welcome to Akiba Dental Clinic\n1. Book a visit\n2. My visits\n3. Change language\n0. Exit'

interface Measured {
  store: string
  concurrent: number
  'turns/s': number
  'CPU s per 10,000': number
  'of which Redis': number | string
}

const rows: Measured[] = []
await measure('memory', () => journalDialogues({ limits: LIMITS }))
const dir = mkdtempSync(join(tmpdir(), 'ussd-bench-'))
await measure('journal', () => journalDialogues({ dir, limits: LIMITS }))
rmSync(dir, { recursive: true, force: true })
if (process.env.REDIS_URL) await measureRedis(process.env.REDIS_URL)
console.table(rows)

async function measureRedis(url: string): Promise<void> {
  const admin = new Redis(url)
  const cpu = async () => {
    const info = await admin.info('cpu')
    return ['used_cpu_sys', 'used_cpu_user'].reduce(
      (sum, name) => sum + Number(new RegExp(`${name}:([\\d.]+)`).exec(info)?.[1]),
      0,
    )
  }
  const memory = async () => Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1])
  const before = await memory()
  const keyed = { id: 'bench', secret: randomBytes(32) }
  const sealed = createSealer({
    ring: () => ({ names: keyed.secret, keys: [keyed], writer: keyed }),
    random: pooled(randomBytes),
  })
  for (const [store, sealer] of [
    ['redis', plainSealer],
    ['redis, sealed', sealed],
  ] as const) {
    await measure(store, () => redisDialogues({ servers: { url }, prefix: 'bench', limits: LIMITS, sealer }), cpu)
    console.log(
      `${store}: octets a resting dialogue, everything: ${Math.round(((await memory()) - before) / OPEN)} (${OPEN} open)`,
    )
    const keys = await admin.keys('bench:*')
    for (let n = 0; n < keys.length; n += 1_000) await admin.del(keys.slice(n, n + 1_000))
  }
  admin.disconnect()
}

async function measure(
  store: string,
  make: () => Promise<DialogueStore>,
  otherCpu?: () => Promise<number>,
): Promise<void> {
  const dialogues = await make()
  await spread(OPEN, 200, async (n) => {
    await dialogues.open({ ...taking(n, 'begin'), token: `b${n}` })
    await rest(dialogues, n, `b${n}`, 1)
  })
  for (const concurrent of [1, 50, 500]) {
    const turns = concurrent === 1 ? TURNS / 4 : TURNS
    const [used, other, started] = [process.cpuUsage(), await otherCpu?.(), process.hrtime.bigint()]
    await spread(turns, concurrent, async (n) => {
      const token = `${concurrent}-${n}`
      const taken = await dialogues.take({ ...taking(n % OPEN, 'input'), token })
      if (taken.is !== 'next') throw new Error(`a turn was ${taken.is}`)
      await rest(dialogues, n % OPEN, token, taken.record.turn)
    })
    const seconds = Number(process.hrtime.bigint() - started) / 1e9
    const { user, system } = process.cpuUsage(used)
    const redis = otherCpu ? (await otherCpu()) - other! : 0
    const per = (cpuSeconds: number) => Number(((cpuSeconds / turns) * 10_000).toFixed(3))
    rows.push({
      store,
      concurrent,
      'turns/s': Math.round(turns / seconds),
      'CPU s per 10,000': per((user + system) / 1e6 + redis),
      'of which Redis': otherCpu ? per(redis) : '-',
    })
  }
  await dialogues.close()
}

function key(n: number) {
  return { group: 'main', msisdn: String(67_570_000_000 + n) }
}

function taking(n: number, kind: 'begin' | 'input') {
  return {
    key: key(n),
    network: String(n % 256),
    code: kind === 'begin' ? '*123#' : '',
    line: 'akiba',
    link: 'akiba-1',
    epoch: epoch(n),
    answer: { kind, text: kind === 'begin' ? '' : '1', step: null },
    nowMs: 1_746_054_000_000,
    leaseUntilMs: 1_746_054_003_000,
    returnPath: { from: [1, 1, key(n).msisdn], to: [0, 1, '123'], serviceType: 'USSD', beginOp: 1, carrier: '0a01' },
  } satisfies Omit<Parameters<DialogueStore['open']>[0], 'token'>
}

function epoch(n: number): string {
  return `01968a2e-7c00-7${String(n).padStart(15, '0').slice(0, 3)}-8000-${String(n).padStart(12, '0')}`
}

async function rest(dialogues: DialogueStore, n: number, token: string, turn: number): Promise<void> {
  const rested = await dialogues.rest({
    key: key(n),
    epoch: epoch(n),
    token,
    nowMs: T0 + 10,
    revision: 'dental@9f2c01ab77de',
    snapshot: SNAPSHOT,
    ended: null,
    reply: { action: 'continue', text: TEXT, step: null, link: 'akiba-1' },
  })
  if (!rested) throw new Error('a rest was refused')
  dialogues.confirm({ key: key(n), epoch: epoch(n), turn, openedMs: T0, touchedMs: T0 + 10, ended: null })
}

/** Runs `count` jobs, so many at once, each on a dialogue that no other one under way has. */
async function spread(count: number, concurrent: number, job: (n: number) => Promise<void>): Promise<void> {
  let next = 0
  await Promise.all(
    Array.from({ length: concurrent }, async () => {
      while (next < count) await job(next++)
    }),
  )
}
