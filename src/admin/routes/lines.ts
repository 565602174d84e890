/** /v1/lines: the lines and their binds; stops, starts, and reloads the settings. */
import { Hono } from 'hono'
import { z } from 'zod'
import type { LinesReloaded } from '../service.ts'
import type { Admitted, RouteDeps } from './shared.ts'
import { traceRoute } from './trace.ts'

/** What `lines --history` shows, and the most that it can. */
const EVENTS = 50
const EVENTS_MAX = 1_000

export function lineRoutes(deps: RouteDeps): Hono<Admitted> {
  const { service, audit } = deps
  const app = new Hono<Admitted>()
  app.get('/', (c) => c.json({ lines: service.lines() }))
  app.post('/reload', async (c) => {
    const done = await service.reload()
    audit(c, 'lines reloaded', 'problem' in done ? { refused: done.problem } : { after: done })
    if ('problem' in done) return c.json({ error: done.problem }, 409)
    return done.refused.length === 0 ? c.json(done) : c.json({ ...done, ...refusalOf(done) }, 409)
  })
  for (const [verb, change] of [
    ['stop', service.haltLine],
    ['start', service.resumeLine],
  ] as const) {
    app.post(`/:line/${verb}`, (c) => {
      const name = c.req.param('line')
      const before = service.lines().find((line) => line.name === name)?.stopped
      if (!change(name))
        return c.json({ error: `there is no line '${name}'`, lines: service.lines().map((line) => line.name) }, 404)
      const stopped = verb === 'stop'
      audit(c, `line ${verb}`, {
        line: name,
        before: before ? 'stopped' : 'serving',
        after: stopped ? 'stopped' : 'serving',
      })
      return c.json({ line: name, stopped })
    })
  }
  app.get('/:line/trace', traceRoute(deps))
  app.get('/:line/events', async (c) => {
    const last = z.coerce.number().int().min(1).max(EVENTS_MAX).default(EVENTS).safeParse(c.req.query('last'))
    if (!last.success) return c.json({ error: `last: a number from 1 to ${EVENTS_MAX}` }, 400)
    return c.json({ events: await service.lineEvents(c.req.param('line'), last.data) })
  })
  return app
}

function refusalOf(done: LinesReloaded): { error: string; problems: string[] } {
  const names = done.refused.map(({ line }) => line).join(', ')
  const problems = done.refused.map(
    ({ line, peer, why, detail, remedy }) => `${line} at ${peer}: ${why}: ${detail}: ${remedy}`,
  )
  const others = (['added', 'changed', 'removed'] as const)
    .filter((what) => done[what].length)
    .map((what) => `${what}: ${done[what].join(' ')}`)
  return { error: `these lines go on with their old settings: ${names}`, problems: [...problems, ...others] }
}
