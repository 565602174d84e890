/**
 * The HTTP server for operators: whether the daemon is alive and ready, its metrics, and changes. /live is for
 * everybody. The rest needs a token; without tokens, only this machine may read /ready and /metrics.
 */
import type { HttpBindings, ServerType } from '@hono/node-server'
import { Hono, type Context } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import type { Registry } from 'prom-client'
import {
  createRefusals,
  FAILED_EACH_MS,
  notFromHere,
  boundConnections,
  httpTimes,
  type Log,
  type Counters,
} from '../base/index.ts'
import { createAccess, type Token } from './access.ts'
import type { AdminService } from './service.ts'
import type { FleetService } from './fleet-service.ts'
import type { FlowService } from './flow-service.ts'
import { adminRoutes, type Admitted } from './routes/index.ts'

/** Loaded with `require`: as an ES module it would load `node:http` as one (base/node-http.ts). */
const { serve } = createRequire(import.meta.url)('@hono/node-server') as typeof import('@hono/node-server')

export interface Readiness {
  ready: boolean
  /** The state: line and bind states, stores, and what could be lost. */
  parts: Record<string, unknown>
}

export interface AdminDeps {
  host: string
  port: number
  registry: Registry
  readiness(): Promise<Readiness>
  service: AdminService
  flows: FlowService
  fleet: FleetService
  /** Without tokens nothing can be changed, and only this machine can read what is open. */
  tokens: readonly Token[]
  now(): number
  counters: Counters
  log: Log
}

export interface Admin {
  port: number
  stop(): Promise<void>
}

const CONNECTIONS_MAX = 200
const HEADER_OCTETS_MAX = 8_192

type App = Admitted & { Bindings: HttpBindings }

export async function startAdmin(deps: AdminDeps): Promise<Admin> {
  const app = adminApp(deps)
  return new Promise((done, fail) => {
    const server: ServerType = serve(
      {
        fetch: app.fetch,
        hostname: deps.host,
        port: deps.port,
        serverOptions: { ...httpTimes(), maxHeaderSize: HEADER_OCTETS_MAX },
      },
      (info) => {
        server.off('error', fail)
        done({ port: info.port, stop: () => stop(server as Server) })
      },
    )
    boundConnections(server as Server, CONNECTIONS_MAX, () =>
      deps.counters.count('limits_total', { limit: 'admin_connections' }),
    )
    server.once('error', fail)
  })
}

function stop(server: Server): Promise<void> {
  return new Promise((stopped) => {
    server.close(() => stopped())
    server.closeIdleConnections()
  })
}

function adminApp(deps: AdminDeps): Hono<App> {
  const app = new Hono<App>()
  const none = ["'none'"]
  app.use(
    secureHeaders({
      contentSecurityPolicy: { defaultSrc: none, frameAncestors: none, baseUri: none, formAction: none },
      crossOriginResourcePolicy: 'same-origin',
      xFrameOptions: 'DENY',
    }),
  )
  app.use(async (c, next) => {
    await next()
    c.header('cache-control', 'no-store')
  })
  app.get('/live', (c) => c.json({ live: true }))
  app.use(gate(deps))
  app.use(async (c, next) => {
    if (c.get('token')?.role !== 'sms' || c.req.path.startsWith('/v1')) return next()
    return c.json({ error: 'this token may only ask for SMS' }, 403)
  })
  app.get('/ready', async (c) => {
    const state = await deps.readiness()
    const details = c.get('token') || deps.tokens.length === 0 ? state.parts : {}
    return c.json({ ready: state.ready, ...details }, state.ready ? 200 : 503)
  })
  app.get('/metrics', async (c) =>
    c.text(await deps.registry.metrics(), 200, { 'content-type': deps.registry.contentType }),
  )
  app.route('/v1', adminRoutes(deps))
  app.notFound((c) => c.json({ error: 'not found', try: ROUTES }, 404))
  app.onError((error, c) => {
    deps.log.error({ err: error, path: c.req.routePath }, 'admin request failed')
    return c.json({ error: 'failed' }, 500)
  })
  return app
}

/** Admits a request with a valid token, or answers it. */
function gate({ tokens, now, counters, log }: AdminDeps) {
  const access = createAccess(tokens)
  const note = createRefusals({
    now,
    count: (why) => counters.count('admin_turned_away_total', { why }),
    tell: (refusal) => log.warn(refusal, 'admin audit: turned away'),
  })
  return async (c: Context<App>, next: () => Promise<void>) => {
    const { method } = c.req
    const address = c.env.incoming.socket.remoteAddress ?? ''
    const notHere = notFromHere({ method, address, head: (name) => c.req.header(name) })
    const refused = (why: string, status: 400 | 401 | 403, error: string) => {
      note({ why, address, method })
      return c.json({ error }, status)
    }
    if (TOKEN_IN_QUERY.test(c.req.url))
      return refused('query', 400, 'send the token in the Authorization header: logs show addresses')
    c.set('token', null)
    if (!tokens.length) {
      if (notHere === undefined && !c.req.path.startsWith('/v1')) return next()
      return refused(
        'closed',
        403,
        `closed${notHere ? `, ${notHere}` : ''}: set admin.tokensFile (ussd-connector token operate)`,
      )
    }
    const verdict = access.check({ header: c.req.header('authorization'), address }, now())
    if (verdict.is === 'known') {
      c.set('token', verdict.token)
      return next()
    }
    // The health check of a container has no token: it gets only yes or no.
    if (verdict.is === 'nobody' && c.req.path === '/ready' && notHere === undefined) return next()
    if (verdict.is === 'locked') {
      counters.count('admin_turned_away_total', { why: 'locked' })
      if (verdict.isFirst) log.warn({ address }, 'admin audit: locked out after too many wrong tokens')
      c.header('retry-after', String(FAILED_EACH_MS / 1_000))
      return c.json({ error: 'too many wrong tokens: try again in a minute; a right token still works' }, 429)
    }
    c.header('www-authenticate', 'Bearer')
    const remedy = verdict.is === 'weak' ? WEAK : 'send a bearer token in the Authorization header'
    return refused(verdict.is, 401, remedy)
  }
}

const WEAK = 'this token can be guessed and is not accepted: make another one (ussd-connector token operate)'
const ROUTES = [
  '/live',
  '/ready',
  '/metrics',
  '/v1/alarms',
  '/v1/dialogues',
  '/v1/flows',
  '/v1/instances',
  '/v1/lines',
  '/v1/lines/NAME/trace',
  '/v1/sms',
]
const TOKEN_IN_QUERY = /[?&](access_token|token|bearer|authorization)=/i
