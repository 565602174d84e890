/** The daemon's HTTP door: is it alive, is it ready, what has it counted. Loopback by default; nothing of a subscriber's. */
import { serve, type ServerType } from '@hono/node-server'
import { Hono } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import type { Registry } from 'prom-client'

export interface Readiness {
  ready: boolean
  /** What stands: line and bind states, stores, and what could be lost. */
  parts: Record<string, unknown>
}

export interface AdminParts {
  host: string
  port: number
  registry: Registry
  readiness(): Promise<Readiness>
}

export interface Admin {
  port: number
  stop(): Promise<void>
}

export async function startAdmin(parts: AdminParts): Promise<Admin> {
  const app = new Hono()
  app.use(secureHeaders({ contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } }))
  app.get('/live', (c) => c.json({ live: true }))
  app.get('/ready', async (c) => {
    const state = await parts.readiness()
    return c.json({ ready: state.ready, ...state.parts }, state.ready ? 200 : 503)
  })
  app.get('/metrics', async (c) => c.text(await parts.registry.metrics(), 200, { 'content-type': parts.registry.contentType }))
  app.notFound((c) => c.json({ error: 'not found', try: ['/live', '/ready', '/metrics'] }, 404))
  app.onError((_, c) => c.json({ error: 'failed' }, 500))
  return new Promise((done, fail) => {
    const server: ServerType = serve({ fetch: app.fetch, hostname: parts.host, port: parts.port }, (info) => {
      server.off('error', fail)
      done({ port: info.port, stop: () => new Promise((stopped) => server.close(() => stopped())) })
    })
    server.once('error', fail)
  })
}
