/** The page of alarms, silences and the audit, and what may be done there. */
import type { Context, Hono } from 'hono'
import { troublePage } from './around.ts'
import type { DeskParts } from './desk.ts'
import { auditWithin } from '../audit/index.ts'
import { alarmsBody, alarmsPart, pageAsked, pagedRows, ROWS_SHOWN } from './pages/index.ts'
import { formOf, type Entered, type WayIn } from './way-in.ts'

const AUDIT_MS = 7 * 86_400_000
const HERE = '/desk/alarms'

export function alarmPages(app: Hono<Entered>, parts: DeskParts, wayIn: WayIn): void {
  const { sampler, live, framed, show, service, sql } = parts

  app.get('/alarms', async (c) => {
    const asked = pageAsked((name) => c.req.query(name), framed(c).nowMs, AUDIT_MS)
    const rows = await auditWithin(sql, { ...asked, most: ROWS_SHOWN + 1 })
    const audit = pagedRows(HERE, asked, rows, ({ at, id }) => ({ at: new Date(at), id }))
    const now = { ...framed(c), sample: await sampler.now(), silences: service.silences(), audit }
    return show(c, { title: now.words.nav.alarms, nav: 'alarms', live: `${HERE}/live`, body: alarmsBody(now) })
  })
  app.get('/alarms/live', (c) =>
    live.serve(c, { wayIn, framed: framed(c), name: 'alarms' }, (now) => ({ alarms: alarmsPart(now) })),
  )
  app.post('/alarms/silence', (c) =>
    operated(c, parts, async (form) => {
      const line = form.line === undefined || form.line === '' ? null : form.line
      const note = parts.withoutNumbers(form.note ?? '')
      const begun = await service.silence({ line, for: form.for ?? '', note, by: c.get('visitor').name })
      if ('refused' in begun) return begun.refused
      parts.audit(c, 'alarms silenced', { line, until: begun.until, note })
      return undefined
    }),
  )
  app.post('/alarms/silence/:id{[0-9]{1,18}}/end', (c) =>
    operated(c, parts, async () => {
      const id = c.req.param('id')
      if (await service.endSilence(id)) parts.audit(c, 'silence ended', { id })
      return undefined
    }),
  )
  app.post('/alarms/test', (c) =>
    operated(c, parts, async () => {
      service.testAlarm()
      parts.audit(c, 'alarm test', {})
      return undefined
    }),
  )
}

/** `run` resolves with why it was not done, or with nothing. */
async function operated(
  c: Context<Entered>,
  parts: DeskParts,
  run: (form: Partial<Record<string, string>>) => Promise<string | undefined>,
): Promise<Response> {
  const form = await formOf(c)
  const refused = parts.refusal(c, 'operate', form)
  if (refused) return refused
  const why = await run(form)
  return why === undefined ? c.redirect(HERE, 303) : troublePage(c, 409, `${c.get('words').act.failed} ${why}`, HERE)
}
