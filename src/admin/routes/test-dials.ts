/** /v1/test-dials: whether somebody could dial, as test dials of the schedule found last, or by dialling now. */
import { Hono } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { z } from 'zod'
import { readCode } from '../../ussd/index.ts'
import { nameSchema, whyNot, type Admitted, type RouteDeps } from './shared.ts'

export const testDialBody = z.strictObject({
  line: nameSchema.optional(),
  service: z
    .string()
    .refine((code) => readCode(code) !== null, 'what is dialled, such as *123#')
    .optional(),
})

export function testDialRoutes({ service, fleet, audit }: RouteDeps): Hono<Admitted> {
  const app = new Hono<Admitted>()
  app.get('/', (c) => c.json({ dials: service.testDials() }))
  app.post('/', async (c) => {
    const read = testDialBody.safeParse(await c.req.json<unknown>().catch(() => null))
    if (!read.success) return c.json({ error: `send the body {"line", "service"}; ${whyNot(read.error)}` }, 400)
    const by = c.get('token')?.name ?? '-'
    const told = await fleet.dialTest(read.data, c.req.query('instance'), by)
    if (told.audit) audit(c, told.what, told.audit)
    return c.json(told.body, told.status as ContentfulStatusCode)
  })
  return app
}
