/** /v1/lines: the lines and their binds; stops, starts, and reloads the settings. */
import { Hono, type Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { z } from 'zod'
import type { FleetCommand } from '../../fleet/index.ts'
import type { Admitted, RouteDeps } from './shared.ts'
import { traceRoute } from './trace.ts'

/** What `lines --history` shows, and the most that it can. */
const EVENTS = 50
const EVENTS_MAX = 1_000

export function lineRoutes(deps: RouteDeps): Hono<Admitted> {
  const { service, fleet, audit } = deps
  const app = new Hono<Admitted>()
  app.get('/', async (c) => c.json({ lines: await fleet.lines() }))
  app.post('/reload', (c) => change(c, { what: 'lines-reload' }))
  app.post('/:line/stop', (c) => change(c, { what: 'line-stop', line: c.req.param('line') }))
  app.post('/:line/start', (c) => change(c, { what: 'line-start', line: c.req.param('line') }))

  /** In this daemon, or where `?instance=` says: its name, or `all`. */
  async function change(c: Context<Admitted>, command: FleetCommand) {
    const by = c.get('token')?.name ?? '-'
    const done = await fleet.change(command, c.req.query('instance'), by)
    if (done.audit) audit(c, done.what, done.audit)
    return c.json(done.body, done.status as ContentfulStatusCode)
  }
  app.get('/:line/trace', traceRoute(deps))
  app.get('/:line/events', async (c) => {
    const last = z.coerce.number().int().min(1).max(EVENTS_MAX).default(EVENTS).safeParse(c.req.query('last'))
    if (!last.success) return c.json({ error: `last: a number from 1 to ${EVENTS_MAX}` }, 400)
    return c.json({ events: await service.lineEvents(c.req.param('line'), last.data) })
  })
  return app
}
