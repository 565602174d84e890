/**
 * /v1/sms for support: lists SMS by state or subscriber, without their texts; has one sent again, takes one back,
 * replaces the text of one.
 */
import { Hono, type Context } from 'hono'
import { z } from 'zod'
import { LISTED_STATES, type Retried, SMS_PAGE } from '../../sms/operator/index.ts'
import { whyNot, writtenNumber, type Admitted, type RouteDeps } from './shared.ts'

export const replaceBody = z.strictObject({ text: z.string().min(1).max(1_600) })
const ID = /^\d{1,18}$/
const STATES = LISTED_STATES.join(', ')

export const smsListQuery = z.strictObject({
  state: z.enum(LISTED_STATES),
  since: z.string().max(40).optional(),
  until: z.string().max(40).optional(),
  cursor: z.string().max(100).optional(),
  limit: z.coerce.number().int().min(1).max(SMS_PAGE.most).default(SMS_PAGE.usual),
})
export const retryBody = z.strictObject({ mayBeTwice: z.boolean().default(false), for: z.string().max(10).optional() })

/** Why one is not sent again. */
const NOT_RETRIED: Record<Exclude<Retried['is'], 'due'>, string> = {
  none: 'there is no SMS of this id',
  twice:
    'it was sent, and the SMSC did not answer: the handset may have it, and would get it twice. If that is accepted, say mayBeTwice (--yes)',
  past: 'its time is over: nobody would send it. Say for how long it is of use from now on: for (--for 2h)',
  'due-already': 'it leaves anyway: it is due, or being sent now',
  'too-late': 'the SMSC has it, or it was taken back: ask for a new one (sms send)',
}

/** The HTTP status of each outcome. */
const STATUS = { none: 404, off: 409, 'too-late': 409, busy: 409, unknown: 504 } as const

/** The answer to a question for SMS in one state, or of one subscriber. */
export function smsLists({ service, audit }: Pick<RouteDeps, 'service' | 'audit'>) {
  const inState = async (c: Context<Admitted>) => {
    const read = smsListQuery.safeParse(c.req.query())
    if (!read.success) return c.json({ error: `${whyNot(read.error)}; state is one of ${STATES}` }, 400)
    const { state, since, until, cursor, limit } = read.data
    const page = await service.listSms({ state, since, until, cursor, limit })
    if ('refused' in page) return c.json({ error: page.refused }, 400)
    audit(c, 'sms looked at', { state, found: page.sms.length })
    return c.json(page)
  }
  return async (c: Context<Admitted>) => {
    if (c.req.query('state') !== undefined) return inState(c)
    const { success, data: msisdn } = writtenNumber.safeParse(c.req.query('msisdn'))
    if (!success)
      return c.json(
        {
          error: `say whose or which SMS: msisdn in international digits, such as 67570000001, or state: ${STATES}`,
          try: '/v1/sms?msisdn=67570000001 or /v1/sms?state=failed&since=2h',
        },
        400,
      )
    const sms = await service.smsOf(msisdn)
    audit(c, 'sms looked at', { msisdn, found: sms.length })
    return c.json({ sms })
  }
}

export function operatedSmsRoutes({ service, audit }: RouteDeps): Hono<Admitted> {
  const app = new Hono<Admitted>()
  app.delete('/:id', async (c) => {
    const sms = c.req.param('id')
    if (!ID.test(sms)) return c.json({ error: 'give an id from /v1/sms' }, 400)
    const { is, msisdn } = await service.cancelSmsOf(sms)
    audit(c, 'sms cancelled', { sms, ...(msisdn ? { msisdn } : {}), after: is })
    if (is === 'none') return c.json({ error: 'there is no SMS of this id', is }, 404)
    return c.json({ is }, is === 'too-late' ? 409 : 200)
  })
  app.post('/:id/retry', async (c) => {
    const sms = c.req.param('id')
    const read = retryBody.safeParse(await c.req.json<unknown>().catch(() => ({})))
    if (!ID.test(sms) || !read.success)
      return c.json({ error: 'give an id from /v1/sms, and the body {"mayBeTwice", "for"} or none' }, 400)
    const retried = await service.retrySms(sms, { mayBeTwice: read.data.mayBeTwice, for: read.data.for })
    if ('refused' in retried) return c.json({ error: retried.refused }, 400)
    const { is, ...before } = retried
    audit(c, 'sms retried', {
      sms,
      ...('msisdn' in before ? { msisdn: before.msisdn, before: before.state } : {}),
      after: is,
    })
    if (is === 'due') return c.json({ is })
    return c.json({ error: NOT_RETRIED[is], is }, is === 'none' ? 404 : 409)
  })
  app.post('/:id/replace', async (c) => {
    const id = c.req.param('id')
    const read = replaceBody.safeParse(await c.req.json<unknown>().catch(() => null))
    if (!ID.test(id) || !read.success) {
      return c.json({ error: 'send the body {"text"} with 1 to 1,600 characters, and an id from /v1/sms' }, 400)
    }
    const is = await service.replaceSms(id, read.data.text)
    audit(c, 'sms replaced', { sms: id, after: is })
    const status = (STATUS as Record<string, 404 | 409 | 504 | undefined>)[is]
    return status ? c.json({ error: `not replaced: ${is} (docs/SMS.md)`, is }, status) : c.json({ is })
  })
  return app
}
