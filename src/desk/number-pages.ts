/** Find a number: for the role `support`, each look with a line in the audit, and a reason where the number is seen. */
import type { Context, Hono } from 'hono'
import { maskMsisdn } from '../base/index.ts'
import { troublePage } from './around.ts'
import type { DeskParts } from './desk.ts'
import { numberBody, numberForm } from './pages/index.ts'
import { openedNumber, sealedNumber } from './sealed-number.ts'
import { may } from './visitor.ts'
import { formOf, type Entered } from './way-in.ts'

type Ctx = Context<Entered>

const DIGITS = /^[1-9]\d{4,14}$/
const HERE = '/desk/number'

export function numberPages(app: Hono<Entered>, parts: DeskParts): void {
  const { key, framed, show, audit, service } = parts
  app.use(HERE.replace('/desk', ''), async (c, next) =>
    may(c.get('visitor'), 'support') ? next() : troublePage(c, 403, c.get('words').enter.lacks('support')),
  )

  app.get('/number', (c) => {
    const who = c.req.query('who')
    if (who === undefined) return form(c)
    const msisdn = openedNumber(key, who)
    if (msisdn === undefined) return form(c, c.get('words').number.unknownLink)
    audit(c, 'subscriber looked at', { msisdn })
    return found(c, msisdn, true)
  })
  app.post('/number', async (c) => {
    const fields = await formOf(c)
    const refused = parts.refusal(c, 'support', fields)
    if (refused) return refused
    const written = (fields.number ?? '').replace(/[\s+()-]/g, '')
    const msisdn = fields.who === undefined ? written : openedNumber(key, fields.who)
    if (msisdn === undefined || !DIGITS.test(msisdn)) return form(c, c.get('words').number.digits)
    const note = parts.withoutNumbers(fields.note ?? '').trim()
    if (note === '') return form(c, c.get('words').number.noReason)
    audit(c, 'number of a subscriber uncovered', { msisdn, note })
    return found(c, msisdn, false)
  })
  app.post('/number/end', async (c) => {
    const fields = await formOf(c)
    const refused = parts.refusal(c, 'support', fields)
    if (refused) return refused
    const [msisdn, group = ''] = [openedNumber(key, fields.who ?? ''), fields.group]
    if (msisdn === undefined) return form(c, c.get('words').number.unknownLink)
    const ended = await service.endDialogue(group, msisdn)
    const note = parts.withoutNumbers(fields.note ?? '')
    audit(c, 'dialogue ended', {
      group,
      msisdn,
      note,
      before: ended ? 'open' : 'none',
      after: ended ? 'ended' : 'none',
    })
    return c.redirect(`${HERE}?who=${fields.who}`, 303)
  })

  function form(c: Ctx, problem?: string) {
    const now = { ...framed(c), ...(problem === undefined ? {} : { problem }) }
    return show(c, { title: now.words.nav.number, nav: 'number', body: numberForm(now) })
  }

  async function found(c: Ctx, msisdn: string, isMasked: boolean) {
    const [dialogues, sms] = await Promise.all([
      service.dialogues(msisdn),
      service.smsOf(msisdn).catch(() => undefined),
    ])
    const shown = isMasked ? maskMsisdn(msisdn) : msisdn
    const sealed = sealedNumber(key, msisdn)
    const body = numberBody({ ...framed(c), shown, isMasked, sealed, dialogues, sms })
    return show(c, { title: c.get('words').nav.number, nav: 'number', body })
  }
}
