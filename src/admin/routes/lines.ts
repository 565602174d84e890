/** /v1/lines: the lines and their binds; stops, starts, holds and releases them. */
import { Hono } from 'hono'
import { z } from 'zod'
import { carriedOut, EVENTS_WRONG, eventsAsked, whyNot, type Admitted, type RouteDeps } from './shared.ts'
import { traceRoute } from './trace.ts'

/** As long as a text of one screen may be. */
export const holdBody = z.strictObject({
  text: z.string().trim().min(1).max(182).nullable().default(null).describe('what new dials get; null: texts.busy'),
})

export function lineRoutes(deps: RouteDeps): Hono<Admitted> {
  const { service, fleet } = deps
  const app = new Hono<Admitted>()
  app.get('/', async (c) => c.json({ lines: await fleet.lines() }))
  app.post('/reload', (c) => carriedOut(c, { what: 'lines-reload' }, deps))
  app.post('/:line/stop', (c) => carriedOut(c, { what: 'line-stop', line: c.req.param('line') }, deps))
  app.post('/:line/start', (c) => carriedOut(c, { what: 'line-start', line: c.req.param('line') }, deps))
  app.post('/:line/release', (c) => carriedOut(c, { what: 'line-release', line: c.req.param('line') }, deps))
  app.post('/:line/hold', async (c) => {
    const read = holdBody.safeParse(await c.req.json<unknown>().catch(() => ({})))
    if (!read.success) return c.json({ error: `send the body {"text"} or none; ${whyNot(read.error)}` }, 400)
    return carriedOut(c, { what: 'line-hold', line: c.req.param('line'), text: read.data.text }, deps)
  })
  app.get('/:line/trace', traceRoute(deps))
  app.get('/:line/events', async (c) => {
    const asked = eventsAsked.safeParse(c.req.query())
    if (!asked.success) return c.json(EVENTS_WRONG, 400)
    return c.json({ events: await service.lineEvents(c.req.param('line'), asked.data.last) })
  })
  return app
}
