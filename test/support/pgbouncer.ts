/** PgBouncer before the tests' Postgres, in transaction mode: each transaction may be on another of few connections. */
import { spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, until } from './services.ts'

export const pgbouncer = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer', '/opt/homebrew/bin/pgbouncer'].find(existsSync)

/** It refuses to run as root. */
const NOBODY = 65_534

/** Answers the URL that leads through it. `ignored`: parameters of a start that it takes, and does nothing with. */
export async function startPgbouncer(url: string, ignored: string[] = []) {
  const { hostname, port, username, password, pathname } = new URL(url)
  const dir = mkdtempSync(join(tmpdir(), 'ussd-pgbouncer-'))
  const listensAt = await freePort()
  const user = [
    `user=${decodeURIComponent(username)}`,
    ...(password ? [`password=${decodeURIComponent(password)}`] : []),
  ]
  const settings = [
    '[databases]',
    `* = host=${hostname} port=${port || 5432} ${user.join(' ')}`,
    '[pgbouncer]',
    `listen_addr = 127.0.0.1`,
    `listen_port = ${listensAt}`,
    'unix_socket_dir =',
    'auth_type = any',
    'pool_mode = transaction',
    'default_pool_size = 2',
    ...(ignored.length ? [`ignore_startup_parameters = ${ignored.join(',')}`] : []),
  ]
  const file = join(dir, 'pgbouncer.ini')
  writeFileSync(file, `${settings.join('\n')}\n`)
  const isRoot = process.getuid?.() === 0
  if (isRoot) for (const path of [dir, file]) chownSync(path, NOBODY, NOBODY)
  const child = spawn(pgbouncer!, [file], { stdio: 'ignore', ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}) })
  const ended = new Promise<void>((done) => child.once('exit', () => done()))
  await until(() => listens(listensAt), 'pgbouncer does not answer')
  const through = new URL(url)
  through.host = `127.0.0.1:${listensAt}`
  return {
    url: `postgres://${through.username}@${through.host}${pathname}`,
    async stop() {
      child.kill('SIGKILL')
      await ended
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => (socket.destroy(), done(true))).once('error', () => done(false))
  })
}
