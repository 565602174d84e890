/** Find a number: for the role `support`, each look with a line in the audit, and a reason where the number is seen. */
import type { Context, Hono } from 'hono'
import { isoOf, maskMsisdn, uuidV7Ms } from '../base/index.ts'
import { troublePage } from './around.ts'
import type { DeskParts } from './desk.ts'
import { isWhollyErased } from '../privacy/index.ts'
import { dialogueBody, erasedBody, numberBody, numberForm, pageAsked } from './pages/index.ts'
import { openedNumber, sealedNumber } from './sealed-number.ts'
import { may } from './visitor.ts'
import { formOf, type Entered } from './way-in.ts'

type Ctx = Context<Entered>

const DIGITS = /^[1-9]\d{4,14}$/
const HERE = '/desk/number'
const WEEK_MS = 7 * 86_400_000

/** Of a number as people write it. */
const digitsOf = (written = '') => written.replace(/[\s+()-]/g, '')

export function numberPages(app: Hono<Entered>, parts: DeskParts): void {
  const { key, framed, show, audit, service } = parts
  const support = async (c: Ctx, next: () => Promise<void>) =>
    may(c.get('visitor'), 'support') ? next() : troublePage(c, 403, c.get('words').enter.lacks('support'))
  app.get('/number', support)
  app.get('/number/*', support)

  app.get('/number', (c) => {
    const who = c.req.query('who')
    if (who === undefined) return numberAsked(c, parts)
    const msisdn = openedNumber(key, who)
    if (msisdn === undefined) return numberAsked(c, parts, c.get('words').number.unknownLink)
    audit(c, 'subscriber looked at', { msisdn })
    return numberShown(c, parts, { msisdn, isMasked: true })
  })
  app.post('/number', async (c) => {
    const fields = await formOf(c)
    const refused = parts.refusal(c, 'support', fields)
    if (refused) return refused
    const msisdn = fields.who === undefined ? digitsOf(fields.number) : openedNumber(key, fields.who)
    if (msisdn === undefined || !DIGITS.test(msisdn)) return numberAsked(c, parts, c.get('words').number.digits)
    const note = parts.withoutNumbers(fields.note ?? '').trim()
    if (note === '') return numberAsked(c, parts, c.get('words').number.noReason)
    audit(c, 'number of a subscriber uncovered', { msisdn, note })
    return numberShown(c, parts, { msisdn, isMasked: false })
  })
  app.post('/number/end', async (c) => {
    const fields = await formOf(c)
    const refused = parts.refusal(c, 'support', fields)
    if (refused) return refused
    const [msisdn, group = ''] = [openedNumber(key, fields.who ?? ''), fields.group]
    if (msisdn === undefined) return numberAsked(c, parts, c.get('words').number.unknownLink)
    const ended = await service.endDialogue(group, msisdn)
    const note = parts.withoutNumbers(fields.note ?? '')
    const [before, after] = ended ? ['open', 'ended'] : ['none', 'none']
    audit(c, 'dialogue ended', { group, msisdn, note, before, after })
    return c.redirect(`${HERE}?who=${fields.who}`, 303)
  })
  app.post('/number/erase', (c) => numberErased(c, parts))
  app.get('/number/dialogue/:epoch', async (c) => {
    const [epoch, who] = [c.req.param('epoch'), c.req.query('who')]
    const { words, ...now } = framed(c)
    const msisdn = who === undefined ? undefined : openedNumber(key, who)
    if (who !== undefined && msisdn === undefined) return numberAsked(c, parts, words.number.unknownLink)
    if (uuidV7Ms(epoch) === null) return c.notFound()
    const told = await service.dialogueStory(epoch, msisdn)
    audit(c, 'dialogue looked at', { epoch, ...(told ? { msisdn: told.msisdn } : {}) })
    if (!told || told.dialogues.length === 0) return troublePage(c, 404, words.dialogue.noneSuch, HERE)
    const isErased = !DIGITS.test(told.msisdn)
    const body = dialogueBody({
      ...now,
      words,
      shown: isErased ? words.dialogue.erased : maskMsisdn(told.msisdn),
      sealed: isErased ? undefined : sealedNumber(key, told.msisdn),
      told: told.dialogues,
    })
    return show(c, { title: words.dialogue.title, nav: 'number', body })
  })
}

/** Of the number that is typed, if it is that of the page. */
async function numberErased(c: Ctx, parts: DeskParts) {
  const { key, framed, show, service, audit } = parts
  const fields = await formOf(c)
  const refused = parts.refusal(c, 'support', fields)
  if (refused) return refused
  const { words, ...now } = framed(c)
  const [msisdn, back] = [openedNumber(key, fields.who ?? ''), `${HERE}?who=${fields.who}`]
  if (msisdn === undefined) return numberAsked(c, parts, words.number.unknownLink)
  if (digitsOf(fields.number) !== msisdn) return troublePage(c, 409, words.number.eraseOther, back)
  const note = parts.withoutNumbers(fields.note ?? '').trim()
  if (note === '') return troublePage(c, 409, words.number.noReason, back)
  const asked = { keepOptOut: fields.keep === 'yes', by: c.get('visitor').name, note }
  const told = await service.eraseSubscriber(msisdn, asked)
  audit(c, 'subscriber erased', told.audit)
  const of = words.erased
  if (told.is === 'stopped')
    return troublePage(c, 503, `${of.stopped(told.at)} ${told.isBegun ? of.stoppedBegun : of.stoppedBefore}`, back)
  const sealed = sealedNumber(key, msisdn)
  const body = erasedBody({ ...now, words, shown: maskMsisdn(msisdn), sealed, erased: told.erased })
  return show(c, { title: isWhollyErased(told.erased) ? of.title : of.partly, nav: 'number', body })
}

function numberAsked(c: Ctx, { framed, show }: DeskParts, problem?: string) {
  const now = { ...framed(c), ...(problem === undefined ? {} : { problem }) }
  return show(c, { title: now.words.nav.number, nav: 'number', body: numberForm(now) })
}

/** Two statements, and a look into the store of dialogues. */
async function numberShown(
  c: Ctx,
  { key, framed, show, service }: DeskParts,
  { msisdn, isMasked }: { msisdn: string; isMasked: boolean },
) {
  const now = framed(c)
  const { fromMs, untilMs } = pageAsked((name) => c.req.query(name), now.nowMs, WEEK_MS)
  const asked = { since: isoOf(Math.min(fromMs, untilMs - 1)), until: isoOf(untilMs + 1) }
  const [stored, told] = await Promise.all([
    service.dialogues(msisdn),
    service.subscriberStory(msisdn, asked).catch(() => undefined),
  ])
  const story = told && !('refused' in told) ? told : undefined
  const shown = isMasked ? maskMsisdn(msisdn) : msisdn
  const sealed = sealedNumber(key, msisdn)
  const body = numberBody({ ...now, shown, isMasked, sealed, stored, story, fromMs, untilMs })
  return show(c, { title: now.words.nav.number, nav: 'number', body })
}
