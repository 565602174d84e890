/** An HTTP server for pages of this machine and their JSON: its guard, its limits, and how it says what is wrong. */
import { serve, type ServerType } from '@hono/node-server'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import { httpTimes } from '../../base/index.ts'
import { guardControl } from './guard.ts'

export interface PageServerOptions {
  /** Default: 127.0.0.1 and 0, a free port. */
  host?: string
  port?: number
  /** Names that a browser may use besides localhost and the address. They prevent DNS rebinding. */
  allowedHosts?: string[]
  /** Every page and program must have it. Default: none on loopback, otherwise one is created. */
  token?: string
  /** Adds the routes, behind the guard. */
  routes(app: Hono): void
}

export interface PageServer {
  readonly url: string
  /** The token that is required, if any. A page has it behind the # of its address. */
  readonly token: string | undefined
  stop(): Promise<void>
}

/** The most octets of a request body. */
const BODY_OCTETS_MAX = 16_384

/** Rejects if the port is taken. */
export async function startPageServer(options: PageServerOptions): Promise<PageServer> {
  const host = options.host ?? '127.0.0.1'
  const app = new Hono()
  app.use(limit)
  const token = guardControl(app, { host, allowedHosts: options.allowedHosts ?? [], token: options.token })
  options.routes(app)
  app.notFound((c) => c.json({ error: 'there is nothing at this address' }, 404))
  app.onError((error, c) =>
    error instanceof z.ZodError
      ? c.json({ error: z.prettifyError(error) }, 400)
      : c.json({ error: error.message }, 500),
  )
  const server = await new Promise<ServerType>((done, fail) => {
    const made = serve(
      {
        fetch: app.fetch,
        hostname: host,
        port: options.port ?? 0,
        serverOptions: httpTimes(),
      },
      () => done(made),
    )
    made.once('error', fail)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    token,
    stop() {
      if ('closeAllConnections' in server) server.closeAllConnections()
      return new Promise((done) => server.close(() => done()))
    },
  }
}

/** Counts the octets as they arrive: a chunked body does not give its length. */
const limit = bodyLimit({ maxSize: BODY_OCTETS_MAX, onError: (c) => c.json({ error: 'the body is too long' }, 413) })
