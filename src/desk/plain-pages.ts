/** Pages that only show: settings in force, the last PDUs of a line. */
import type { Context, Hono } from 'hono'
import { maskedSettings } from '../config/index.ts'
import { troublePage } from './around.ts'
import type { DeskParts } from './desk.ts'
import { settingsBody, traceBody, TRACE_LASTS, type TraceNow } from './pages/index.ts'
import { may } from './visitor.ts'
import { formOf, type Entered } from './way-in.ts'

const FILTER_MAX = 100

export function settingsPages(app: Hono<Entered>, { settings, framed, show }: DeskParts): void {
  app.get('/settings', (c) => {
    const { words } = framed(c)
    if (!may(c.get('visitor'), 'operate')) return troublePage(c, 403, words.enter.lacks('operate'))
    const filter = (c.req.query('q') ?? '').slice(0, FILTER_MAX)
    const body = settingsBody({ ...framed(c), settings: maskedSettings(settings), filter })
    return show(c, { title: words.nav.settings, nav: 'settings', body })
  })
}

const [LAST] = TRACE_LASTS

export function tracePages(app: Hono<Entered>, parts: DeskParts): void {
  const { settings, framed, show, service, audit, refusal, withoutNumbers } = parts
  for (const path of ['/trace', '/trace/pcap'])
    app.get(path, async (c, next) => {
      if (may(c.get('visitor'), 'trace')) return next()
      return troublePage(c, 403, c.get('words').enter.lacks('trace'))
    })
  const asked = (query: (name: string) => string | undefined) => {
    const last = TRACE_LASTS.find((n) => String(n) === query('last')) ?? LAST
    return { line: query('line') ?? '', last }
  }
  const shown = (c: Context<Entered>, trace: Pick<TraceNow, 'line' | 'last' | 'text' | 'isClear'>) => {
    const lines = settings.lines.map(({ name }) => name)
    const body = traceBody({ ...framed(c), lines, ...trace })
    return show(c, { title: c.get('words').nav.trace, nav: 'trace', body })
  }
  app.get('/trace', (c) => {
    const { line, last } = asked((name) => c.req.query(name))
    const trace = line === '' ? undefined : service.trace(line, { last, clear: false })
    if (trace) audit(c, 'trace taken', { line, clear: false, pdus: trace.pdus })
    return shown(c, { line, last, text: trace && trace.text(), isClear: false })
  })
  app.post('/trace/clear', async (c) => {
    const form = await formOf(c)
    const refused = refusal(c, 'trace', form) ?? refusal(c, 'support', form)
    if (refused) return refused
    const { line, last } = asked((name) => form[name])
    const note = withoutNumbers(form.note ?? '').trim()
    if (note === '') return troublePage(c, 409, c.get('words').number.noReason, '/desk/trace')
    const trace = service.trace(line, { last, clear: true })
    if (!trace) return c.notFound()
    audit(c, 'trace taken', { line, clear: true, pdus: trace.pdus, note })
    return shown(c, { line, last, text: trace.text(), isClear: true })
  })
  app.get('/trace/pcap', (c) => {
    const { line, last } = asked((name) => c.req.query(name))
    const trace = service.trace(line, { last, clear: false })
    if (!trace) return c.notFound()
    audit(c, 'trace taken', { line, clear: false, pdus: trace.pdus })
    return c.body(new Uint8Array(trace.pcap()), 200, { 'content-type': 'application/vnd.tcpdump.pcap' })
  })
}
