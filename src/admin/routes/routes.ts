/** The admin routes that need a token, one file per group. Each change is logged: who, what, before, after. */
import { Hono, type HonoRequest } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Log } from '../../base/index.ts'
import type { AdminRole } from '../access.ts'
import { alarmRoutes } from './alarms.ts'
import { dialogueRoutes } from './dialogues.ts'
import { flowRoutes } from './flows.ts'
import { instanceRoutes } from './instances.ts'
import { lineRoutes } from './lines.ts'
import { pushRoutes } from './push.ts'
import type { Admitted, RouteDeps } from './shared.ts'
import { smsRoutes } from './sms.ts'

const GROUPS = [
  ['/alarms', alarmRoutes],
  ['/dialogues', dialogueRoutes],
  ['/flows', flowRoutes],
  ['/instances', instanceRoutes],
  ['/lines', lineRoutes],
  ['/push', pushRoutes],
  ['/sms', smsRoutes],
] as const

const BODY_OCTETS_MAX = 65_536
/** The most octets of a request that may hold a flow's files: more than the longest flow. */
const FLOW_OCTETS_MAX = 4_000_000
const PUBLISH = /\/flows\/[^/]+\/publish$/

export function adminRoutes(deps: Omit<RouteDeps, 'audit'> & { log: Log }): Hono<Admitted> {
  const { service, flows, fleet, log, now, counters } = deps
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
    const role = c.get('token')?.role
    if (role === 'sms' ? isOwnSms(c.req) : need === 'read' || role === 'operate') return next()
    audit(c, `${c.req.method} refused`, { needs: need })
    const may = role === 'sms' ? 'only ask for SMS, and see and cancel its own' : 'only read'
    return c.json({ error: `this token may ${may}: use one with the role operate` }, 403)
  })
  for (const [path, routes] of GROUPS) app.route(path, routes({ service, flows, fleet, audit, now, counters }))
  return app
}

/** What a token with the role sms may do: its own SMS, by their keys. */
function isOwnSms(request: HonoRequest): boolean {
  if (request.path !== '/v1/sms') return false
  return request.method === 'POST' || request.query('key') !== undefined
}
