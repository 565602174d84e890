/** `subscriber export` and `subscriber erase`: for requests of a subscriber to the operator. */
import { randomUUID } from 'node:crypto'
import { userInfo } from 'node:os'
import { appendAudit, auditRowOf } from '../audit/index.ts'
import {
  systemChance,
  systemClock,
  type Sql,
  StoreError,
  UsageError,
  packageVersion,
  silentLog,
  maskMsisdn,
  createMetrics,
  createLog,
  subscriberHash,
} from '../base/index.ts'
import { loadSettings, type Settings } from '../config/index.ts'
import {
  absentSamples,
  configuredModules,
  daemonName,
  forgottenByFleet,
  logKey,
  openStores,
  personalDeps,
  recordingOf,
} from '../daemon/index.ts'
import { createFleet } from '../fleet/index.ts'
import {
  auditedErasure,
  erasePerson,
  type Erased,
  ErasureStoppedError,
  exportSubscriber,
  isWhollyErased,
  NOT_ERASED_HERE,
  type PrivacyDeps,
} from '../privacy/index.ts'
import { msisdnOf } from '../ussd/index.ts'
import { NEWEST_FORM, unreachable } from '../store/index.ts'
import { asJson } from './admin.ts'
import type { Say } from './arguments.ts'

export interface SubscriberOptions {
  config: string
  msisdn: string
  keepOptOut?: boolean
  json?: boolean
}

/** `audited`: where the audit line goes. Stdout has what was asked for. */
export async function exportCommand(
  options: SubscriberOptions,
  say: Say,
  audited: Lines = process.stderr,
): Promise<void> {
  await withStores(options, audited, async (parts, msisdn, audit) => {
    const found = await exportSubscriber(parts, msisdn)
    const rows = Object.values(found.tables).reduce((sum, table) => sum + table.length, 0)
    // Before it is handed out: nothing leaves without a line.
    await audit('subscriber exported', { dialogues: found.dialogues.length, rows })
    say(JSON.stringify(found, null, 2))
  })
}

/** The report has the number masked: it may be filed. */
export async function eraseCommand(
  options: SubscriberOptions,
  say: Say,
  audited: Lines = process.stderr,
): Promise<void> {
  await withStores(options, audited, async (parts, msisdn, audit) => {
    const { keepOptOut = false } = options
    const erased = await erasePerson(parts, msisdn, keepOptOut).catch(async (error: unknown) => {
      // To the log in any case; Postgres may be what does not answer.
      if (error instanceof ErasureStoppedError)
        await audit('subscriber erased', { after: 'stopped', at: error.at, isBegun: error.isBegun }).catch(() => {})
      throw error
    })
    await audit('subscriber erased', auditedErasure(erased))
    const { failed: _failed, ...removed } = erased
    const notReached = notReachedBy(erased)
    const said = { subscriber: maskMsisdn(msisdn), ...removed, notReached, notIncluded: NOT_ERASED_HERE }
    if (options.json) say(asJson(said))
    else for (const line of erasedLines(said)) say(line)
    if (!isWhollyErased(erased)) throw new UsageError(notErased(erased, msisdn))
  })
}

function notReachedBy({ files, isInFiles }: Erased): string[] {
  const all =
    'files for mediation (records.to is files): ask who has those of all daemons; records that waited have the hash'
  return [
    ...(files.length > 0
      ? [`files of mediation that were handed over, with the numbers ${files.join(', ')}: ask who has them`]
      : []),
    ...(isInFiles ? [all] : []),
  ]
}

function erasedLines(erased: Omit<Erased, 'failed'> & { subscriber: string; notReached: string[] }): string[] {
  const { subscriber, dialogues, modules, deferred, pin, language, records, sms, texts, optOut, notReached } = erased
  return [
    `erased   ${subscriber}`,
    `         ${dialogues} in the dialogue store, ${modules} rows of modules of back ends, ${deferred} deferred answers, ${pin} PINs, ` +
      `${sms} rows of SMS; opt-out: ${optOut}; ${records} call detail records, which billing keeps, have a keyed hash in place of the number; exact texts of ${texts} dialogues`,
    ...notReached.map((what) => `         not reached: ${what}`),
    `         ${language === 0 ? 'no language was' : 'the language was'} chosen`,
    `not included: ${NOT_ERASED_HERE}`,
  ]
}

/** A module's own words may contain the number. */
function notErased({ failed, daemons }: Erased, msisdn: string): string {
  const each = failed.map(({ backend, why }) => `${backend}: ${why.replaceAll(msisdn, maskMsisdn(msisdn))}`)
  const said = [
    ...(each.length > 0 ? [`modules of back ends did not remove what they keep: ${each.join('; ')}`] : []),
    ...(daemons.length > 0
      ? [`these daemons did not say that answers of back ends are out of their memory: ${daemons.join(', ')}`]
      : []),
  ]
  const remedy = each.length > 0 ? 'correct the modules and run the command again' : 'run the command again'
  return `${said.join('; ')} (everything else is removed: ${remedy})`
}

interface Lines {
  write(line: string): unknown
}

type Noting = (what: string, more: object) => Promise<void>

/** A line like those of the admin server, and a row of the audit, with the hash of the number by which the daemon's log names this subscriber. */
function auditOf(settings: Settings, sql: Sql, msisdn: string, destination: Lines): Noting {
  const key = logKey(settings)
  const log = createLog({ level: 'warn', key, destination })
  const subscriber = subscriberHash(key, msisdn)
  const [who, role, instance] = [operator(), 'shell', daemonName(settings)]
  return async (what, more) => {
    log.warn({ who, role, what, subscriber, ...more }, 'admin audit')
    const row = auditRowOf({ who, role, what, more: { subscriber, ...more } }, key)
    await appendAudit(sql, instance, [
      { id: randomUUID(), at: new Date(systemClock().now()).toISOString(), instance, ...row },
    ])
  }
}

/** Who runs this command: with sudo, who called it. */
function operator(): string {
  const { SUDO_USER } = process.env
  try {
    const { username } = userInfo()
    return SUDO_USER ? `${SUDO_USER} (as ${username})` : username
  } catch {
    // A container whose user has no name.
    return String(process.getuid?.() ?? '-')
  }
}

async function withStores(
  options: SubscriberOptions,
  audited: Lines,
  run: (deps: PrivacyDeps, msisdn: string, audit: Noting) => Promise<void>,
): Promise<void> {
  const msisdn = msisdnOf(options.msisdn)
  if (msisdn === null) throw new UsageError('--msisdn is not an international number such as 67570000001')
  const { settings } = loadSettings(options.config, process.env)
  try {
    const [clock, metrics, log] = [systemClock(), createMetrics({ process: false }), silentLog]
    const recording = recordingOf(settings, '')
    const stores = await openStores({ settings, log, metrics, clock, recording })
    try {
      const { sql } = stores
      const key = logKey(settings)
      const host = { sql, clock, chance: systemChance, metrics, log }
      const modules = [...(await configuredModules(settings, host)), ...(await absentSamples(settings, host))]
      const deps = personalDeps({ settings, stores, modules, key, clock, log, metrics })
      // A command has no daemon of its own: it asks them all.
      const own = { name: '', instance: '', version: packageVersion(), recordForm: NEWEST_FORM }
      const fleet = createFleet<unknown>({ sql, clock, log, counters: metrics, ...own })
      const forget = (number: string) => forgottenByFleet(fleet, number, { by: operator() })
      await run({ ...deps, forget }, msisdn, auditOf(settings, sql, msisdn, audited))
    } finally {
      await stores.close()
    }
  } catch (error) {
    throw toldStop(error)
  }
}

function toldStop(error: unknown): unknown {
  if (error instanceof ErasureStoppedError) {
    const how = error.isBegun ? 'a part may be removed already' : 'nothing was changed'
    const why = error.at === 'Postgres' ? unreachable(error.cause, 'postgres') : undefined
    const remedy = why ? `; ${why.remedy}` : ''
    return new UsageError(`${error.at}: ${error.message} (${how}: run the command again, which does the rest${remedy})`)
  }
  if (error instanceof StoreError) return new UsageError(`dialogue store: ${error.message} (nothing was changed)`)
  const why = unreachable(error, 'postgres')
  return why ? new UsageError(`Postgres: ${(error as Error).message} (${why.remedy})`) : error
}
