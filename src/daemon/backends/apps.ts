/** The applications of the settings: each is a flow, and the back end that the flow calls. */
import { appBackend, type AppDeps, appReplies, type AppReplies, type Backend } from '../../backend/index.ts'
import { loadContract, type Contract } from '../../backend/contracts/index.ts'
import type { Settings } from '../../config/index.ts'
import { secretIn, UsageError, type Log, type Metrics } from '../../base/index.ts'
import { appFlow, appName, type CompiledFlow } from '../../flow/engine/index.ts'
import { textFlow } from '../../push/index.ts'
import type { Service } from '../../gateway/index.ts'
import type { Clock } from '../../ussd/index.ts'

type App = Settings['apps'][string]

/** The services in the form for the gateway: each by its flow. */
export function servicesOf(settings: Settings): Service[] {
  return settings.services.map(({ code, lines, flow, app }) => ({
    code,
    flow: app === undefined ? flow! : appName(app),
    ...(lines ? { lines } : {}),
  }))
}

/** One flow per application, and the flow of long texts. Throws ProblemsError if a contract is missing or wrong. */
export function appFlows(settings: Settings): CompiledFlow[] {
  const own = Object.entries(settings.apps).map(([name, app]) => {
    const { mark } = loadContract(app.contract, settings.contracts.dir)
    const holding = app.holding ? { holding: app.holding } : {}
    return appFlow(name, `${app.contract}:${mark}`, { busy: settings.texts.busy, ...holding })
  })
  return [...own, textFlow()]
}

/** One back end per application, unguarded, with how many requests it may have at once. */
export async function appBackends(parts: {
  settings: Settings
  clock: Clock
  metrics: Metrics
  log: Log
}): Promise<{ backend: Backend; concurrent: number; patienceMs?: number | undefined }[]> {
  const { settings, clock, metrics, log } = parts
  return Promise.all(
    Object.entries(settings.apps).map(async ([name, app]) => {
      const contract = contractOfApp(name, app, settings.contracts.dir)
      const replies = repliesOf(app, contract, metrics)
      await replies?.open()
      const how: AppDeps = { clock, counters: metrics, log, ...(replies ? { replies } : {}) }
      const { concurrent, patienceMs } = app
      const timed = {
        ...settingsOf(app, name),
        ...(patienceMs === undefined ? {} : { timeoutMs: patienceMs + settings.late.waitMs }),
      }
      return { backend: appBackend(appName(name), contract, timed, how), concurrent, patienceMs }
    }),
  )
}

/** The contract of an application. Throws ProblemsError or UsageError if the settings do not fit it. */
export function contractOfApp(name: string, { contract: speaks, listen }: App, dir: string | undefined): Contract {
  const contract = loadContract(speaks, dir)
  const { later } = contract
  if (later && !listen) throw new UsageError(`apps.${name}: ${speaks} answers later: set listen: { port: … }`)
  if (!later && listen) throw new UsageError(`apps.${name}.listen: ${speaks} answers at once: remove it`)
  return contract
}

function repliesOf({ listen }: App, { later }: Contract, metrics: Metrics): AppReplies | undefined {
  return (
    later &&
    listen &&
    appReplies({
      ...listen,
      field: later.field,
      receipt: later.receipt,
      onFull: () => metrics.count('limits_total', { limit: 'app_connections' }),
    })
  )
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
