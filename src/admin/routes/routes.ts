/** The admin routes that need a token, one file per group. Each change is logged: who, what, before, after. */
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { alarmRoutes } from './alarms.ts'
import { dialogueRoutes } from './dialogues.ts'
import { flowRoutes } from './flows.ts'
import { instanceRoutes } from './instances.ts'
import { lineRoutes } from './lines.ts'
import { logRoutes } from './log.ts'
import { pushRoutes } from './push.ts'
import { reloadRoutes } from './reload.ts'
import type { Admitted, RouteDeps } from './shared.ts'
import { smsRoutes } from './sms.ts'
import { subscriberRoutes } from './subscribers.ts'
import { testDialRoutes } from './test-dials.ts'

const GROUPS = [
  ['/alarms', alarmRoutes],
  ['/dialogues', dialogueRoutes],
  ['/flows', flowRoutes],
  ['/instances', instanceRoutes],
  ['/lines', lineRoutes],
  ['/log', logRoutes],
  ['/push', pushRoutes],
  ['/reload', reloadRoutes],
  ['/sms', smsRoutes],
  ['/subscribers', subscriberRoutes],
  ['/test-dials', testDialRoutes],
] as const

const BODY_OCTETS_MAX = 65_536
/** The most octets of a request that may hold a flow's files: more than the longest flow. */
const FLOW_OCTETS_MAX = 4_000_000
const PUBLISH = /\/flows\/[^/]+\/publish$/

export function adminRoutes({ service, flows, fleet, audit, now, counters }: RouteDeps): Hono<Admitted> {
  const app = new Hono<Admitted>()
  const limited = (maxSize: number) =>
    bodyLimit({ maxSize, onError: (c) => c.json({ error: 'the body is too large' }, 413) })
  const [small, large] = [limited(BODY_OCTETS_MAX), limited(FLOW_OCTETS_MAX)]
  app.use((c, next) => (PUBLISH.test(c.req.path) ? large : small)(c, next))
  for (const [path, routes] of GROUPS) app.route(path, routes({ service, flows, fleet, audit, now, counters }))
  return app
}
