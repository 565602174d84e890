/** POST /v1/push: a screen or a text for a subscriber who has not dialled. */
import { Hono } from 'hono'
import { z } from 'zod'
import { nameSchema, whyNot, writtenNumber, type Admitted, type RouteDeps } from './shared.ts'

/** How long to wait for a screen by default. */
const TTL_MS = 8_000

export const pushBody = z
  .strictObject({
    msisdn: writtenNumber,
    line: nameSchema.optional(),
    flow: nameSchema.optional(),
    language: z
      .string()
      .regex(/^[a-z]{2,3}$/)
      .optional(),
    text: z.string().min(1).max(1_600).optional(),
    ttlMs: z.number().int().min(500).max(60_000).default(TTL_MS),
    sms: z.string().min(1).max(640).optional(),
  })
  .refine((it) => (it.flow === undefined) !== (it.text === undefined), { error: 'needs either flow or text' })

export function pushRoutes({ service, audit }: RouteDeps): Hono<Admitted> {
  const app = new Hono<Admitted>()
  app.post('/', async (c) => {
    const read = pushBody.safeParse(await c.req.json<unknown>().catch(() => null))
    if (!read.success) {
      const fields = 'send the body {"msisdn", "flow" or "text", "line", "language", "ttlMs", "sms"}'
      return c.json({ error: `${fields}; ${whyNot(read.error)}` }, 400)
    }
    const { flow = null, line = null } = read.data
    const about = { msisdn: read.data.msisdn, flow, line }
    const texts = [read.data.text, read.data.sms].filter((text) => text !== undefined)
    const token = c.get('token')?.name ?? '-'
    const refusal = await service.mayPush({ token, flow: read.data.flow, texts })
    if (refusal) {
      const { status, error, retryAfter } = refusal
      audit(c, 'push refused', { ...about, status, why: error })
      if (retryAfter !== undefined) c.header('retry-after', String(retryAfter))
      return c.json({ error }, status)
    }
    const result = await service.push(requestOf(read.data))
    if ('refused' in result) {
      audit(c, 'push', { ...about, after: 'refused', sms: false })
      return c.json({ error: result.refused }, 503)
    }
    audit(c, 'push', { ...about, after: result.is, sms: result.sms })
    return c.json(result)
  })
  return app
}

/** Exactly one of `flow` and `text`. */
function requestOf({ flow, text = '', language, line, sms, ...asked }: z.infer<typeof pushBody>) {
  const how = {
    ...asked,
    ...(line === undefined ? {} : { line }),
    ...(sms === undefined ? {} : { sms }),
  }
  if (flow === undefined) return { ...how, text }
  return { ...how, flow, ...(language === undefined ? {} : { language }) }
}
