/**
 * A PostgreSQL server of a campaign's own, on loopback, in a temporary folder: to be ended in the ways that servers
 * end.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { freePort } from '../../support/services.ts'
import { reached } from '../judging/outcome.ts'

export interface OwnPostgres {
  url: string
  /** Its files, which must stay those of its user. */
  data: string
  user: { uid?: number; gid?: number }
  /** Of the server's first process, whose children serve. */
  pid(): number
  /** immediate: as after a power cut, recovery at the next start · fast: in good order. */
  stop(how: 'immediate' | 'fast'): Promise<void>
  start(): Promise<void>
  /** One statement on a connection of its own. */
  ask(sql: string): Promise<void>
  close(): Promise<void>
}

export interface OwnPostgresOptions {
  /** Nothing is to outlive it, so it need not wait for a disk. */
  isVolatile?: boolean
  /** Checkpoints as a server has them by default, for what is measured. Default: often, so that it takes little room. */
  checkpointsRarely?: boolean
}

export async function ownPostgres({ isVolatile, checkpointsRarely }: OwnPostgresOptions = {}): Promise<OwnPostgres> {
  const home = ['/usr/lib/postgresql', '/usr/pgsql']
    .filter(existsSync)
    .flatMap((dir) => readdirSync(dir).map((version) => join(dir, version, 'bin')))
    .concat('/usr/bin', '/usr/local/bin')
    .toReversed()
    .find((dir) => existsSync(join(dir, 'initdb')))
  if (!home) throw new Error('there are no PostgreSQL server programs on this machine')
  const port = await freePort()
  const dir = mkdtempSync(join(tmpdir(), 'ussd-postgres-'))
  const ids = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {}
  if (ids.uid !== undefined) chownSync(dir, ids.uid, ids.gid)
  const data = join(dir, 'data')
  execFileSync(join(home, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'], {
    stdio: 'ignore',
    ...ids,
  })
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  const settings = [
    'listen_addresses=127.0.0.1',
    ...(checkpointsRarely ? [] : ['max_wal_size=64MB']),
    ...(isVolatile ? ['fsync=off', 'full_page_writes=off'] : []),
  ].flatMap((setting) => ['-c', setting])
  let child: ChildProcess
  const ask = async (sql: string): Promise<void> => {
    const client = new pg.Client({ connectionString: url, options: '-c default_transaction_read_only=off' })
    client.on('error', () => undefined)
    await client.connect()
    await client.query(sql).finally(() => client.end())
  }
  const self: OwnPostgres = {
    url,
    ask,
    data,
    user: ids,
    pid: () => child.pid!,
    async start() {
      child = spawn(join(home, 'postgres'), ['-D', data, '-p', String(port), ...settings, '-k', dir], {
        stdio: 'ignore',
        ...ids,
      })
      if (
        !(await reached(
          () =>
            ask('SELECT 1').then(
              () => true,
              () => false,
            ),
          30_000,
        ))
      )
        throw new Error('postgres does not answer')
    },
    async stop(how) {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = new Promise((done) => child.once('exit', done))
      child.kill(how === 'immediate' ? 'SIGQUIT' : 'SIGINT')
      await gone
    },
    async close() {
      await self.stop('immediate')
      rmSync(dir, { recursive: true, force: true })
    },
  }
  await self.start()
  return self
}

function idOf(flag: string): number {
  return Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
}
