/** /v1/log: the level of the log, by subsystem, and for a limited time everything about one subscriber. */
import { Hono } from 'hono'
import { z } from 'zod'
import { LOG_LEVELS, SUBSYSTEMS } from '../../base/index.ts'
import { carriedOut, lacking, whyNot, writtenNumber, type Admitted, type RouteDeps } from './shared.ts'

/** A level that nobody takes back fills the disk: a day is the longest. */
const MINUTES_MAX = 1_440

export const logBody = z.strictObject({
  level: z.enum(LOG_LEVELS).default('debug'),
  subsystem: z.enum(['all', ...SUBSYSTEMS]).default('all'),
  msisdn: writtenNumber.nullable().default(null),
  minutes: z.number().int().min(1).max(MINUTES_MAX).default(10),
})

export function logRoutes(deps: RouteDeps): Hono<Admitted> {
  const app = new Hono<Admitted>()
  app.get('/', (c) => c.json(deps.service.logLevels()))
  app.post('/', async (c) => {
    const read = logBody.safeParse(await c.req.json<unknown>().catch(() => null))
    if (!read.success)
      return c.json({ error: `send the body {"level", "subsystem", "msisdn", "minutes"}; ${whyNot(read.error)}` }, 400)
    const { msisdn, subsystem, level } = read.data
    if (msisdn !== null && (subsystem !== 'all' || level !== 'debug'))
      return c.json({ error: 'with msisdn there is no subsystem, and the level is debug' }, 400)
    const refused = msisdn === null ? undefined : lacking(c, deps, 'support', 'log of a subscriber')
    return refused ?? carriedOut(c, { what: 'log-level', log: read.data }, deps)
  })
  app.delete('/', (c) => carriedOut(c, { what: 'log-reset' }, deps))
  return app
}
