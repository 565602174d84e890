/** The page of SMS: how deep the outbox is, lists by state, and what support does with one. */
import { isoOf } from '../base/index.ts'
import type { Context, Hono } from 'hono'
import { LISTED_STATES, type ListedState } from '../sms/operator/index.ts'
import { troublePage } from './around.ts'
import type { DeskParts } from './desk.ts'
import { depthPart, pageAsked, ROWS_SHOWN, smsBody } from './pages/index.ts'
import { openedNumber, sealedNumber } from './sealed-number.ts'
import { formOf, type Entered, type WayIn } from './way-in.ts'

type Ctx = Context<Entered>

const WEEK_MS = 7 * 86_400_000
const HERE = '/desk/sms'
const NONE = Promise.resolve([])

export function smsPages(app: Hono<Entered>, parts: DeskParts, wayIn: WayIn): void {
  const { live, framed, show, service, key } = parts

  app.get('/sms', async (c) => {
    const now = framed(c)
    const state = stateOf(c.req.query('state'))
    const { fromMs, untilMs } = rangeAsked(c, state, now.nowMs)
    const before = c.req.query('before')
    const asked = { state, since: momentOf(fromMs), until: momentOf(untilMs), cursor: before, limit: ROWS_SHOWN }
    const [page, reasons] = await Promise.all([
      service.listSms(asked),
      state === 'failed' ? service.smsFailedFor({ sinceMs: fromMs, untilMs }) : NONE,
    ])
    if ('refused' in page) return troublePage(c, 404, now.words.enter.missing, `${HERE}?state=${state}`)
    const { sms: rows, next } = page
    const list = { fromMs, untilMs, isLater: before !== undefined, path: HERE, also: { state }, rows, next }
    const sealed = (msisdn: string) => sealedNumber(key, msisdn)
    const body = smsBody({ ...now, depth: service.smsDepth(), state, list, reasons, sealed })
    return show(c, { title: 'SMS', nav: 'sms', live: `${HERE}/live`, body })
  })
  app.get('/sms/live', (c) =>
    live.serve(c, { wayIn, framed: framed(c), name: 'sms' }, (now) => ({
      depth: depthPart({ ...now, depth: service.smsDepth() }),
    })),
  )
  app.post('/sms/:id{[0-9]{1,18}}/retry', (c) =>
    changed(c, parts, async (id, form, note) => {
      const asked = { mayBeTwice: form.twice === 'yes', for: form.for ? form.for : undefined }
      const done = await service.retrySms(id, asked)
      const { retried } = c.get('words').sms
      if ('refused' in done) return retried.wrongFor
      const before = done.is === 'none' ? {} : { msisdn: done.msisdn, before: done.state }
      parts.audit(c, 'sms retried', { sms: id, ...before, after: done.is, note })
      return done.is === 'due' ? undefined : retried[done.is]
    }),
  )
  app.post('/sms/:id{[0-9]{1,18}}/cancel', (c) =>
    changed(c, parts, async (id, _form, note) => {
      const { is, msisdn } = await service.cancelSmsOf(id)
      parts.audit(c, 'sms cancelled', { sms: id, ...(msisdn ? { msisdn } : {}), after: is, note })
      const { cancelled } = c.get('words').sms
      return is === 'none' || is === 'too-late' ? cancelled[is] : undefined
    }),
  )
}

/** `run` resolves with why it was not done, or with nothing. Then the list is shown again, or the subscriber. */
async function changed(
  c: Ctx,
  parts: DeskParts,
  run: (id: string, form: Partial<Record<string, string>>, note: string) => Promise<string | undefined>,
): Promise<Response> {
  const form = await formOf(c)
  const refused = parts.refusal(c, 'support', form)
  if (refused) return refused
  const back =
    form.who !== undefined && openedNumber(parts.key, form.who) !== undefined
      ? `/desk/number?who=${form.who}`
      : `${HERE}?state=${stateOf(form.state)}`
  const why = await run(c.req.param('id')!, form, parts.withoutNumbers(form.note ?? ''))
  return why === undefined ? c.redirect(back, 303) : troublePage(c, 409, `${c.get('words').act.failed} ${why}`, back)
}

function stateOf(asked: string | undefined): ListedState {
  return LISTED_STATES.find((one) => one === asked) ?? 'failed'
}

/** What was given up is shown of a week, if nothing else is asked for; what is still open is shown whole. */
function rangeAsked(c: Ctx, state: ListedState, nowMs: number): { fromMs: number | null; untilMs: number | null } {
  const query = (name: string) => c.req.query(name)
  const { fromMs, untilMs } = pageAsked(query, nowMs, WEEK_MS)
  if (state === 'failed' || state === 'expired') return { fromMs, untilMs }
  return { fromMs: query('from') ? fromMs : null, untilMs: query('until') ? untilMs : null }
}

function momentOf(ms: number | null): string | undefined {
  return ms === null ? undefined : isoOf(ms)
}
