/** /v1/alarms: what somebody should be woken for now; silences for maintenance; a trial of the web-hook. */
import { Hono } from 'hono'
import { z } from 'zod'
import { nameSchema, whyNot, type Admitted, type RouteDeps } from './shared.ts'

export const silenceBody = z.strictObject({
  line: nameSchema.nullable().default(null).describe('null: everything'),
  for: z.string().max(10).describe('such as 30m, 2h or 1d, up to a week'),
  note: z.string().max(200).default(''),
})

export function alarmRoutes({ service, fleet, audit }: RouteDeps): Hono<Admitted> {
  const app = new Hono<Admitted>()
  app.get('/', async (c) => c.json(await fleet.alarms()))
  app.post('/test', (c) => {
    service.testAlarm()
    audit(c, 'alarm test', {})
    return c.json({ is: 'sent' })
  })
  app.post('/silences', async (c) => {
    const read = silenceBody.safeParse(await c.req.json<unknown>().catch(() => null))
    if (!read.success)
      return c.json({ error: `send the body {"for": "2h", "line", "note"}; ${whyNot(read.error)}` }, 400)
    const by = c.get('token')?.name ?? '-'
    const begun = await service.silence({ ...read.data, by })
    if ('refused' in begun) return c.json({ error: begun.refused }, 400)
    audit(c, 'alarms silenced', { line: read.data.line, until: begun.until, note: read.data.note })
    return c.json(begun, 201)
  })
  app.delete('/silences/:id', async (c) => {
    const id = c.req.param('id')
    if (!/^\d{1,18}$/.test(id) || !(await service.endSilence(id)))
      return c.json({ error: `there is no silence ${id}`, try: '/v1/alarms' }, 404)
    audit(c, 'silence ended', { id })
    return c.json({ is: 'ended' })
  })
  return app
}
