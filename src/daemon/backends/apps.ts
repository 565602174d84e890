/** The applications of the settings: each is a flow, and the back end that the flow calls. */
import { appBackend, type AppDeps, appReplies, type AppReplies } from '../../backend/index.ts'
import { loadContract, type Contract } from '../../backend/contracts/index.ts'
import type { Settings } from '../../config/index.ts'
import { secretIn, UsageError, type Log, type Metrics } from '../../base/index.ts'
import { appFlow, appName, type CompiledFlow } from '../../flow/engine/index.ts'
import { textFlow } from '../../push/index.ts'
import type { Service } from '../../gateway/index.ts'
import type { Spans } from '../../spans/index.ts'
import type { Clock } from '../../ussd/index.ts'

type App = Settings['apps'][string]

/** The services in the form for the gateway: each by its flow. */
export function servicesOf({ services }: Pick<Settings, 'services'>): Service[] {
  return services.map(({ code, lines, flow, app }) => ({
    code,
    flow: app === undefined ? flow! : appName(app),
    ...(lines ? { lines } : {}),
  }))
}

/** One flow per application, and the flow of long texts. Throws ProblemsError if a contract is missing or wrong. */
export function appFlows(settings: Pick<Settings, 'apps' | 'contracts' | 'texts'>): CompiledFlow[] {
  const own = Object.entries(settings.apps).map(([name, app]) => {
    const { mark } = loadContract(app.contract, settings.contracts.dir)
    const holding = app.holding ? { holding: app.holding } : {}
    return appFlow(name, `${app.contract}:${mark}`, { busy: settings.texts.busy, ...holding })
  })
  return [...own, textFlow()]
}

/** Where an application that answers later sends its replies: one port, also while one back end replaces another. */
export interface AppListening {
  print: string
  /** For one back end: closed when the last of them closes its own. */
  lease(): AppReplies
}

export interface AppParts {
  settings: Settings
  clock: Clock
  metrics: Metrics
  log: Log
  spans?: Pick<Spans, 'headers'> | undefined
}

/**
 * The back end of an application, unguarded. `made`: all that it is made of. Throws ProblemsError or UsageError.
 * `isTrial`: its port is not opened.
 */
export function builtApp(name: string, app: App, { settings, clock, metrics, log, spans }: AppParts) {
  const contract = contractOfApp(name, app, settings.contracts.dir)
  const own = settingsOf(app, name)
  const timed = app.patienceMs === undefined ? own : { ...own, timeoutMs: app.patienceMs + settings.late.waitMs }
  const { holding: _holding, ...how } = app

  async function build(before: AppListening | undefined, isTrial: boolean) {
    const listening = await listeningOf(name, app, contract, { metrics, before, isTrial })
    const replies = listening ? { replies: listening.lease() } : {}
    const deps: AppDeps = { clock, counters: metrics, log, traceHeaders: spans?.headers, ...replies }
    return { backend: appBackend(appName(name), contract, timed, deps), listening }
  }

  return { made: [how, own.token, contract.mark], build }
}

/** The contract of an application. Throws ProblemsError or UsageError if the settings do not fit it. */
export function contractOfApp(name: string, { contract: speaks, listen }: App, dir: string | undefined): Contract {
  const contract = loadContract(speaks, dir)
  const { later } = contract
  if (later && !listen) throw new UsageError(`apps.${name}: ${speaks} answers later: set listen: { port: … }`)
  if (!later && listen) throw new UsageError(`apps.${name}.listen: ${speaks} answers at once: remove it`)
  return contract
}

interface ListeningOf {
  metrics: Metrics
  before: AppListening | undefined
  isTrial: boolean
}

/** Throws UsageError if the port cannot be had. */
async function listeningOf(name: string, { listen }: App, { later }: Contract, of: ListeningOf) {
  const { metrics, before, isTrial } = of
  if (!later || !listen) return undefined
  const { field, receipt } = later
  const print = JSON.stringify([listen, field, receipt])
  if (before?.print === print) return before
  const onFull = () => metrics.count('limits_total', { limit: 'app_connections' })
  const replies = appReplies({ ...listen, field, receipt, onFull })
  if (!isTrial) {
    await replies.open().catch((error: NodeJS.ErrnoException) => {
      const place = `${listen.host}:${listen.port}`
      throw new UsageError(`apps.${name}.listen: ${place} cannot be listened on (${error.code})`)
    })
  }
  return shared(print, replies)
}

function shared(print: string, replies: AppReplies): AppListening {
  const leases = new Set<AppReplies>()
  return {
    print,
    lease() {
      const lease = {
        ...replies,
        close: async () => (leases.delete(lease) && leases.size === 0 ? replies.close() : undefined),
      }
      leases.add(lease)
      return lease
    },
  }
}

function settingsOf(app: App, name: string) {
  const {
    tokenFile,
    closeUrl,
    privateNetwork,
    listen: _listen,
    patienceMs: _patience,
    holding: _holding,
    account,
    ...rest
  } = app
  return {
    ...rest,
    ...(closeUrl === undefined ? {} : { closeUrl }),
    ...(privateNetwork === undefined ? {} : { privateNetwork }),
    ...(account === undefined ? {} : { account }),
    ...(tokenFile === undefined ? {} : { token: secretIn(tokenFile, `apps.${name}.tokenFile`) }),
  }
}
