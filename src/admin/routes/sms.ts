/** /v1/sms: the SMS of one subscriber, without their texts, and another text for one of them. */
import { Hono } from 'hono'
import { z } from 'zod'
import { DIGITS, type Admitted, type RouteDeps } from './shared.ts'

const body = z.strictObject({ text: z.string().min(1).max(1_600) })
/** The HTTP status of each outcome. */
const STATUS = { none: 404, off: 409, 'too-late': 409, busy: 409, unknown: 504 } as const

export function smsRoutes({ desk, audit }: RouteDeps): Hono<Admitted> {
  const app = new Hono<Admitted>()
  app.get('/', async (c) => {
    const msisdn = (c.req.query('msisdn') ?? '').replace(/^\+/, '').trim()
    if (!DIGITS.test(msisdn))
      return c.json(
        { error: 'msisdn must be international digits, such as 67570000001', try: '/v1/sms?msisdn=67570000001' },
        400,
      )
    const sms = await desk.smsOf(msisdn)
    audit(c, 'sms looked at', { msisdn, found: sms.length })
    return c.json({ sms })
  })
  app.post('/:id/replace', async (c) => {
    const id = c.req.param('id')
    const read = body.safeParse(await c.req.json<unknown>().catch(() => null))
    if (!/^\d{1,18}$/.test(id) || !read.success) {
      return c.json({ error: 'send the body {"text"} with 1 to 1,600 characters, and an id from /v1/sms' }, 400)
    }
    const is = await desk.replaceSms(id, read.data.text)
    audit(c, 'sms replaced', { id, after: is })
    const status = (STATUS as Record<string, 404 | 409 | 504 | undefined>)[is]
    return status ? c.json({ error: `not replaced: ${is} (docs/SMS.md)`, is }, status) : c.json({ is })
  })
  return app
}
