/** The first page: one screen for a wall. */
import type { Hono } from 'hono'
import type { DeskParts } from './desk.ts'
import { overviewBody, overviewParts } from './pages/index.ts'
import type { Entered, WayIn } from './way-in.ts'

export function overviewPages(app: Hono<Entered>, parts: DeskParts, wayIn: WayIn): void {
  const { framed, show, sampler, live } = parts
  const flows = () => parts.flows.flows()
  app.get('/', async (c) => {
    const now = { ...framed(c), sample: await sampler.now(), flows: flows() }
    return show(c, { title: now.words.nav.overview, nav: 'overview', live: '/desk/live', body: overviewBody(now) })
  })
  app.get('/live', (c) =>
    live.serve(c, { wayIn, framed: framed(c), name: 'overview' }, (now) => overviewParts({ ...now, flows: flows() })),
  )
}
