/**
 * The control HTTP of the simulator, on loopback or with a token: the web phone, a JSON API, and a stream of events.
 */
import { serve, type ServerType } from '@hono/node-server'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import { eventStream } from './events.ts'
import { httpTimes } from '../../base/index.ts'
import type { Smsc } from '../smsc/index.ts'
import { guardControl } from './guard.ts'
import { pages } from './pages.ts'
import { phoneRoutes, type TalkOf } from './phone-routes.ts'
import { viewer } from './phone-view.ts'
import { smscRoutes } from './smsc-routes.ts'

export interface ControlOptions {
  smsc: Smsc
  /** Default: 127.0.0.1 and 0, a free port. */
  host?: string
  port?: number
  /** Names that a browser may use besides localhost and the address. They prevent DNS rebinding. */
  allowedHosts?: string[]
  /** Every page and program must have it. Default: none on loopback, otherwise one is created. */
  token?: string
  /**
   * What a phone played last, as a talk file. Undefined: nothing. Absent if the answers of back ends are not visible.
   */
  talkOf?: TalkOf
}

export interface Control {
  readonly url: string
  /** The token that is required, if any. A page has it behind the # of its address. */
  readonly token: string | undefined
  stop(): Promise<void>
}

/** The most octets of a request body. */
const BODY_OCTETS_MAX = 16_384

export async function startControl(options: ControlOptions): Promise<Control> {
  const { smsc } = options
  const host = options.host ?? '127.0.0.1'
  const app = new Hono()
  const viewOf = viewer()
  const stream = eventStream(smsc, viewOf, options.talkOf !== undefined)
  app.use(limit)
  const token = guardControl(app, { host, allowedHosts: options.allowedHosts ?? [], token: options.token })
  pages(app)
  phoneRoutes(app, { smsc, viewOf, talkOf: options.talkOf })
  smscRoutes(app, smsc, stream.faultsChanged)
  app.get('/api/events', stream.serve)
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
      stream.stop()
      if ('closeAllConnections' in server) server.closeAllConnections()
      return new Promise((done) => server.close(() => done()))
    },
  }
}

/** Counts the octets as they arrive: a chunked body does not give its length. */
const limit = bodyLimit({ maxSize: BODY_OCTETS_MAX, onError: (c) => c.json({ error: 'the body is too long' }, 413) })
