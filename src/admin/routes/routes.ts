/** The admin routes that need a token, one file for each group. Each change is logged: who, what, before, after. */
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Log } from '../../base/index.ts'
import type { AdminRole } from '../access.ts'
import { dialogueRoutes } from './dialogues.ts'
import { flowRoutes } from './flows.ts'
import { lineRoutes } from './lines.ts'
import { pushRoutes } from './push.ts'
import type { Admitted, RouteDeps } from './shared.ts'
import { smsRoutes } from './sms.ts'

const GROUPS = [
  ['/dialogues', dialogueRoutes],
  ['/flows', flowRoutes],
  ['/lines', lineRoutes],
  ['/push', pushRoutes],
  ['/sms', smsRoutes],
] as const

const BODY_OCTETS_MAX = 65_536
/** Of a request that may hold a flow's files: more than the longest that is read. */
const FLOW_OCTETS_MAX = 4_000_000
const PUBLISH = /\/flows\/[^/]+\/publish$/

export function adminRoutes({ desk, flows, log }: Omit<RouteDeps, 'audit'> & { log: Log }): Hono<Admitted> {
  const app = new Hono<Admitted>()
  const audit: RouteDeps['audit'] = (c, what, more) => {
    const token = c.get('token')
    log.warn({ who: token?.name ?? '-', role: token?.role ?? '-', what, ...more }, 'admin audit')
  }
  const limited = (maxSize: number) =>
    bodyLimit({ maxSize, onError: (c) => c.json({ error: 'the body is too large' }, 413) })
  const [small, large] = [limited(BODY_OCTETS_MAX), limited(FLOW_OCTETS_MAX)]
  app.use((c, next) => (PUBLISH.test(c.req.path) ? large : small)(c, next))
  app.use(async (c, next) => {
    const need: AdminRole = c.req.method === 'GET' ? 'read' : 'operate'
    if (need === 'read' || c.get('token')?.role === 'operate') return next()
    audit(c, `${c.req.method} refused`, { needs: need })
    return c.json({ error: 'this token may only read: use one with the role operate' }, 403)
  })
  for (const [path, routes] of GROUPS) app.route(path, routes({ desk, flows, audit }))
  return app
}
