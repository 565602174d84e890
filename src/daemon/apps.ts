/** The applications of the settings: each a flow, and the back end that the flow calls. */
import { readFileSync } from 'node:fs'
import { appBackend, type AppDeps, appReplies, type AppReplies, type Backend } from '../backend/index.ts'
import { loadContract, type Contract } from '../backend/contracts/index.ts'
import type { Settings } from '../config/index.ts'
import { UsageError, type Log, type Metrics } from '../base/index.ts'
import { appFlow, appName, type CompiledFlow } from '../flow/engine/index.ts'
import { textFlow } from '../push/index.ts'
import type { Service } from '../gateway/index.ts'
import type { Clock } from '../ussd/index.ts'

type App = Settings['apps'][string]

/** The services as the gateway knows them: each by its flow. */
export function servicesOf(settings: Settings): Service[] {
  return settings.services.map(({ code, lines, flow, app }) => ({
    code,
    flow: app === undefined ? flow! : appName(app),
    ...(lines ? { lines } : {}),
  }))
}

/**
 * One flow an application, and the one of long texts. Throws ProblemsError on a contract that is not there or not
 * right.
 */
export function appFlows(settings: Settings): CompiledFlow[] {
  const own = Object.entries(settings.apps).map(([name, app]) => {
    const { mark } = loadContract(app.contract, settings.contracts.dir)
    const holding = app.holding ? { holding: app.holding } : {}
    return appFlow(name, `${app.contract}:${mark}`, { busy: settings.texts.busy, ...holding })
  })
  return [...own, textFlow()]
}

/** One back end an application, unguarded, with how many requests it may have at once. */
export async function appBackends(parts: {
  settings: Settings
  clock: Clock
  metrics: Metrics
  log: Log
}): Promise<{ backend: Backend; concurrent: number; patienceMs?: number | undefined }[]> {
  const { settings, clock, metrics, log } = parts
  return Promise.all(
    Object.entries(settings.apps).map(async ([name, app]) => {
      const contract = loadContract(app.contract, settings.contracts.dir)
      const desk = deskOf(name, app, contract, metrics)
      await desk?.open()
      const how: AppDeps = { clock, counters: metrics, log, ...(desk ? { desk } : {}) }
      const { concurrent, patienceMs } = app
      const timed = {
        ...settingsOf(app, name),
        ...(patienceMs === undefined ? {} : { timeoutMs: patienceMs + settings.late.waitMs }),
      }
      return { backend: appBackend(appName(name), contract, timed, how), concurrent, patienceMs }
    }),
  )
}

function deskOf(
  name: string,
  { listen, contract: speaks }: App,
  { later }: Contract,
  metrics: Metrics,
): AppReplies | undefined {
  if (later && !listen) throw new UsageError(`apps.${name}: ${speaks} answers later: set listen: { port: … }`)
  if (!later && listen) throw new UsageError(`apps.${name}.listen: ${speaks} answers at once: remove it`)
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
    ...rest
  } = app
  return {
    ...rest,
    ...(closeUrl === undefined ? {} : { closeUrl }),
    ...(privateNetwork === undefined ? {} : { privateNetwork }),
    ...(tokenFile === undefined ? {} : { token: tokenOf(tokenFile, `apps.${name}.tokenFile`) }),
  }
}

function tokenOf(file: string, place: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new UsageError(`${place}: ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}
