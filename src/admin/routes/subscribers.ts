/**
 * /v1/subscribers: what one subscriber saw and did, for who answers a complaint; one dialogue by its epoch; the hash by
 * which the log names him; and, if he asks for that, nothing of him any more.
 */
import { Hono, type Context } from 'hono'
import { z } from 'zod'
import { type Erased, isWhollyErased, NOT_ERASED_HERE } from '../../privacy/index.ts'
import { whyNot, writtenNumber, type Admitted, type RouteDeps } from './shared.ts'

export const eraseBody = z.strictObject({
  msisdn: writtenNumber,
  keepOptOut: z.boolean().default(false).describe('keep the wish for no SMS, and with it the number'),
  note: z.string().trim().min(1).max(200).describe('why: the audit keeps it, without numbers'),
})

const UNKNOWN_EPOCH =
  'nothing is kept of a dialogue with this epoch: it is older than records.days, or not of these daemons. ' +
  'For one that is open, give its number as msisdn, too'

export function subscriberRoutes({ service, audit }: RouteDeps): Hono<Admitted> {
  const app = new Hono<Admitted>()
  const wrong = {
    error: 'msisdn must be international digits, such as 67570000001',
    try: '/v1/subscribers?msisdn=67570000001&since=10:00',
  }

  app.get('/', async (c) => {
    const { success, data: msisdn } = writtenNumber.safeParse(c.req.query('msisdn'))
    if (!success) return c.json(wrong, 400)
    const { since, until } = c.req.query()
    const story = await service.subscriberStory(msisdn, { since, until })
    if ('refused' in story) return c.json({ error: story.refused }, 400)
    audit(c, 'subscriber looked at', { msisdn, since: story.since, found: story.dialogues.length + story.sms.length })
    return c.json(story)
  })
  app.get('/dialogues/:epoch', async (c) => {
    const epoch = c.req.param('epoch').toLowerCase()
    const { success, data: msisdn } = writtenNumber.optional().safeParse(c.req.query('msisdn'))
    if (!success) return c.json(wrong, 400)
    const told = await service.dialogueStory(epoch, msisdn)
    audit(c, 'dialogue looked at', {
      epoch,
      ...(told ? { msisdn: told.msisdn } : {}),
      found: told?.dialogues.length ?? 0,
    })
    return told ? c.json(told) : c.json({ error: service.noRecords ?? UNKNOWN_EPOCH }, 404)
  })
  app.get('/hash', (c) => {
    const { success, data: msisdn } = writtenNumber.safeParse(c.req.query('msisdn'))
    return success ? c.json({ subscriber: service.subscriberHash(msisdn) }) : c.json(wrong, 400)
  })
  app.post('/erase', (c) => erased(c, { service, audit }))
  return app
}

async function erased(c: Context<Admitted>, { service, audit }: Pick<RouteDeps, 'service' | 'audit'>) {
  const read = eraseBody.safeParse(await c.req.json<unknown>().catch(() => null))
  if (!read.success)
    return c.json({ error: `send the body {"msisdn", "note", "keepOptOut"}; ${whyNot(read.error)}` }, 400)
  const { msisdn, ...asked } = read.data
  const told = await service.eraseSubscriber(msisdn, { ...asked, by: c.get('token')?.name ?? '-' })
  audit(c, 'subscriber erased', told.audit)
  if (told.is === 'stopped') {
    const how = told.isBegun ? 'a part may be removed already' : 'nothing was changed'
    return c.json({ error: `${told.at} does not answer (${how}): ask again, which does the rest` }, 503)
  }
  const body = { subscriber: told.subscriber, ...told.erased, notIncluded: NOT_ERASED_HERE }
  return isWhollyErased(told.erased) ? c.json(body) : c.json({ ...body, error: restOf(told.erased) }, 409)
}

function restOf({ failed, daemons }: Erased): string {
  const names = [...failed.map(({ backend }) => `back end ${backend}`), ...daemons.map((name) => `daemon ${name}`)]
  return `these still keep something: ${names.join(', ')} (everything else is removed: ask again)`
}
