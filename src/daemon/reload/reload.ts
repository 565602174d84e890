/**
 * New settings while the daemon runs. Everything is read, built and checked first: with a fault anywhere, nothing has
 * changed. Then each part takes what is its own. What needs a restart is named with the reason (ways.ts).
 */
import type { ReloadBegun, Reloaded } from '../../admin/index.ts'
import { ProblemsError, UsageError, type Metrics } from '../../base/index.ts'
import type { Settings } from '../../config/index.ts'
import type { Service } from '../../gateway/index.ts'
import { longestResponseMs } from '../../sms/index.ts'
import { isCodeOld, servicesOf, type Backends, type BackendsChange } from '../backends/index.ts'
import type { ServedFlows } from '../flows.ts'
import type { ServedIngress } from '../ingress.ts'
import type { Lines } from '../lines/index.ts'
import type { StoreTls } from '../stores/index.ts'
import { changedSettings, type ChangedSettings } from './changed.ts'
import { reloadWayOf } from './ways.ts'

export interface ReloadDeps {
  settings: Settings
  lines: Pick<Lines, 'plan' | 'apply' | 'settled'>
  backends: Pick<Backends, 'prepare'>
  flows: Pick<ServedFlows, 'prepare'>
  storeTls: StoreTls
  ingress: Pick<ServedIngress, 'lookAtTokens'>
  /** The proxy that signs people in at the desk. */
  deskProxy: { prepare(next: Settings): { changed: readonly string[]; commit(): void } }
  /** As the gateway has them: the list itself changes. */
  services: Service[]
  log: { level: string }
  metrics: Pick<Metrics, 'count'>
  /** Reads the settings again, with all checks. */
  read: () => Settings
}

export interface SettingsReload {
  /** Rejects with ProblemsError or UsageError; then nothing has changed. */
  reload(): Promise<ReloadBegun>
  /** What a reload would do now. It touches no bind, no store and no port. Rejects as `reload` does. */
  check(): Promise<Reloaded>
}

export function createReload(deps: ReloadDeps): SettingsReload {
  const leasedMs = longestResponseMs(deps.settings.lines)
  let last: Promise<unknown> = Promise.resolve()

  /** One after the other, so that what was asked for last holds. */
  function inTurn<T>(run: () => Promise<T>): Promise<T> {
    const done = last.then(run)
    last = done.catch(() => undefined)
    return done
  }

  return {
    reload: () =>
      inTurn(async () => {
        try {
          const begun = await reloaded(deps, leasedMs)
          deps.metrics.count('settings_reloads_total', { result: 'taken' })
          return begun
        } catch (error) {
          deps.metrics.count('settings_reloads_total', { result: 'refused' })
          throw error
        }
      }),
    check: () =>
      inTurn(async () => {
        const { told, backends } = await prepared(deps, leasedMs, true)
        await backends.abandon()
        return told
      }),
  }
}

async function reloaded(deps: ReloadDeps, leasedMs: number): Promise<ReloadBegun> {
  const { settings, lines, services, log } = deps
  const { next, told, backends, flows, tls, proxy } = await prepared(deps, leasedMs, false)
  // First, because it is the only one that could still fail: a file of a line may be another one by now.
  const change = await orAbandon(backends, async () => lines.apply(next.lines))
  const refused = lines.settled()
  backends.commit()
  const report = await flows.commit()
  tls.commit()
  proxy.commit()
  services.splice(0, services.length, ...servicesOf(next))
  if (next.log.level !== settings.log.level) log.level = next.log.level
  putInForce(settings, next)
  deps.ingress.lookAtTokens()
  const problems = report.problems.map(({ where, what }) => `${where}: ${what}`)
  return { told: { ...told, ...change, problems }, refused }
}

const OLD_CODE = 'its file is another one now, and code is loaded once'

async function prepared(deps: ReloadDeps, leasedMs: number, isTrial: boolean) {
  const { settings, storeTls } = deps
  const next = deps.read()
  requireLease(next, leasedMs)
  const lines = deps.lines.plan(next.lines)
  const changed = changedSettings(settings, next)
  const tls = storeTls.prepare(next)
  const proxy = deps.deskProxy.prepare(next)
  const backends = await deps.backends.prepare(next, { isTrial })
  const flows = await orAbandon(backends, () => deps.flows.prepare(next, backends))
  for (const setting of [...tls.changed, ...proxy.changed, ...backends.changed]) noteFile(changed, setting)
  for (const [name, how] of Object.entries(next.backends))
    if ('module' in how && isCodeOld(how))
      changed.needRestart.push({ setting: `backends.${name}.module`, why: OLD_CODE })
  const told: Reloaded = { ...lines, applied: changed.taken, needRestart: changed.needRestart, problems: [] }
  return { next, told, backends, flows, tls, proxy }
}

/** Its setting is the same, and a file that it names is not. */
function noteFile({ taken }: ChangedSettings, setting: string): void {
  if (taken.some((one) => one.setting === setting || one.setting.startsWith(`${setting}.`))) return
  const { way, why } = reloadWayOf(setting.replace(/^(backends|apps)\..*/, '$1.NAME'))!
  taken.push({ setting, what: 'changed', way, why: `the content of its files; ${why}` })
}

async function orAbandon<T>(backends: BackendsChange, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    await backends.abandon()
    throw error
  }
}

function requireLease({ lines }: Settings, leasedMs: number): void {
  const slow = lines.find((line) => line.timers.responseMs > leasedMs)
  if (!slow || !lines.some(({ sms }) => sms)) return
  throw new ProblemsError('lines', [
    {
      where: `lines.${slow.name}.timers.responseMs`,
      what: `${slow.timers.responseMs} is longer than reminders.leaseMs (${leasedMs})`,
      remedy: 'restart the daemon, or set a smaller value',
    },
  ])
}

/** What is read each time that it is needed. The lists and groups themselves change, because others hold them. */
function putInForce(settings: Settings, next: Settings): void {
  settings.services.splice(0, settings.services.length, ...next.services)
  settings.backends = next.backends
  settings.apps = next.apps
  Object.assign(settings.texts, next.texts)
  settings.log.level = next.log.level
  const { openMax, turnsMax } = next.dialogue
  Object.assign(settings.dialogue, { openMax, turnsMax })
  if (settings.door && next.door) {
    const { tokens, tokenFile } = next.door
    Object.assign(settings.door, { tokens, tokenFile })
  }
  settings.admin.desk = next.admin.desk
  settings.admin.trustedProxy = next.admin.trustedProxy
  settings.embeddedInProduction = next.embeddedInProduction
}

/** A reader for a daemon that got its settings directly, not from a file. */
export function noFile(): never {
  throw new UsageError('this daemon was started without a settings file: there is nothing to reload')
}
