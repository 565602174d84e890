/** The pages of services: what is dialled, and the funnel of each flow on its own picture. */
import { isoOf } from '../base/index.ts'
import type { Context, Hono } from 'hono'
import type { Settings } from '../config/index.ts'
import type { DeskParts } from './desk.ts'
import { funnelBody, pageAsked, servicesBody, servicesPart, type ServiceSetting } from './pages/index.ts'
import type { Entered, WayIn } from './way-in.ts'

const DAY_MS = 86_400_000
const REVISION = /^[a-z][a-z0-9-]{0,63}@[0-9a-f]{12}$/
/** More are on the page of releases. */
const REVISIONS_SHOWN = 6

export function servicePages(app: Hono<Entered>, parts: DeskParts, wayIn: WayIn): void {
  const { sampler, live, framed, show, settings } = parts
  const services = () => settings.services.map(serviceOf)
  app.get('/services', async (c) => {
    const now = { ...framed(c), sample: await sampler.now(), services: services() }
    const body = servicesBody(now)
    return show(c, { title: now.words.nav.services, nav: 'services', live: '/desk/services/live', body })
  })
  app.get('/services/live', (c) =>
    live.serve(c, { wayIn, framed: framed(c), name: 'services' }, (now) => ({
      services: servicesPart({ ...now, services: services() }),
    })),
  )
  app.get('/services/:name', (c) => funnelPage(c, parts, c.req.param('name')))
}

/** Two statements: the sums of the funnel, and the source of the revision that is drawn. */
async function funnelPage(c: Context<Entered>, parts: DeskParts, name: string): Promise<Response> {
  const { framed, show, flows } = parts
  const flow = flows.flows().find((one) => one.name === name)
  if (!flow) return c.notFound()
  const now = framed(c)
  const query = (key: string) => c.req.query(key)
  const { fromMs, untilMs } = pageAsked(query, now.nowMs, DAY_MS)
  const asked = query('revision') ?? ''
  const revision = REVISION.test(asked) && asked.startsWith(`${name}@`) ? asked : flow.revision
  const moments = { since: isoOf(Math.min(fromMs, untilMs - 1)), until: isoOf(untilMs) }
  const [source, funnel] = await Promise.all([
    flows.source(name, revision),
    flows.funnel(name, moments).catch(() => undefined),
  ])
  const told = funnel && !('refused' in funnel) ? funnel : undefined
  const svg = source ? await parts.pictures.of({ revision, source }) : undefined
  const seen = told?.revisions.map((one) => one.revision) ?? []
  const others = [flow.revision, ...(flow.canary ? [flow.canary.revision] : []), ...seen, revision]
  const revisions = [...new Set(others)].slice(0, REVISIONS_SHOWN)
  const body = funnelBody({ ...now, name, revision, svg, told, fromMs, untilMs, revisions })
  return show(c, { title: name, nav: 'services', body })
}

function serviceOf(service: Settings['services'][number]): ServiceSetting {
  const { code, lines } = service
  const { flow, app } = service as { flow?: string; app?: string }
  return { code, serves: flow ?? app ?? '', isFlow: flow !== undefined, lines }
}
