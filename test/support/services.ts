/**
 * A real Redis and a real Postgres for the tests: the ones named by TEST_REDIS_URL / TEST_POSTGRES_URL, else servers on
 * the default local ports, else programs found on this machine, started on private ports and stopped afterwards.
 * Redis: a private database number, flushed. Postgres: a private database, created and dropped.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, chownSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import pg from 'pg'

export interface Services {
  redisUrl: string | undefined
  postgresUrl: string | undefined
  /** Why one of them is not to be had. */
  missing: Partial<Record<'redis' | 'postgres', string>>
}

/** Filled when the first suite that needs them begins: a run of pure tests starts no server. */
export const services: Services = { redisUrl: undefined, postgresUrl: undefined, missing: {} }

const undo: (() => Promise<void> | void)[] = []

type Need = 'redis' | 'postgres'

const starts: Record<Need, () => Promise<void>> = {
  redis: async () => {
    services.redisUrl ??= await redis()
  },
  postgres: async () => {
    services.postgresUrl ??= await postgres()
  },
}
const started = new Map<Need, Promise<void>>()

/** Starts those of them that have not been started yet. Rejects only in CI, where each must be there. */
export async function startServices(needs: readonly Need[] = ['redis', 'postgres']): Promise<void> {
  for (const name of needs) {
    if (!started.has(name)) started.set(name, services.missing[name] ? Promise.resolve() : start(name))
    await started.get(name)
  }
}

async function start(name: Need): Promise<void> {
  try {
    await starts[name]()
  } catch (error) {
    const why = (error as Error).message
    services.missing[name] = why
    process.stdout.write(`No ${name} to test with: ${why}. Suites that need it are skipped.\n`)
    if (process.env.CI === 'true') throw new Error(`CI needs a real ${name}: ${why}`, { cause: error })
  }
}

/** Stops what was started. Called once by mocha's global tear-down. */
export async function stopServices(): Promise<void> {
  while (undo.length) await undo.pop()!()
  started.clear()
  services.redisUrl = undefined
  services.postgresUrl = undefined
}

/** A suite that needs real servers: they are started with the first of them. Without them its tests are skipped. */
export function describeWith(needs: Need[], title: string, body: (this: Mocha.Suite) => void): void {
  describe(title, function () {
    before(async function () {
      await startServices(needs)
      if (needs.some((name) => services.missing[name])) this.skip()
    })
    body.call(this)
  })
}

async function redis(): Promise<string> {
  const given = process.env.TEST_REDIS_URL
  if (given) return claimRedis(given, false)
  if (await listens(6379)) return claimRedis('redis://127.0.0.1:6379', true)
  const program = find('redis-server', ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin', '/usr/sbin'])
  if (!program)
    throw new Error('TEST_REDIS_URL is not set, nothing listens on 6379, and there is no redis-server on this machine')
  const port = await freePort()
  const dir = mkdtempSync(join(tmpdir(), 'ussd-redis-'))
  const child = spawn(
    program,
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', dir],
    { stdio: 'ignore' },
  )
  undo.push(() => stop(child).then(() => rmSync(dir, { recursive: true, force: true })))
  await until(() => listens(port), 'redis-server does not answer')
  return claimRedis(`redis://127.0.0.1:${port}`, true)
}

const FLUSH_IF = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('FLUSHDB') end"

/** Finds an empty database number (15 down to 1) and empties it again afterwards. */
async function claimRedis(url: string, choose: boolean): Promise<string> {
  const client = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null })
  await client.connect()
  let chosen = url
  if (choose) {
    const marker = 'ussd-connector-test'
    for (let db = 15; db > 0; db--) {
      await client.select(db)
      const owner = await client.get(marker).catch(() => null)
      // Left by a run that was killed; unless another run, which saw so as well, has it by now.
      if (owner && !alive(Number(owner))) await client.eval(FLUSH_IF, 1, marker, owner)
      if ((await client.dbsize()) > 0) continue
      if (await client.set(marker, String(process.pid), 'NX')) {
        chosen = `${url}/${db}`
        break
      }
    }
    if (chosen === url) throw new Error(`all database numbers of ${url} are in use: set TEST_REDIS_URL`)
  }
  undo.push(async () => {
    await client.flushdb()
    client.disconnect()
  })
  return chosen
}

async function postgres(): Promise<string> {
  const given = process.env.TEST_POSTGRES_URL
  if (given) return claimPostgres([given])
  if (await listens(5432)) {
    const me = userInfo().username
    const candidates = [`postgres://postgres@127.0.0.1:5432/postgres`, `postgres://${me}@127.0.0.1:5432/postgres`]
    try {
      return await claimPostgres(candidates)
    } catch {
      // a server that does not let us in: start our own
    }
  }
  const bin = ['/usr/lib/postgresql', '/usr/pgsql', '/opt/homebrew/opt']
    .filter(existsSync)
    .flatMap((dir) => readdirSync(dir).map((v) => join(dir, v, 'bin')))
    .concat('/usr/bin', '/usr/local/bin')
    .toReversed()
    .find((dir) => existsSync(join(dir, 'initdb')) && existsSync(join(dir, 'postgres')))
  if (!bin)
    throw new Error(
      'TEST_POSTGRES_URL is not set, no usable server on 5432, and there are no PostgreSQL server programs on this machine',
    )
  const port = await freePort()
  const dir = mkdtempSync(join(tmpdir(), 'ussd-postgres-'))
  const ids = process.getuid?.() === 0 ? idsOf('postgres') : undefined
  if (process.getuid?.() === 0 && !ids) throw new Error('PostgreSQL does not run as root and there is no user postgres')
  if (ids) chownSync(dir, ids.uid, ids.gid)
  const data = join(dir, 'data')
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'], {
    stdio: 'ignore',
    ...ids,
  })
  const child = spawn(
    join(bin, 'postgres'),
    ['-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-k', dir],
    { stdio: 'ignore', ...ids },
  )
  undo.push(() => stop(child).then(() => rmSync(dir, { recursive: true, force: true })))
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  await until(() => answers(url), 'postgres does not answer')
  return claimPostgres([url])
}

/** It listens before it takes anybody in. */
async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  return client
    .connect()
    .then(() => client.end())
    .then(
      () => true,
      () => false,
    )
}

/** Creates a private database on the first of these servers that lets us, and drops it afterwards. */
async function claimPostgres(urls: string[]): Promise<string> {
  let last: unknown
  for (const url of urls) {
    const admin = new pg.Client({ connectionString: url })
    admin.on('error', () => undefined)
    try {
      await admin.connect()
      const name = `ussd_test_${process.pid}_${Date.now().toString(36)}`
      await admin.query(`CREATE DATABASE ${name}`)
      undo.push(async () => {
        await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
        await admin.end()
      })
      const own = new URL(url)
      own.pathname = `/${name}`
      return own.toString()
    } catch (error) {
      last = error
      await admin.end().catch(() => undefined)
    }
  }
  throw new Error(`Postgres: ${(last as Error).message}`)
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function find(program: string, dirs: string[]): string | undefined {
  return [...dirs, ...(process.env.PATH ?? '').split(':')].map((dir) => join(dir, program)).find(existsSync)
}

function idsOf(user: string): { uid: number; gid: number } | undefined {
  try {
    const id = (flag: string) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }))
    return { uid: id('-u'), gid: id('-g') }
  } catch {
    return undefined
  }
}

export function listens(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => (socket.destroy(), done(true)))
    socket.once('error', () => done(false))
  })
}

/** A port that is free now. */
export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer()
    server.once('error', fail)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => done(port))
    })
  })
}

/** Less than a test may take, and longer than a machine that has much else to do. */
const UNTIL_MS = 50_000

/** Waits for something real (a port, a process). */
export async function until(
  ready: () => Promise<boolean> | boolean,
  otherwise: string,
  msMax = UNTIL_MS,
): Promise<void> {
  const end = Date.now() + msMax
  while (!(await ready())) {
    if (Date.now() > end) throw new Error(otherwise)
    await new Promise((done) => setTimeout(done, 20))
  }
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null) return done()
    child.once('exit', () => done())
    child.kill('SIGTERM')
    setTimeout(() => child.kill('SIGKILL'), 5_000).unref()
  })
}
