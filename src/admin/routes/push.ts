/** POST /v1/push: a screen or a text for a subscriber who has not dialled. The gate and the role are the routes'. */
import { z } from 'zod'
import type { AdminService, PushAsked, PushTold } from '../service.ts'

/** How long a screen is waited for if nothing is said. */
const TTL_MS = 8_000
const name = z.string().regex(/^[a-z][a-z0-9-]{0,63}$/)

const body = z
  .strictObject({
    msisdn: z.string().regex(/^\+?[1-9]\d{4,14}$/, 'international digits'),
    line: name.optional(),
    flow: name.optional(),
    language: z
      .string()
      .regex(/^[a-z]{2,3}$/)
      .optional(),
    text: z.string().min(1).max(1_600).optional(),
    ttlMs: z.number().int().min(500).max(60_000).default(TTL_MS),
    sms: z.string().min(1).max(640).optional(),
  })
  .refine((it) => (it.flow === undefined) !== (it.text === undefined), { error: 'needs either flow or text' })

/** What came of it, or what is wrong with the request; never with what was written in it. */
export async function pushBy(
  desk: Pick<AdminService, 'push'>,
  given: unknown,
): Promise<(PushTold & { asked: PushAsked }) | { error: string }> {
  const read = body.safeParse(given)
  if (!read.success) {
    const why = read.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`)
    return { error: `the body is {"msisdn", "flow" or "text", "line", "language", "ttlMs", "sms"}; ${why.join('; ')}` }
  }
  const asked = { ...read.data, msisdn: read.data.msisdn.replace('+', '') }
  return { ...(await desk.push(asked)), asked }
}
