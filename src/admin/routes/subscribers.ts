/**
 * /v1/subscribers: what one subscriber saw and did, for who answers a complaint; and the hash by which the log names
 * him.
 */
import { Hono } from 'hono'
import { DIGITS, type Admitted, type RouteDeps } from './shared.ts'

export function subscriberRoutes({ service, audit }: RouteDeps): Hono<Admitted> {
  const app = new Hono<Admitted>()
  const wrong = {
    error: 'msisdn must be international digits, such as 67570000001',
    try: '/v1/subscribers?msisdn=67570000001&since=10:00',
  }
  const numberIn = (written = '') => written.replace(/^\+/, '').trim()

  app.get('/', async (c) => {
    const msisdn = numberIn(c.req.query('msisdn'))
    if (!DIGITS.test(msisdn)) return c.json(wrong, 400)
    const { since, until } = c.req.query()
    const story = await service.subscriberStory(msisdn, { since, until })
    if ('refused' in story) return c.json({ error: story.refused }, 400)
    audit(c, 'subscriber looked at', { msisdn, since: story.since, found: story.dialogues.length + story.sms.length })
    return c.json(story)
  })
  app.get('/hash', (c) => {
    const msisdn = numberIn(c.req.query('msisdn'))
    return DIGITS.test(msisdn) ? c.json({ subscriber: service.subscriberHash(msisdn) }) : c.json(wrong, 400)
  })
  return app
}
