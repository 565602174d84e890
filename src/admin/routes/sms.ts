/** /v1/sms: SMS of an application under keys of its own: put, looked at, cancelled. For support: sms-operator.ts. */
import { randomUUID } from 'node:crypto'
import { Hono, type Context } from 'hono'
import { z } from 'zod'
import { smsRequestSchema, type SmsAnswer } from '../../sms/requests/index.ts'
import { lacking, nameSchema, whyNot, type Admitted, type RouteDeps } from './shared.ts'
import { operatedSmsRoutes, smsLists } from './sms-operator.ts'

export const askedSmsBody = smsRequestSchema.extend({
  to: z.string().min(1).max(30).describe('the number that gets it, international digits'),
  line: nameSchema.optional(),
  language: z
    .string()
    .regex(/^[a-z]{2,3}$/)
    .optional(),
})
const FIELDS =
  'send the body {"to", "text", "key", "at" or "in" or "before", "window", "class", "line", "language", "template", "tlvs"}'

const PUT_STATUS = { accepted: 201, known: 200, replaced: 200, 'too-late': 409, busy: 409, past: 422 } as const

export function smsRoutes(deps: RouteDeps): Hono<Admitted> {
  const { service, audit, now, counters } = deps
  const app = new Hono<Admitted>()
  const listed = smsLists(deps)
  const ownerOf = (c: Context<Admitted>) => `token:${c.get('token')?.name ?? '-'}`
  const noKey = { error: 'say which SMS: ?key= and the key under which you asked for it' }

  app.get('/', async (c) => {
    const key = c.req.query('key')
    const refusal = lacking(c, { audit }, key === undefined ? 'support' : 'sms', 'GET')
    if (refusal) return refusal
    if (key !== undefined) {
      const found = await service.findSms(ownerOf(c), key)
      return found ? c.json(found) : c.json({ error: 'none: this token has no SMS of this key' }, 404)
    }
    return listed(c)
  })
  app.post('/', async (c) => {
    const owner = ownerOf(c)
    if (!service.mayAsk(owner, now())) {
      counters.count('limits_total', { limit: 'sms_requests' })
      c.header('retry-after', '1')
      return c.json({ error: 'too many requests of this token: see admin.smsPerSecond' }, 429)
    }
    const read = askedSmsBody.safeParse(await c.req.json<unknown>().catch(() => null))
    if (!read.success) return c.json({ error: `${FIELDS}; ${whyNot(read.error)}` }, 400)
    const { line = '', language, ...request } = read.data
    if (line !== '' && !service.hasLine(line)) return c.json({ error: `there is no line '${line}'` }, 400)
    const key = request.key ?? c.req.header('idempotency-key') ?? randomUUID()
    const answer = await service.putSms({ owner, line, language, key }, request)
    return put(c, answer)
  })
  app.delete('/', async (c) => {
    const key = c.req.query('key')
    if (!key) return c.json(noKey, 400)
    const is = await service.cancelSms(ownerOf(c), key)
    audit(c, 'sms cancelled', { after: is })
    if (is === 'none') return c.json({ error: 'none: this token has no SMS of this key', is }, 404)
    return c.json({ is }, is === 'too-late' ? 409 : 200)
  })
  app.route('/', operatedSmsRoutes(deps))
  return app
}

/** `dueAt`: what was asked for; `wakeAt`: when it leaves; `moved`: quiet hours made that earlier or later. */
function put(c: Context<Admitted>, answer: SmsAnswer) {
  if (answer.is === 'wrong') return c.json({ error: answer.what }, 400)
  if (answer.is === 'not-allowed') return c.json({ error: 'to must be a number in international digits' }, 400)
  if (answer.is === 'past') return c.json({ error: 'its moment is over: nobody gets it', is: 'past' }, PUT_STATUS.past)
  const { is, key, state, dueMs, leavesMs, moved } = answer
  const [dueAt, wakeAt] = [dueMs, leavesMs].map((ms) => new Date(ms).toISOString())
  const said = { is, key, state, dueAt, wakeAt, ...(moved ? { moved } : {}) }
  const status = PUT_STATUS[is]
  return status === 409 ? c.json({ error: `not replaced: ${is}`, ...said }, 409) : c.json(said, status)
}
