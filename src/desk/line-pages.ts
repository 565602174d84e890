/** The pages of lines, and what can be done to one. */
import type { Hono } from 'hono'
import type { FleetCommand } from '../fleet/index.ts'
import { troublePage } from './around.ts'
import type { DeskParts } from './desk.ts'
import {
  html,
  lineBody,
  linePart,
  linesBody,
  linesPart,
  pageAsked,
  pagedRows,
  ROWS_SHOWN,
  dayStrip,
} from './pages/index.ts'
import { formOf, type Entered, type WayIn } from './way-in.ts'
import type { Context } from 'hono'

const DAYS_MS = 90 * 86_400_000
/** For the strip of 90 days: a line that flapped through a night has some thousands. */
const DAYS_EVENTS_MAX = 2_000
/** As many signs as a text of a dial that is turned away may have. */
const HOLD_TEXT_MAX = 182

type LineDeed = 'stop' | 'start' | 'hold' | 'release'

const NAME = /^[a-z][a-z0-9-]{0,63}$/

export function linePages(app: Hono<Entered>, parts: DeskParts, wayIn: WayIn): void {
  const { sampler, lineEvents, framed, show, live } = parts
  const now = async (c: Context<Entered>) => ({ ...framed(c), sample: await sampler.now() })

  app.get('/lines', async (c) => {
    const { nav } = c.get('words')
    return show(c, { title: nav.lines, nav: 'lines', live: '/desk/lines/live', body: linesBody(await now(c)) })
  })
  app.get('/lines/live', (c) =>
    live.serve(c, { wayIn, framed: framed(c), name: 'lines' }, (all) => ({ lines: linesPart(all) })),
  )
  app.post('/lines/reload', (c) => change(c, parts, { what: 'lines-reload' }, '/desk/lines'))
  app.post('/lines/:line/:what{stop|start|hold|release}', (c) => {
    const { line, what } = c.req.param()
    return change(c, parts, { what: `line-${what as LineDeed}`, line }, `/desk/lines/${line}`)
  })
  app.get('/lines/:line', async (c) => {
    const line = c.req.param('line')
    if (!NAME.test(line)) return c.notFound()
    const all = await now(c)
    const asked = pageAsked((name) => c.req.query(name), all.nowMs, DAYS_MS)
    const daysFromMs = all.nowMs - DAYS_MS
    const [days, rows] = await Promise.all([
      lineEvents.within({ line, fromMs: daysFromMs, untilMs: all.nowMs, before: null, most: DAYS_EVENTS_MAX }),
      lineEvents.within({ line, ...asked, most: ROWS_SHOWN + 1 }),
    ])
    const history = pagedRows(`/desk/lines/${line}`, asked, rows, (row) => row)
    const body = lineBody({ ...all, line, days, daysFromMs, isWhole: days.length < DAYS_EVENTS_MAX, history })
    return show(c, { title: `${all.words.lines.line} ${line}`, nav: 'lines', live: `/desk/lines/${line}/live`, body })
  })
  app.get('/lines/:line/live', (c) => {
    const line = c.req.param('line')
    return live.serve(c, { wayIn, framed: framed(c), name: `line ${line}` }, (all) => ({
      line: linePart({ ...all, line }),
      strip: dayStrip(
        all.sample.outages.list.filter((one) => one.line === line),
        all,
      ),
    }))
  })
}

/** In one daemon or in all; then the page is shown again. */
async function change(c: Context<Entered>, parts: DeskParts, command: FleetCommand, back: string): Promise<Response> {
  const form = await formOf(c)
  const refused = parts.refusal(c, 'operate', form)
  if (refused) return refused
  const text = form.text?.trim().slice(0, HOLD_TEXT_MAX)
  const whole = command.what === 'line-hold' ? { ...command, text: text ? text : null } : command
  const done = await parts.fleetService.change(whole, form.instance ?? 'all', c.get('visitor').name)
  parts.sampler.changed()
  if (done.audit) parts.audit(c, done.what, done.audit)
  if (done.status < 400) return c.redirect(back, 303)
  const { error, problems = [] } = done.body as { error?: string; problems?: string[] }
  const why = html`${c.get('words').act.failed} ${error ?? done.status}
    <ul>
      ${problems.map((problem) => html`<li>${problem}</li>`)}
    </ul>`
  return troublePage(c, 409, why, back)
}
