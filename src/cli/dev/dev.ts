/** `dev`: a phone in the browser on the flows that a designer writes. No network, no daemon and no store are needed. */
import { existsSync, statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { ProblemsError, type Sql, systemClock, UsageError } from '../../base/index.ts'
import type { Settings } from '../../config/index.ts'
import { loadScreenTypes } from '../../flow/read/index.ts'
import { type PageServer, startPageServer } from '../../simulator/index.ts'
import { remindersSchema } from '../../sms/settings/index.ts'
import { migrate } from '../../store/postgres/index.ts'
import type { Clock } from '../../ussd/index.ts'
import type { Say } from '../arguments.ts'
import { connectDatabase } from '../database.ts'
import { flowsAt } from '../flows/flows.ts'
import { freeOr } from '../smsc/free-port.ts'
import { backendsOf, type SettingsBackends } from '../flows/settings-backends.ts'
import { type CheckedSettings, settingsChecked } from '../check/settings-check.ts'
import { untilSignal } from '../smsc/simulate.ts'
import { Answers } from './answers.ts'
import { FlowEntries, type WatchedFlow } from './entries.ts'
import { designerPages } from './pages.ts'
import { DesignerPhone } from './phone.ts'
import { createPictures } from '../../flow/pictures/index.ts'
import { recordedTalks } from './talks.ts'
import { designerView } from './view.ts'

export interface DevOptions {
  config?: string
  httpPort?: number
  plugin?: string[]
}

/** The port if none is given, and if it is free. */
const PORT = 8081
/** How long back ends may take to close after Ctrl-C. */
const CLOSE_MS = 3_000

export async function devCommand(path: string | undefined, options: DevOptions, say: Say): Promise<void> {
  const signal = untilSignal()
  const clock = systemClock()
  const dev = await startDev(path, { ...options, clock })
  if (!signal.aborted) {
    say(
      `\n  Open ${dev.url}/ : a phone on the flows in ${dev.folder}. Save a file, and the page has it. Ctrl-C ends it.\n`,
    )
    if (dev.count === 0) say(`  There is no flow yet: ussd-connector flow new NAME --dir ${dev.folder}\n`)
    await new Promise((done) => signal.addEventListener('abort', done, { once: true }))
  }
  clock.after(CLOSE_MS, () => process.exit(0))
  await dev.stop()
  process.exit(0)
}

export interface Dev {
  url: string
  folder: string
  /** How many flows the folder had at the start. */
  count: number
  stop(): Promise<void>
}

export async function startDev(path: string | undefined, options: DevOptions & { clock: Clock }): Promise<Dev> {
  const { clock, config, plugin = [] } = options
  const told: Partial<CheckedSettings> = config === undefined ? {} : await settingsChecked(config)
  const { settings, problems = [], modules = [] } = told
  if (config !== undefined && !settings) throw new ProblemsError(config, problems)
  const { folder, only } = await folderAt(path ?? settings?.flows.dir ?? './flows')
  const types = await loadScreenTypes([...(settings?.flows.plugins ?? []), ...plugin])
  const { zone } = settings?.reminders ?? remindersSchema.parse({})
  const moment = { nowMs: clock.today(), zone }
  const codes = new Codes(settings, folder)
  const real = new RealBackends(settings, clock, () => pages.changed())
  const answers = new Answers({ folder, clock, real: () => real.connected })
  const phone = new DesignerPhone({
    answers,
    clock,
    services: () => entries.all.map(({ name, compilation }) => ({ code: codes.of(name), name, compilation })),
    onChange: () => pages.changed(),
    onOver: () => void real.connected.then((backends) => backends?.dialogueOver()),
  })
  const entries = new FlowEntries({
    folder,
    only,
    checking: { types, moment, settings, isSound: problems.length === 0, modules },
    clock,
    onChange(flow?: WatchedFlow) {
      if (flow?.compilation) void phone.changed(flow.name, flow.compilation)
      pages.changed()
    },
  })
  const backends = () => real.told
  const view = designerView({
    folder,
    entries,
    phone,
    answers,
    codeOf: (name) => codes.of(name),
    backends,
    settings: problems,
  })
  const pictures = createPictures(clock)
  const pages = designerPages({ entries, phone, answers, pictures, view })
  await entries.start()
  const server = await served(options.httpPort, pages.routes).catch((error: unknown) => {
    entries.stop()
    throw error
  })
  real.connect()
  return {
    url: server.url,
    folder,
    count: entries.all.length,
    async stop() {
      entries.stop()
      pages.stop()
      pictures.stop()
      await server.stop()
      await (await real.connected)?.close()
    },
  }
}

async function served(
  port: number | undefined,
  routes: Parameters<typeof startPageServer>[0]['routes'],
): Promise<PageServer> {
  return startPageServer({ port: port ?? (await freeOr(PORT)), routes }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error
    throw new UsageError(`port ${port} is in use: give another one with --http-port, or leave it out for a free one`)
  })
}

/** A folder; or a flow file, which is then the only flow. */
async function folderAt(path: string): Promise<{ folder: string; only?: string }> {
  if (!existsSync(path)) {
    const folder = /\.ya?ml$/.test(path) ? dirname(path) : path
    throw new UsageError(`there is no ${path} (a first flow in it: ussd-connector flow new NAME --dir ${folder})`)
  }
  if (statSync(path).isDirectory()) return { folder: path.replace(/(?<=.)\/+$/, '') }
  const [flow] = await flowsAt(path)
  return { folder: dirname(path), only: flow?.name ?? basename(path) }
}

/** The service codes: those of the settings, else of the talks beside the flow, else free ones from `*101#` on. */
class Codes {
  private readonly settings: Settings | undefined
  private readonly folder: string
  private readonly given = new Map<string, string>()

  constructor(settings: Settings | undefined, folder: string) {
    this.settings = settings
    this.folder = folder
  }

  of(name: string): string {
    const own = this.settings?.services.find(({ flow }) => flow === name)?.code
    const code = own ?? this.given.get(name) ?? this.next(name)
    if (own === undefined) this.given.set(name, code)
    return code
  }

  private next(name: string): string {
    const taken = new Set([...(this.settings?.services ?? []).map(({ code }) => code), ...this.given.values()])
    const { code } = recordedTalks(this.folder, name)
    if (code !== '' && !taken.has(code)) return code
    for (let n = 101; ; n++) if (!taken.has(`*${n}#`)) return `*${n}#`
  }
}

/** The back ends of the settings. Connecting to a database may take a while: the page does not wait for it. */
class RealBackends {
  connected: Promise<SettingsBackends | undefined> = Promise.resolve(undefined)
  told = { text: 'Recorded or synthetic answers: no settings are given (--config).', isBad: false }
  private readonly settings: Settings | undefined
  private readonly clock: Clock
  private readonly onChange: () => void

  constructor(settings: Settings | undefined, clock: Clock, onChange: () => void) {
    this.settings = settings
    this.clock = clock
    this.onChange = onChange
  }

  connect(): void {
    const { settings } = this
    if (!settings) return
    this.told = { text: 'Connecting to the back ends of the settings …', isBad: false }
    this.connected = this.reached(settings).then(
      (backends) => {
        if (!this.told.isBad)
          this.told = { text: `Real back ends, which really act: ${namesOf(backends)}.`, isBad: false }
        this.onChange()
        return backends
      },
      (error: Error) => {
        this.told = { text: `No back end of the settings can be used: ${error.message}`, isBad: true }
        this.onChange()
        return undefined
      },
    )
  }

  /** Modules need the database. Without it the others are used. */
  private async reached(settings: Settings): Promise<SettingsBackends> {
    const { clock } = this
    const { backends } = settings
    const modules = Object.keys(backends).filter((name) => 'module' in backends[name]!)
    if (modules.length === 0) return backendsOf(settings, clock, NO_DATABASE)
    try {
      return await backendsOf(settings, clock, await databaseOf(settings))
    } catch (error) {
      const others = Object.fromEntries(Object.entries(backends).filter(([name]) => !modules.includes(name)))
      const real = await backendsOf({ ...settings, backends: others }, clock, NO_DATABASE)
      const said = `${modules.join(', ')}: recorded or synthetic answers. Real: ${namesOf(real)}`
      this.told = { text: `${(error as Error).message}. ${said}.`, isBad: true }
      return real
    }
  }
}

/** An embedded database gets its tables here, as a daemon would make them. */
async function databaseOf(settings: Settings): Promise<Awaited<ReturnType<typeof connectDatabase>>> {
  const postgres = await connectDatabase(settings)
  if (settings.postgres !== 'embedded') return postgres
  await migrate(postgres.knex).catch(async (error: unknown) => {
    await postgres.close()
    throw error
  })
  return postgres
}

const namesOf = ({ names }: SettingsBackends) => names.join(', ') || 'none'

const refuse = () => Promise.reject(new UsageError('there is no database'))
const NO_DATABASE = {
  sql: { run: refuse, transaction: refuse } as unknown as Sql,
  close: () => Promise.resolve(),
}
