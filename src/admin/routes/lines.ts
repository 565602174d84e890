/** /v1/lines: the lines and their binds; stops, starts, and reloads the settings. */
import { Hono } from 'hono'
import { z } from 'zod'
import { carriedOut, type Admitted, type RouteDeps } from './shared.ts'
import { traceRoute } from './trace.ts'

/** What `lines --history` shows, and the most that it can. */
const EVENTS = 50
const EVENTS_MAX = 1_000

export function lineRoutes(deps: RouteDeps): Hono<Admitted> {
  const { service, fleet } = deps
  const app = new Hono<Admitted>()
  app.get('/', async (c) => c.json({ lines: await fleet.lines() }))
  app.post('/reload', (c) => carriedOut(c, { what: 'lines-reload' }, deps))
  app.post('/:line/stop', (c) => carriedOut(c, { what: 'line-stop', line: c.req.param('line') }, deps))
  app.post('/:line/start', (c) => carriedOut(c, { what: 'line-start', line: c.req.param('line') }, deps))
  app.get('/:line/trace', traceRoute(deps))
  app.get('/:line/events', async (c) => {
    const last = z.coerce.number().int().min(1).max(EVENTS_MAX).default(EVENTS).safeParse(c.req.query('last'))
    if (!last.success) return c.json({ error: `last: a number from 1 to ${EVENTS_MAX}` }, 400)
    return c.json({ events: await service.lineEvents(c.req.param('line'), last.data) })
  })
  return app
}
