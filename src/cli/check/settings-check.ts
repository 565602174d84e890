/**
 * What `check --config` says of the settings: all for which `run` would refuse them, with lines. Nothing is started:
 * no SMSC, no store and no back end is connected to.
 */
import {
  createMetrics,
  didYouMean,
  ProblemsError,
  type Problem,
  silentLog,
  type Sql,
  systemChance,
  systemClock,
  UsageError,
} from '../../base/index.ts'
import { readSettings, type Settings } from '../../config/index.ts'
import {
  contractOfApp,
  declaredBy,
  type LoadedModule,
  loadModule,
  pinPepperOf,
  profileDirs,
  smsCallable,
  tlsOf,
} from '../../daemon/index.ts'
import { tokensOf } from '../../admin/index.ts'
import type { FlowProblem } from '../../flow/check/index.ts'
import { type DeclaredBackend, flowNames, loadScreenTypes } from '../../flow/read/index.ts'
import { loadDialect } from '../../smpp/dialect/index.ts'

export interface CheckedSettings {
  /** Absent: they cannot be read at all. */
  settings?: Settings
  problems: FlowProblem[]
  modules: readonly LoadedModule[]
  /** What modules say themselves of their operations. */
  declared: readonly DeclaredBackend[]
  /** The back ends that a flow may name. Undefined: nobody says. */
  backends: readonly string[] | undefined
}

/** The back ends that a flow may name. Undefined: nobody says. */
export const knownBackends = (settings: Settings | undefined): readonly string[] | undefined =>
  settings && [...Object.keys(settings.backends), ...smsCallable(settings)]

export async function settingsChecked(file: string): Promise<CheckedSettings> {
  const { settings, problems, where } = readSettings(file, process.env)
  const backends = knownBackends(settings)
  if (!settings) return { problems: problems.map(asError), modules: [], declared: [], backends }
  const modules: LoadedModule[] = []
  const told = new Set(problems.map((problem) => problem.where))
  for (const { path, run } of attemptsOf(settings, modules)) {
    if (told.has(where(path))) continue
    try {
      await run()
    } catch (error) {
      problems.push(...problemsOf(error as Error, where(path)))
    }
  }
  problems.push(...(await serviceProblems(settings, where)))
  const all = problems.map(asError)
  return { settings, problems: all, modules, declared: declaredBy(modules), backends }
}

const asError = (problem: Problem): FlowProblem => ({ severity: 'error', rule: 'settings', ...problem })

/** A problem that names no line is at the setting that led to it. */
function problemsOf(error: Error, where: string): Problem[] {
  if (!(error instanceof ProblemsError)) return [{ where, what: error.message }]
  return error.problems.map((problem) => (/:\d+(:\d+)?$/.test(problem.where) ? problem : { ...problem, where }))
}

interface Attempt {
  /** The setting. */
  path: PropertyKey[]
  run: () => unknown
}

/** `modules` gets those that were loaded. */
function attemptsOf(settings: Settings, modules: LoadedModule[]): Attempt[] {
  const { admin, contracts, dialects, flows, lines, postgres, privacy, redis } = settings
  const attempts: Attempt[] = []
  const add = (path: PropertyKey[], run: () => unknown) => void attempts.push({ path, run })
  for (const [i, { dialect, smsc }] of lines.entries()) {
    add(['lines', i, 'dialect'], () => loadDialect(dialect, profileDirs(dialects)))
    if (smsc.tls) add(['lines', i, 'smsc', 'tls'], () => tlsOf(smsc.tls!, 'smsc.tls'))
  }
  for (const [name, store] of Object.entries({ redis, postgres }))
    if (store !== 'embedded' && store.tls) add([name, 'tls'], () => tlsOf(store.tls!, `${name}.tls`))
  for (const [name, how] of Object.entries(settings.backends)) {
    if ('module' in how)
      add(['backends', name, 'module'], async () =>
        modules.push({ name, module: await loadModule(name, how, hostOf(settings)) }),
      )
  }
  for (const [name, app] of Object.entries(settings.apps)) {
    add(['apps', name, 'contract'], () => contractOfApp(name, app, contracts.dir))
  }
  add(['admin', 'tokensFile'], () => tokensOf(admin.tokensFile))
  add(['privacy', 'storeKeyFile'], () => pinPepperOf({ privacy }))
  add(['flows', 'plugins'], async () => loadScreenTypes(flows.plugins))
  return attempts
}

/** What a module gets while it is only looked at: it may build its operations, and reach nothing. */
function hostOf(settings: Settings): Parameters<typeof loadModule>[2] {
  const refuse = (): never => {
    throw new UsageError('a module must not use the database before it is called')
  }
  return {
    settings,
    sql: { run: refuse, transaction: refuse } as unknown as Sql,
    clock: systemClock(),
    chance: systemChance,
    metrics: createMetrics({ process: false }),
    log: silentLog,
  }
}

/** Services whose flow does not exist. What is wrong with flows that exist, their own check says. */
async function serviceProblems(settings: Settings, where: (path: PropertyKey[]) => string): Promise<Problem[]> {
  const { dir } = settings.flows
  const names: string[] = await flowNames(dir).catch(() => [])
  return settings.services.flatMap(({ code, flow }, i) => {
    if (flow === undefined || names.includes(flow)) return []
    const what = `service ${code}: there is no flow '${flow}' in ${dir}`
    const remedy = didYouMean(flow, names) ?? `add ${dir}/${flow}.yaml`
    return [{ where: where(['services', i, 'flow']), what, remedy }]
  })
}
