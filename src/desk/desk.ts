/**
 * The desk: pages for operators, under /desk of the admin server. They are made here and work without script; with it,
 * parts of them are made again each second. Everything is behind the way in; what is looked at needs `read`.
 */
import { Hono, type Context } from 'hono'
import {
  withoutNumbers,
  type AdminService,
  type DaemonState,
  type FleetService,
  type FlowService,
  type Token,
} from '../admin/index.ts'
import { packageVersion, type Counters, type Log, type Sql } from '../base/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Settings } from '../config/index.ts'
import type { Fleet } from '../fleet/index.ts'
import { createPictures, type Pictures } from '../flow/pictures/index.ts'
import type { FlowEvents, LineEvents } from '../watch/index.ts'
import type { Clock } from '../ussd/index.ts'
import { deskHeaders, entering, ownPagesOnly, speaking, troublePage, troublePages } from './around.ts'
import { deskFiles } from './files.ts'
import { alarmPages } from './alarm-pages.ts'
import { linePages } from './line-pages.ts'
import { createLive, type Live } from './live.ts'
import { numberPages } from './number-pages.ts'
import { overviewPages } from './overview-pages.ts'
import { settingsPages, tracePages } from './plain-pages.ts'
import { releasePages } from './release-pages.ts'
import { servicePages } from './service-pages.ts'
import { smsPages } from './sms-pages.ts'
import { page, type Framed, type PageText } from './pages/index.ts'
import type { TrustedProxy } from './proxy.ts'
import { createSampler, type Sampler } from './sample.ts'
import { isSame } from './session.ts'
import { createSignOuts, deskKey } from './sign-outs.ts'
import { may, type DeskRole } from './visitor.ts'
import { auditLine, createWayIn, isOwnPage, type Entered, type WayIn } from './way-in.ts'

export interface DeskDeps {
  settings: Settings
  tokens: readonly Token[]
  sql: Sql
  clock: Clock
  counters: Counters
  log: Log
  fleet: Pick<Fleet<DaemonState>, 'name' | 'known' | 'own'>
  fleetService: Pick<FleetService, 'change'>
  flows: FlowService
  lineEvents: Pick<LineEvents, 'within'>
  flowEvents: Pick<FlowEvents, 'within'>
  service: AdminService
  /** Kept in Postgres. */
  audit: Pick<Audit, 'note'>
  proxy: TrustedProxy
  /** Of this daemon, at most as old as the pages are. */
  state(): Promise<DaemonState>
  demo?: DeskDemo | undefined
}

/** The demo lets in everybody on this machine, and shows the desk in a page beside the phone. */
export interface DeskDemo {
  /** The origin of that page. */
  framedBy: string
}

export interface Desk {
  app: Hono<Entered>
  stop(): void
}

/** What the pages of the desk are made with. */
export interface DeskParts extends Omit<DeskDeps, 'audit'> {
  /** Of the fleet. */
  key: string
  pictures: Pictures
  withoutNumbers(note: string): string
  sampler: Sampler
  live: Live
  framed(c: Context<Entered>): Framed
  /** Answers with a page of the desk. */
  show(c: Context<Entered>, text: Omit<PageText, 'instances'>): Promise<Response>
  /** Undefined: the form is one of ours and the visitor has the role. Otherwise: the answer. */
  refusal(
    c: Context<Entered>,
    role: DeskRole,
    form: Partial<Record<string, string>>,
  ): Response | Promise<Response> | undefined
  audit(c: Context<Entered>, what: string, more: object): void
}

export async function createDesk(deps: DeskDeps): Promise<Desk> {
  const { settings, clock, sql, log } = deps
  const startedAt = new Date(clock.now()).toISOString()
  const { host, port } = settings.admin
  const own = { version: packageVersion(), node: process.versions.node, admin: `${host}:${port}`, startedAt }
  const sampler = createSampler({ ...deps, own })
  const signOuts = createSignOuts(deps)
  const key = await deskKey(sql)
  const pictures = createPictures(clock)
  const wayIn = createWayIn({
    settings: settings.admin,
    tokens: deps.tokens,
    proxy: deps.proxy,
    key,
    signOuts,
    isOpenHere: deps.demo !== undefined,
    now: clock.now,
    counters: deps.counters,
    log,
    audit: auditLine(deps),
  })
  const live = createLive({ sampler, clock })
  const made = { key, pictures, withoutNumbers, sampler, live }
  const parts: DeskParts = { ...deps, ...made, ...showing({ ...deps, sampler }) }
  return {
    app: deskApp(parts, wayIn),
    stop() {
      live.stop()
      pictures.stop()
      sampler.stop()
      signOuts.stop()
    },
  }
}

function showing({ fleet, log, audit: kept, sampler, clock }: DeskDeps & { sampler: Sampler }) {
  const framed = (c: Context<Entered>): Framed => ({
    ...c.get('saying'),
    nowMs: clock.now(),
    visitor: c.get('visitor'),
    daemon: fleet.name,
    version: packageVersion(),
  })
  const write = auditLine({ log, audit: kept })
  const audit: DeskParts['audit'] = (c, what, more) => write(c.get('visitor'), what, more)
  return {
    framed,
    audit,
    async show(c: Context<Entered>, text: Omit<PageText, 'instances'>) {
      const { instances } = await sampler.now()
      return c.html(page(framed(c), { ...text, instances }))
    },
    refusal(c: Context<Entered>, role: DeskRole, form: Partial<Record<string, string>>) {
      const { enter } = c.get('words')
      const visitor = c.get('visitor')
      const isOurs = isOwnPage(c) && isSame(form.form ?? '', visitor.secret)
      if (isOurs && may(visitor, role)) return undefined
      audit(c, `${c.req.method} refused`, isOurs ? { needs: role } : { why: 'not from a page of the desk' })
      return troublePage(c, 403, isOurs ? enter.lacks(role) : enter.foreign)
    },
  }
}

function deskApp(parts: DeskParts, wayIn: WayIn): Hono<Entered> {
  const app = new Hono<Entered>().basePath('/desk')
  deskHeaders(app, parts.demo?.framedBy)
  deskFiles(app)
  app.use(speaking(parts))
  app.use(ownPagesOnly(wayIn, parts.counters))
  app.route('/', wayIn.routes())
  app.use(entering(wayIn))
  for (const routes of DESK_ROUTES) routes(app, parts, wayIn)
  troublePages(app, parts.log)
  return app
}

export const DESK_ROUTES = [
  overviewPages,
  linePages,
  numberPages,
  servicePages,
  smsPages,
  releasePages,
  tracePages,
  alarmPages,
  settingsPages,
]
