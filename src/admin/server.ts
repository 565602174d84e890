/**
 * The HTTP server for operators: whether the daemon is alive and ready, its metrics, and changes. Everybody is told yes
 * or no at /live and /ready, as probes ask. The rest needs a token; without tokens, only this machine may read /ready
 * with its details, and /metrics.
 */
import type { HttpBindings, ServerType } from '@hono/node-server'
import { Hono, type Context } from 'hono'
import { matchedRoutes } from 'hono/route'
import { secureHeaders } from 'hono/secure-headers'
import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import type { Registry } from 'prom-client'
import type { Audit } from '../audit/index.ts'
import { boundConnections, httpTimes, tellsDebug, type Log, type Counters } from '../base/index.ts'
import type { Token } from './access.ts'
import { hasTokenInQuery, notHereOf, roleGate, tokenGate } from './gate.ts'
import type { AdminService } from './service.ts'
import type { FleetService } from './fleet-service.ts'
import type { FlowService } from './flow-service.ts'
import { adminRoutes, auditing, type Admitted } from './routes/index.ts'

/** Loaded with `require`: as an ES module it would load `node:http` as one (base/http/node-http.ts). */
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
  audit: Pick<Audit, 'note'>
  /** Pages for operators, with a way in of their own. */
  desk?: { fetch(request: Request, env: HttpBindings): Response | Promise<Response> } | undefined
}

export interface Admin {
  port: number
  stop(): Promise<void>
}

const CONNECTIONS_MAX = 200
const HEADER_OCTETS_MAX = 8_192
/** How old the answer to a probe may be: probes ask every few seconds. */
const READY_MS = 1_000

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

/** Whether it is ready, looked at once a second however many ask: a stranger's requests cost the stores nothing. */
function readySometimes({ readiness, now }: Pick<AdminDeps, 'readiness' | 'now'>): () => Promise<boolean> {
  let last: { atMs: number; answer: Promise<boolean> } | undefined
  return () => {
    const nowMs = now()
    if (!last || nowMs - last.atMs >= READY_MS || nowMs < last.atMs)
      last = {
        atMs: nowMs,
        answer: readiness().then(
          ({ ready }) => ready,
          () => false,
        ),
      }
    return last.answer
  }
}

/** Without tokens a program of this machine gets the details. */
function isOurs(c: Context<Admitted>, { tokens }: Pick<AdminDeps, 'tokens'>): boolean {
  return tokens.length === 0 && notHereOf(c) === undefined
}

/** The whole of it, without a socket. */
export function adminApp(deps: AdminDeps): Hono<Admitted> {
  const app = new Hono<Admitted>()
  if (deps.desk) mountDesk(app, deps.desk)
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
  app.use(tellingRequests(deps))
  app.get('/live', (c) => c.json({ live: true }))
  const audit = auditing(deps.log, deps.audit)
  const isReady = readySometimes(deps)
  // Before the gate: a probe has no token, and asks by the address of a pod, as any name may.
  app.get('/ready', async (c, next) => {
    if (c.req.header('authorization') !== undefined || hasTokenInQuery(c) || isOurs(c, deps)) return next()
    const ready = await isReady()
    return c.json({ ready }, ready ? 200 : 503)
  })
  app.use(tokenGate(deps))
  app.use(roleGate(audit))
  app.get('/ready', async (c) => {
    const state = await deps.readiness()
    return c.json({ ready: state.ready, ...state.parts }, state.ready ? 200 : 503)
  })
  app.get('/metrics', async (c) =>
    c.text(await deps.registry.metrics(), 200, { 'content-type': deps.registry.contentType }),
  )
  // Loaded when somebody asks: a start has no use for it.
  app.get('/v1/openapi.json', async (c) => c.json((await import('./api/index.ts')).openApiDocument()))
  app.route('/v1', adminRoutes({ ...deps, audit }))
  app.notFound((c) => c.json({ error: 'not found', try: ROUTES }, 404))
  app.onError((error, c) => {
    deps.log.error({ err: error, path: c.req.routePath }, 'admin request failed')
    return c.json({ error: 'failed' }, 500)
  })
  return app
}

/** At debug: who asked which route, with what result; the route as it is written here, so nothing of a subscriber. */
function tellingRequests({ log, now }: Pick<AdminDeps, 'log' | 'now'>) {
  return async (c: Context<Admitted>, next: () => Promise<void>) => {
    if (!tellsDebug(log)) return next()
    const startedMs = now()
    await next()
    const [route] = matchedRoutes(c).filter(({ method }) => method !== 'ALL')
    const { name: who = '-' } = c.get('token') ?? {}
    const ms = Math.max(0, now() - startedMs)
    log.debug({ who, method: c.req.method, route: route?.path ?? 'none', status: c.res.status, ms }, 'admin request')
  }
}

/** A browser that asks for the server itself wants its pages. */
function mountDesk(app: Hono<Admitted>, desk: NonNullable<AdminDeps['desk']>): void {
  app.all('/desk', (c) => desk.fetch(c.req.raw, c.env))
  app.all('/desk/*', (c) => desk.fetch(c.req.raw, c.env))
  app.get('/', (c, next) => (c.req.header('accept')?.includes('text/html') ? c.redirect('/desk', 302) : next()))
}

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
  '/v1/openapi.json',
  '/v1/sms',
]
