/**
 * /v1/subscribers: what one subscriber saw and did, for who answers a complaint; one dialogue by its epoch; the hash by
 * which the log names him.
 */
import { Hono } from 'hono'
import { writtenNumber, type Admitted, type RouteDeps } from './shared.ts'

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
  return app
}
