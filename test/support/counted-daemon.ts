/** A daemon in a process of its own, whose work is counted: allocation, commands to Redis, writes to the SMSC. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { SCENARIOS } from '../../bench/scenarios.ts'
import { probeOf } from '../../bench/probe.ts'
import { load } from '../../src/simulator/load/index.ts'
import { startSmsc } from '../../src/simulator/smsc/smsc.ts'
import { SCRIPTS } from '../../src/store/redis/scripts.ts'
import { compile } from '../campaigns/staging/daemon-process.ts'
import { root } from '../style/tree.ts'
import { realClock } from './clock.ts'
import { countingRedis } from './counting-redis.ts'
import { newStage, settingsFor, stageTables } from './daemon.ts'
import { freePort, services } from './services.ts'

/** Of one walk through the flow of the bench, over all its turns. */
export interface TurnCounts {
  turns: number
  /** Octets of the heap, and those that outlive a young collection. */
  allocated: number
  survived: number
  /** Commands to Redis: reads, scripts of writes, scripts of settlings, and all others. */
  reads: number
  writes: number
  settles: number
  others: string[]
  octetsToRedis: number
  smppWrites: number
  /** Turns of the event loop. */
  loops: number
  faults: number
}

/** Octets of the heap, over so many SMS. */
export interface SmsCounts {
  allocated: number
  survived: number
}

export interface CountedDaemon {
  /** Phones walk until so many turns are over. `profile`: a folder for profiles of it. */
  walk(turns: number, phones: number, profile?: string): Promise<TurnCounts>
  /** So many SMS are due at once, until the last is settled. */
  send(sms: number): Promise<SmsCounts>
  stop(): Promise<void>
}

const START_MS = 50_000
/** As in deploy/: with a small one, what survives a collection would be counted twice. */
const YOUNG_MB = 64

export async function countedDaemon(): Promise<CountedDaemon> {
  // tsx gives every function its name at run time, which allocates more than the function.
  const program = compile(join(root, 'dist/counted'))
  const stage = newStage()
  const url = new URL(services.redisUrl!)
  const redis = await countingRedis({ host: url.hostname, port: Number(url.port || 6379) })
  const smsc = await startSmsc({ clock: realClock, chance: Math.random, traceMax: 0 })
  const admin = await freePort()
  const walk = SCENARIOS.find(({ name }) => name === 'walk')!
  const settings = settingsFor({ smscPort: smsc.port }, stage)
  url.port = `${redis.port}`
  settings.redis = { url: url.toString(), prefix: stage.prefix, requireDurable: false }
  settings.services = [{ code: walk.code, flow: walk.name }]
  const [line] = settings.lines
  Object.assign(line!, { window: 100, sms: { ...line!.sms, perSecond: 10_000, receipts: false } })
  const file = join(mkdtempSync(join(tmpdir(), 'ussd-counted-')), 'connector.yaml')
  const plain = JSON.parse(JSON.stringify({ ...settings, flows: { dir: walk.flows }, backends: {} })) as object
  writeFileSync(file, stringify({ ...plain, admin: { port: admin } }), { mode: 0o600 })
  const knex = await stageTables(stage)
  const words = ['run', '--config', file]
  const child = spawn(
    process.execPath,
    [`--max-semi-space-size=${YOUNG_MB}`, '--import', join(root, 'bench/probe-inside.mjs'), program, ...words],
    { cwd: root, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  )
  const exited = new Promise((done) => child.once('exit', done))
  const probe = probeOf(child)
  await smsc.bound(1, START_MS)
  return {
    async walk(turns, phones, profile) {
      const before = await figuresOf(admin)
      redis.take()
      probe.begin(profile)
      const result = await load({ smsc, clock: realClock, concurrent: phones, script: walk.steps, turns })
      const { allocated, survived } = await probe.end()
      const asked = redis.take()
      const after = await figuresOf(admin)
      return {
        turns: result.turns,
        allocated,
        survived,
        ...sortOf(asked.commands),
        octetsToRedis: asked.octets,
        smppWrites: after('smpp_write_total') - before('smpp_write_total'),
        loops: after('event_loop_turns') - before('event_loop_turns'),
        faults: result.lost + result.refused + result.wrong + result.unexpected,
      }
    },
    async send(sms) {
      const settled = async () => Number((await knex('sms_outbox').where({ state: 'accepted' }).count())[0]!.count)
      const until = (await settled()) + sms
      probe.begin()
      await knex.raw(OWE, { sms })
      while ((await settled()) < until) await new Promise((done) => setTimeout(done, LOOK_MS))
      return probe.end()
    },
    async stop() {
      child.kill('SIGTERM')
      await exited
      await smsc.stop()
      await redis.close()
      await knex.raw(`DROP SCHEMA IF EXISTS "${stage.schema}" CASCADE`)
      await knex.destroy()
      for (const folder of [stage.data, join(file, '..')]) rmSync(folder, { recursive: true, force: true })
    },
  }
}

const LOOK_MS = 100

/** Each to another subscriber. */
const OWE = `
  INSERT INTO sms_outbox (subject, kind, msisdn, text, due_at, expires_at, wake_at, created_at)
  SELECT 'counted:' || gen_random_uuid(), 'reminder', CAST(67580000000 + n AS text), 'Reminder: Checkup',
    now(), now() + interval '1 hour', now(), now()
  FROM generate_series(1, CAST(:sms AS int)) n`

const hashOf = (script: string) => `EVALSHA ${createHash('sha1').update(script).digest('hex')}`

function sortOf(commands: Map<string, number>): Pick<TurnCounts, 'reads' | 'writes' | 'settles' | 'others'> {
  const known = { reads: ['GET', 'MGET'], writes: [hashOf(SCRIPTS.write)], settles: [hashOf(SCRIPTS.settle)] }
  const sum = (names: string[]) => names.reduce((total, name) => total + (commands.get(name) ?? 0), 0)
  const all = Object.values(known).flat()
  return {
    reads: sum(known.reads),
    writes: sum(known.writes),
    settles: sum(known.settles),
    others: [...commands.keys()].filter((name) => !all.includes(name)),
  }
}

/** Sums of the daemon's counters and gauges, all labels together. */
async function figuresOf(admin: number): Promise<(name: string) => number> {
  const text = await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text()
  return (name) => {
    const lines = text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? ([-\\d.e+]+)$`, 'gm'))
    return [...lines].reduce((sum, [, value]) => sum + Number(value), 0)
  }
}
