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
  silentLog,
  maskMsisdn,
  createMetrics,
  createLog,
  subscriberHash,
} from '../base/index.ts'
import { loadSettings, type Settings } from '../config/index.ts'
import {
  absentSamples,
  collectRecords,
  configuredModules,
  daemonName,
  groupsOf,
  logKey,
  openStores,
  recordingOf,
  waitingRecords,
} from '../daemon/index.ts'
import { erasePerson, exportSubscriber, type PrivacyDeps } from '../privacy/index.ts'
import { msisdnOf } from '../ussd/index.ts'
import { unreachable } from '../store/index.ts'
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
    const { failed, ...removed } = await erasePerson(parts, msisdn, options.keepOptOut ?? false)
    const { files, ...counts } = removed
    await audit('subscriber erased', { ...counts, files, after: failed.length ? 'partly erased' : 'erased' })
    const notReached = [
      ...(files.length > 0
        ? [`files of mediation that were handed over, with the numbers ${files.join(', ')}: ask who has them`]
        : []),
      ...(parts.waiting
        ? [
            'files for mediation (records.to is files): ask who has those of all daemons; records that waited have the hash',
          ]
        : []),
    ]
    const erased = { subscriber: maskMsisdn(msisdn), ...removed, notReached, notIncluded: NOT_INCLUDED }
    if (options.json) say(asJson(erased))
    else for (const line of erasedLines(erased)) say(line)
    if (failed.length > 0) throw new UsageError(notErased(failed, msisdn))
  })
}

const NOT_INCLUDED =
  'back ends over HTTP, modules that do not report what they keep, backups, Redis and Postgres files until they are rewritten, the SMSC'

function erasedLines(
  erased: Omit<Awaited<ReturnType<typeof erasePerson>>, 'failed'> & { subscriber: string; notReached: string[] },
): string[] {
  const { subscriber, dialogues, modules, deferred, pin, language, records, sms, texts, optOut, notReached } = erased
  return [
    `erased   ${subscriber}`,
    `         ${dialogues} in the dialogue store, ${modules} rows of modules of back ends, ${deferred} deferred answers, ${pin} PINs, ` +
      `${sms} rows of SMS; opt-out: ${optOut}; ${records} call detail records, which billing keeps, have a keyed hash in place of the number; exact texts of ${texts} dialogues`,
    ...notReached.map((what) => `         not reached: ${what}`),
    `         ${language === 0 ? 'no language was' : 'the language was'} chosen`,
    `not included: ${NOT_INCLUDED}`,
  ]
}

/** A module's own words may contain the number. */
function notErased(failed: readonly { backend: string; why: string }[], msisdn: string): string {
  const each = failed.map(({ backend, why }) => `${backend}: ${why.replaceAll(msisdn, maskMsisdn(msisdn))}`)
  return `modules of back ends did not remove what they keep: ${each.join('; ')} (everything else is removed: correct the modules and run the command again)`
}

/** Another hash than that of the log, so that a record is not found by the lines of the log. */
function pseudonymBy(key: Buffer): PrivacyDeps['pseudonym'] {
  return (msisdn) => `erased-${subscriberHash(key, `erased ${msisdn}`)}`
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
      const { sql, knex, dialogues, shelf, owed, openTexts } = stores
      const host = { sql, clock, chance: systemChance, metrics, log }
      const modules = [...(await configuredModules(settings, host)), ...(await absentSamples(settings, host))]
      const { services } = settings
      const groups = groupsOf(settings)
      const collect = () => collectRecords(stores, { settings, clock, log, metrics })
      const pseudonym = pseudonymBy(logKey(settings))
      const waiting = waitingRecords(stores, settings)
      const deps = {
        sql,
        knex,
        openTexts,
        dialogues,
        shelf,
        owed,
        collect,
        waiting,
        pseudonym,
        groups,
        services,
        modules,
        clock,
      }
      await run(deps, msisdn, auditOf(settings, sql, msisdn, audited))
    } finally {
      await stores.close()
    }
  } catch (error) {
    if (error instanceof StoreError)
      throw new UsageError(`dialogue store: ${error.message} (nothing else was changed: run the command again)`)
    const why = unreachable(error, 'postgres')
    throw why ? new UsageError(`Postgres: ${(error as Error).message} (${why.remedy})`) : error
  }
}
