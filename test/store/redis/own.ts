/** A Redis server of a test's own, where the common one would be disturbed; and a wire to it that can be cut. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, listens, until } from '../../support/services.ts'

const PROGRAM = (process.env.PATH ?? '')
  .split(':')
  .map((dir) => join(dir, 'redis-server'))
  .find(existsSync)

export interface OwnRedis {
  port: number
  /** Where its files are. */
  dir: string
  stop(): Promise<void>
}

/** undefined: there is no redis-server program here. */
export async function ownRedis(...settings: string[]): Promise<OwnRedis | undefined> {
  if (!PROGRAM) return undefined
  const port = await freePort()
  const dir = mkdtempSync(join(tmpdir(), 'ussd-redis-'))
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', dir, ...settings]
  const child = spawn(PROGRAM, args, { stdio: 'ignore' })
  await until(() => listens(port), 'the redis-server of this test does not answer')
  return {
    port,
    dir,
    async stop() {
      const gone = new Promise((done) => child.once('exit', done))
      child.kill('SIGKILL')
      await gone
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

export interface Wire {
  port: number
  /**
   * open: passes everything · deaf: swallows what the client sends · stale: the same, but new connections pass
   * · mute: swallows what the server answers · cut: refuses.
   */
  set(state: WireState): void
  close(): Promise<void>
}

type WireState = 'open' | 'deaf' | 'stale' | 'mute' | 'cut'

/** A TCP relay to a port, at whose wire a test can pull. */
export async function wire(to: { host: string; port: number }): Promise<Wire> {
  let state: WireState = 'open'
  let stale = new Set<Socket>()
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    if (state === 'cut') return void client.destroy()
    const upstream = connect(to.port, to.host)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => (sockets.delete(socket), client.destroy(), upstream.destroy()))
    }
    client.on('data', (octets) => void (state !== 'deaf' && !stale.has(client) && upstream.write(octets)))
    upstream.on('data', (octets) => void ((state === 'open' || state === 'stale') && client.write(octets)))
  })
  const port = await freePort()
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done))
  return {
    port,
    set(next) {
      state = next
      stale = new Set(next === 'stale' ? sockets : [])
      if (next === 'cut') for (const socket of sockets) socket.destroy()
    },
    close: () =>
      new Promise((done) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => done())
      }),
  }
}
