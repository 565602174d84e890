/** Routes of the phones: `/api/phones/…`. */
import type { Context, Hono } from 'hono'
import { z } from 'zod'
import { PhoneError, type Phone } from '../phone/index.ts'
import type { Smsc } from '../smsc/index.ts'
import type { ViewOf } from './phone-view.ts'

export type TalkOf = (msisdn: string, left: Phone['left']) => string | undefined

const ms = z.number().min(0).max(3_600_000)
const bodies = {
  dial: z.strictObject({
    code: z.string().min(1).max(182),
    withinMs: ms.optional(),
    beginOp: z.int().min(0).max(255).optional(),
    number: z.int().min(0).optional(),
    systemId: z.string().max(15).optional(),
  }),
  answer: z.strictObject({ text: z.string().max(1_000), withinMs: ms.optional() }),
  next: z.strictObject({ withinMs: ms.optional() }),
  sms: z.strictObject({ to: z.string().min(1).max(20), text: z.string().max(160) }),
  phone: z.strictObject({
    isOff: z.boolean().optional(),
    confirms: z.boolean().optional(),
    skipRepeats: z.boolean().optional(),
  }),
}

export interface PhoneRoutes {
  smsc: Smsc
  viewOf: ViewOf
  talkOf: TalkOf | undefined
}

export function phoneRoutes(app: Hono, deps: PhoneRoutes): void {
  const phoneOf: PhoneOf = (c) =>
    deps.smsc.phone(
      z
        .string()
        .regex(/^\d{3,15}$/, 'an MSISDN has 3 to 15 digits')
        .parse(c.req.param('msisdn') ?? ''),
    )
  looks(app, phoneOf, deps)
  keys(app, phoneOf, deps.viewOf)
}

type PhoneOf = (c: Context) => Phone

/** Routes that show something. */
function looks(app: Hono, phoneOf: PhoneOf, { smsc, viewOf, talkOf }: PhoneRoutes): void {
  app.get('/api/phones', (c) => c.json(smsc.phones().slice(-1_000).map(viewOf)))
  app.get('/api/phones/:msisdn', (c) => c.json(viewOf(phoneOf(c))))
  app.get('/api/phones/:msisdn/story', (c) => c.json(phoneOf(c).story))
  app.get('/api/phones/:msisdn/talk', (c) => {
    if (!talkOf)
      return c.json(
        { error: 'the simulator does not see the answers of back ends: use the demo or talk --record' },
        404,
      )
    const phone = phoneOf(c)
    const talk = talkOf(phone.msisdn, phone.left)
    return talk === undefined ? c.json({ error: `${phone.msisdn} has not dialled yet` }, 404) : c.text(talk)
  })
}

/** Routes that press keys. They answer with the phone after something has happened. */
function keys(app: Hono, phoneOf: PhoneOf, viewOf: ViewOf): void {
  const settled = async (c: Context, work: (phone: Phone) => unknown): Promise<Response> => {
    const phone = phoneOf(c)
    try {
      await work(phone)
      return c.json(viewOf(phone))
    } catch (error) {
      if (error instanceof z.ZodError) throw error
      const view = viewOf(phone)
      const why = error instanceof PhoneError ? error.why : (error as Error).message
      return c.json({ ...view, failed: view.failed ?? why, error: (error as Error).message }, 504)
    }
  }
  app.post('/api/phones/:msisdn/dial', (c) =>
    settled(c, async (phone) => {
      const { code, ...dialling } = bodies.dial.parse(await c.req.json())
      await phone.dial(code, dialling)
    }),
  )
  app.post('/api/phones/:msisdn/answer', (c) =>
    settled(c, async (phone) => {
      const { text, ...within } = bodies.answer.parse(await c.req.json())
      await phone.answer(text, within)
    }),
  )
  app.post('/api/phones/:msisdn/next', (c) =>
    settled(c, async (phone) => {
      await phone.next(bodies.next.parse(await c.req.json()).withinMs)
    }),
  )
  app.post('/api/phones/:msisdn/hang-up', (c) => settled(c, (phone) => phone.hangUp()))
  app.post('/api/phones/:msisdn/time-out', (c) => settled(c, (phone) => phone.timeOut()))
  app.post('/api/phones/:msisdn/dismiss', (c) => settled(c, (phone) => phone.dismiss()))
  app.post('/api/phones/:msisdn/sms', (c) =>
    settled(c, async (phone) => {
      const { to, text } = bodies.sms.parse(await c.req.json())
      await phone.send(to, text)
    }),
  )
  app.patch('/api/phones/:msisdn', (c) =>
    settled(c, async (phone) => {
      Object.assign(phone, bodies.phone.parse(await c.req.json()))
    }),
  )
}
