/** The fleet of the evening: SMSCs, proxies in front of everything, three daemons, traffic, and what can be broken. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { parse, stringify } from 'yaml'
import { tokenHash } from '../src/admin/access.ts'
import { ROLE_NAMES } from '../src/admin/roles.ts'
import { load } from '../src/simulator/load/index.ts'
import { startSmsc, type Smsc } from '../src/simulator/smsc/index.ts'
import { compile, startDaemonProcess, type DaemonProcess } from '../test/campaigns/staging/daemon-process.ts'
import { faultProxy, type FaultProxy } from '../test/campaigns/staging/proxy.ts'
import { realClock } from '../test/support/clock.ts'
import { foreignSmsc } from '../test/support/foreign-smsc.ts'
import { freePort } from '../test/support/services.ts'
import { benchDir, root } from './processes.ts'
import { SCENARIOS } from './scenarios.ts'

export const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms))

const TOKEN = 'a-token-of-the-night-shift-of-an-evening'
const NAMES = ['a', 'b', 'c'] as const
const REDIS = { host: '127.0.0.1', port: 6379 }
const POSTGRES = { host: '127.0.0.1', port: 5432 }
/** At a time; the next slice has others. */
const PHONES = 150
const PER_SECOND = 40
const SLICE_S = 15
const BIND_MS = 60_000
/** ESME_RINVPASWD, ESME_RINVDSTADR. */
const [WRONG_PASSWORD, WRONG_NUMBER] = [0x0e, 0x0b]

const PRICE = `flow: price
spec: 1
start: ask
languages: [en]
screens:
  ask: { call: shop.price, expect: { price: number }, to: main, failed: later }
  main: { end: 'Rice costs K{data.ask.price}.' }
  later: { end: 'Please try later.' }
`

export interface Evening {
  readonly cli: string
  readonly env: NodeJS.ProcessEnv
  readonly perSecond: number
  readonly complainer: string
  readonly north: { proxy: FaultProxy }
  readonly redis: FaultProxy
  readonly postgres: FaultProxy
  config(name: string): string
  turns(): number
  lost(): number
  subscribers(): number
  alarms(): string[]
  wrongPassword(): Promise<void>
  rightPassword(): Promise<void>
  shopDown(): Promise<void>
  shopUp(): Promise<void>
  oldDaemon(): Promise<void>
  tryRevision(): Promise<void>
  editSettings(): Promise<void>
  refuseSms(): Promise<void>
  complaint(): Promise<void>
  kill(name: string): Promise<void>
  close(): Promise<void>
}

type Foreign = Awaited<ReturnType<typeof foreignSmsc>>

/** A server on loopback that keeps what it is sent, and answers with this body. */
async function listener(answer: string, port = 0): Promise<{ server: Server; port: number; heard: string[] }> {
  const heard: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (part: Buffer) => (body += part.toString()))
    request.on('end', () => {
      heard.push(body)
      response.writeHead(200, { 'content-type': 'application/json' }).end(answer)
    })
  })
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done))
  return { server, port: (server.address() as AddressInfo).port, heard }
}

/** Walks through the simulator again and again, and one phone of the foreign SMSC beside it. */
function traffic(smsc: Smsc, foreign: Foreign) {
  const walk = SCENARIOS.find(({ name }) => name === 'walk')!
  const sums = { turns: 0, lost: 0, subscribers: 0 }
  const state = { isOver: false, isPaused: false }
  async function crowd(): Promise<void> {
    while (!state.isOver) {
      if (state.isPaused || smsc.binds().length === 0) await pause(250)
      else {
        const of = {
          smsc,
          clock: realClock,
          concurrent: PHONES,
          script: walk.steps,
          seconds: SLICE_S,
          perSecond: PER_SECOND,
        }
        const told = await load({ ...of, answerMs: 5_000 }).catch(() => undefined)
        sums.subscribers += told ? PHONES : 0
        sums.turns += told?.turns ?? 0
        sums.lost += told?.lost ?? 0
      }
    }
  }
  async function beside(): Promise<void> {
    for (let n = 0; !state.isOver; n = (n + 1) % 100) {
      await pause(2_000)
      const phone = foreign.phone(`6757500${String(n).padStart(4, '0')}`)
      const walked = async () => {
        await phone.dial('*384*1#')
        if (n % 3 > 0) await phone.answer(n % 3 === 1 ? '2' : '1')
        else await phone.hangUp()
        sums.turns++
      }
      await Promise.race([walked().catch(() => undefined), pause(3_000)])
    }
  }
  const both = Promise.all([crowd(), beside()])
  return {
    sums,
    /** Until the slice is over, when the phones of the simulator are free. */
    async quiet() {
      state.isPaused = true
      await pause((SLICE_S + 6) * 1_000)
    },
    again: () => void (state.isPaused = false),
    async stop() {
      state.isOver = true
      await Promise.race([both, pause(20_000)])
    },
  }
}

interface Ports {
  north: number
  south: number
  redis: number
  postgres: number
  shop: number
  hook: number
  admin: number
}

function settingsOf(name: string, dir: string, ports: Ports, database: string): object {
  const line = (line: string, port: number) => ({
    name: line,
    smsc: { host: '127.0.0.1', port, systemId: 'ussd', password: 'secret' },
    timers: { reconnectMs: 1_000 },
    sms: { source: '123' },
    submits: { perSecond: 200 },
  })
  return {
    instance: name,
    lines: [line('north', ports.north), line('south', ports.south)],
    services: [
      { code: '*384*1#', flow: 'walk' },
      { code: '*124#', flow: 'price' },
    ],
    flows: { dir: join(dir, 'flows') },
    backends: { shop: { http: { url: `http://127.0.0.1:${ports.shop}`, timeoutMs: 2_000 } } },
    redis: { url: `redis://127.0.0.1:${ports.redis}`, prefix: database, requireDurable: false },
    postgres: { url: `postgres://postgres@127.0.0.1:${ports.postgres}/${database}`, poolMax: 5, migrate: true },
    data: join(dir, name),
    admin: { port: ports.admin, tokensFile: join(dir, 'tokens') },
    alarms: {
      afterMs: 10_000,
      overMs: 10_000,
      hook: { url: `http://127.0.0.1:${ports.hook}/alarms`, keyFile: join(dir, 'hook-key'), privateNetwork: true },
    },
    reminders: { pollMs: 500 },
  }
}

function writeFiles(dir: string): void {
  mkdirSync(join(dir, 'flows'))
  for (const name of NAMES) mkdirSync(join(dir, name))
  writeFileSync(join(dir, 'flows/walk.yaml'), readFileSync(join(benchDir, 'flows/walk.yaml'), 'utf8'))
  writeFileSync(join(dir, 'flows/price.yaml'), PRICE)
  const roles = ROLE_NAMES.join(',')
  writeFileSync(join(dir, 'tokens'), `${roles}:${tokenHash(TOKEN).toString('hex')} mary\n`, { mode: 0o600 })
  writeFileSync(join(dir, 'token'), TOKEN, { mode: 0o600 })
  writeFileSync(join(dir, 'hook-key'), randomBytes(32).toString('hex'), { mode: 0o600 })
}

async function database(name: string): Promise<pg.Pool> {
  const server = new pg.Client({ ...POSTGRES, user: 'postgres', database: 'postgres' })
  await server.connect()
  await server.query(`CREATE DATABASE ${name}`)
  await server.end()
  const pool = new pg.Pool({ ...POSTGRES, user: 'postgres', database: name, max: 2 })
  pool.on('error', () => undefined)
  return pool
}

async function dropDatabase(name: string, pool: pg.Pool): Promise<void> {
  await pool.end()
  const server = new pg.Client({ ...POSTGRES, user: 'postgres', database: 'postgres' })
  await server.connect()
  await server.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  await server.end()
}

interface Starting {
  cli: string
  dir: string
  /** Of the database. */
  name: string
  config(name: string): string
  ports: Omit<Ports, 'admin'>
  smsc: Smsc
  say(line: string): void
}

/** One after the other: each finds the tables of the one before. `admin`: the port of the first. */
async function startDaemons({ cli, dir, name, config, ports, smsc, say }: Starting) {
  const daemons = new Map<string, DaemonProcess>()
  const admins: number[] = []
  for (const one of NAMES) {
    const admin = await freePort()
    writeFileSync(config(one), stringify(settingsOf(one, dir, { ...ports, admin }, name)), { mode: 0o600 })
    daemons.set(one, startDaemonProcess(config(one), admin, {}, cli))
    admins.push(admin)
    await smsc.bound(daemons.size, BIND_MS).catch((error: unknown) => {
      say(daemons.get(one)!.raw())
      throw error
    })
  }
  return { daemons, admin: admins[0]! }
}

export async function openEvening(say: (line: string) => void): Promise<Evening> {
  const cli = compile(join(root, 'dist/evening'))
  const dir = mkdtempSync(join(tmpdir(), 'ussd-evening-'))
  const name = `evening_${randomBytes(4).toString('hex')}`
  writeFiles(dir)
  const pool = await database(name)
  const smsc = await startSmsc({ clock: realClock, chance: Math.random, traceMax: 0 })
  const foreign = await foreignSmsc()
  const [north, south] = [
    await faultProxy({ host: '127.0.0.1', port: smsc.port }),
    await faultProxy({ host: '127.0.0.1', port: foreign.port }),
  ]
  const [redis, postgres] = [await faultProxy(REDIS), await faultProxy(POSTGRES)]
  const [shop, hook] = [await listener('{"price":5}'), await listener('{}')]
  const config = (one: string) => join(dir, one, 'connector.yaml')
  const places = { north: north.port, south: south.port, redis: redis.port, postgres: postgres.port }
  const ports = { ...places, shop: shop.port, hook: hook.port }
  const { daemons, admin } = await startDaemons({ cli, dir, name, config, ports, smsc, say })
  say('three daemons are bound')
  const moving = traffic(smsc, foreign)
  const env = {
    ...process.env,
    USSD_CONNECTOR_URL: `http://127.0.0.1:${admin}`,
    USSD_CONNECTOR_TOKEN_FILE: join(dir, 'token'),
    NO_COLOR: '1',
  }
  const parts = { dir, pool, smsc, foreign, shop, moving, config, admin }
  return {
    cli,
    env,
    perSecond: PER_SECOND,
    complainer: COMPLAINER,
    north: { proxy: north },
    redis,
    postgres,
    config,
    turns: () => moving.sums.turns,
    lost: () => moving.sums.lost,
    subscribers: () => moving.sums.subscribers,
    alarms: () => hook.heard.map((body) => saidOf(body)),
    ...breaking(parts),
    async kill(one) {
      daemons.get(one)!.kill('SIGKILL')
      await daemons.get(one)!.exited
    },
    async close() {
      await moving.stop()
      for (const daemon of daemons.values()) daemon.kill('SIGKILL')
      await Promise.all([north, south, redis, postgres].map((proxy) => proxy.close()))
      await smsc.stop()
      foreign.stop()
      for (const { server } of [shop, hook]) server.close()
      await dropDatabase(name, pool)
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

const COMPLAINER = '67576000042'

function saidOf(body: string): string {
  const { alarm, subject, is } = JSON.parse(body) as { alarm: string; subject: string; is: string }
  return `${alarm} ${subject} ${is}`
}

interface Breakable {
  dir: string
  pool: pg.Pool
  smsc: Smsc
  foreign: Foreign
  shop: { server: Server; port: number }
  moving: ReturnType<typeof traffic>
  config(name: string): string
  admin: number
}

function asking(admin: number) {
  return async (path: string, body: object): Promise<void> => {
    const headers = { authorization: `Bearer ${TOKEN}` }
    const url = `http://127.0.0.1:${admin}${path}`
    const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  }
}

function breaking({ dir, pool, smsc, foreign, shop, moving, config, admin }: Breakable) {
  const ask = asking(admin)
  let right = (): void => undefined
  let { server } = shop
  return {
    async wrongPassword() {
      right = smsc.chaos.add({ on: 'bind', act: { is: 'refuse', status: WRONG_PASSWORD } })
      for (const peer of smsc.peers()) peer.close()
    },
    async rightPassword() {
      right()
      // A daemon tries a wrong password slowly, so that the account is not locked: somebody starts the line again.
      for (const what of ['stop', 'start']) await ask(`/v1/lines/north/${what}?instance=all`, {})
    },
    async shopDown() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
    shopUp: async () => void ({ server } = await listener('{"price":5}', shop.port)),
    async oldDaemon() {
      await pool.query(
        `INSERT INTO instance (name, run, version, node, admin, started_at, seen_at, state)
         SELECT 'old', 'old', '0.0.9', node, admin, started_at, now() + interval '5 seconds', state FROM instance WHERE name = 'c'`,
      )
    },
    async tryRevision() {
      await pool.query(`DELETE FROM instance WHERE name = 'old'`)
      const text = readFileSync(join(dir, 'flows/walk.yaml'), 'utf8').replaceAll('Opening hours', 'When we are open')
      const source = { file: 'walk.yaml', text, catalogues: [] }
      await ask('/v1/flows/walk/publish', { source, share: 10, note: 'shorter words' })
    },
    async editSettings() {
      const settings = parse(readFileSync(config('a'), 'utf8')) as Record<string, object> & {
        lines: { submits: object }[]
      }
      settings.lines[0]!.submits = { perSecond: 100 }
      Object.assign(settings, { texts: { busy: 'Please dial again in a minute.' }, log: { level: 'debug' } })
      Object.assign(settings.reminders!, { pollMs: 1_000 })
      writeFileSync(config('a'), stringify(settings), { mode: 0o600 })
    },
    async refuseSms() {
      await moving.quiet()
      smsc.chaos.add({ on: 'submit_sm', lane: 'sms', act: { is: 'refuse', status: WRONG_NUMBER } })
      await ask('/v1/sms', { to: '67571999999', text: 'Your visit is tomorrow.', line: 'north' })
      setTimeout(() => (smsc.chaos.clear(), moving.again()), 8_000)
    },
    async complaint() {
      const phone = foreign.phone(COMPLAINER)
      await phone.dial('*384*1#')
      for (const key of ['1', '2']) await phone.answer(key)
      await phone.hangUp()
    },
  }
}
