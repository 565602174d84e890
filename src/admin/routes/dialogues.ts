/** /v1/dialogues: lists the dialogues of one subscriber, without their texts, and ends them. */
import { Hono } from 'hono'
import { shownNumber, writtenNumber, type Admitted, type RouteDeps } from './shared.ts'

export function dialogueRoutes({ service, audit }: RouteDeps): Hono<Admitted> {
  const app = new Hono<Admitted>()
  app.get('/', async (c) => {
    const { success, data: msisdn } = writtenNumber.safeParse(c.req.query('msisdn'))
    if (!success)
      return c.json(
        { error: 'msisdn must be international digits, such as 67570000001', try: '/v1/dialogues?msisdn=67570000001' },
        400,
      )
    const dialogues = (await service.dialogues(msisdn)).map((one) => ({ ...one, msisdn: shownNumber(c, one.msisdn) }))
    audit(c, 'dialogues looked at', { msisdn, found: dialogues.length })
    return c.json({ dialogues })
  })

  app.delete('/:group/:msisdn', async (c) => {
    const { group, msisdn: written } = c.req.param()
    const { success, data: msisdn } = writtenNumber.safeParse(written)
    if (!success) return c.json({ error: 'msisdn must be international digits, such as 67570000001' }, 400)
    const ended = await service.endDialogue(group, msisdn)
    audit(c, 'dialogue ended', {
      group,
      msisdn,
      before: ended ? 'open' : 'none',
      after: ended ? 'ended' : 'none',
    })
    return ended
      ? c.json({ ended: { ...ended, msisdn: shownNumber(c, msisdn) } })
      : c.json({ error: 'this subscriber has no open dialogue' }, 404)
  })
  return app
}
