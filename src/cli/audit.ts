/** `audit` and `audit verify`: who did what, and whether the record of it is whole. */
import { auditRowOf, auditSince, verifyAudit, type AuditRow, type ChainVerdict } from '../audit/index.ts'
import { systemClock, UsageError } from '../base/index.ts'
import { loadSettings, type Settings } from '../config/index.ts'
import { logKey } from '../daemon/index.ts'
import { msisdnOf } from '../ussd/index.ts'
import { durationMsOf } from '../sms/terms/index.ts'
import { asJson } from './admin.ts'
import type { Say } from './arguments.ts'
import { connectDatabase } from './database.ts'
import { tableOf } from './table.ts'

export interface AuditOptions {
  config: string
  since: string
  last: number
  who?: string
  msisdn?: string
  json?: boolean
}

export async function auditCommand(options: AuditOptions, say: Say): Promise<void> {
  const { config, who = '', last: most } = options
  const { settings } = loadSettings(config, process.env)
  const since = sinceOf(options.since, systemClock().now())
  const subscriber = hashFor(settings, options.msisdn)
  const database = await connectDatabase(settings)
  const rows = await auditSince(database.sql, { since, who, subscriber, most }).finally(() => database.close())
  // Oldest first, as things happened.
  const shown = rows.toReversed().map(toldRow)
  if (options.json) return say(asJson(shown))
  if (shown.length === 0) return say(`nothing since ${since.toISOString()}`)
  say(tableOf(HEAD, shown.map(columnsOf)).join('\n'))
  if (rows.length === most) say(`only the newest ${most}: --last shows more`)
}

/** `--since`: so long ago, or a moment. */
function sinceOf(written: string, nowMs: number): Date {
  const ms = durationMsOf(written)
  const at = ms === null ? Date.parse(written) : nowMs - ms
  if (Number.isNaN(at)) throw new UsageError(`--since '${written}' is neither a duration such as 24h or 7d, nor a date`)
  return new Date(at)
}

/** By the key of this machine: a daemon with another key has other hashes. */
function hashFor(settings: Settings, written: string | undefined): string {
  if (written === undefined) return ''
  const msisdn = msisdnOf(written)
  if (msisdn === null) throw new UsageError('--msisdn is not an international number such as 67570000001')
  return auditRowOf({ who: '', role: '', what: '', more: { msisdn } }, logKey(settings)).subscriber!
}

const HEAD = ['AT', 'DAEMON', 'WHO', 'ROLE', 'WHAT', 'SUBSCRIBER', 'DETAIL']

function toldRow({ at, instance, seq, who, role, what, subscriber, detail, hash }: AuditRow) {
  return { at, instance, seq, who, role, what, subscriber, detail: JSON.parse(detail) as object, hash }
}

/** A token that may do everything has a long list of roles. */
const ROLE_WIDTH = 24

function columnsOf({ at, instance, who, role, what, subscriber, detail }: ReturnType<typeof toldRow>): string[] {
  const roles = role.length > ROLE_WIDTH ? `${role.slice(0, ROLE_WIDTH)}…` : role
  const said = Object.entries(detail).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  return [at, instance, who, roles, what, subscriber ?? '-', said.join(' ')]
}

/** True: every chain is whole. */
export async function verifyCommand(
  { config, head: heads = [], json }: { config: string; head?: string[]; json?: boolean },
  say: Say,
): Promise<boolean> {
  const { settings } = loadSettings(config, process.env)
  const told = heads.map(headIn)
  const database = await connectDatabase(settings)
  const verdicts = await verifyAudit(database.sql, told).finally(() => database.close())
  if (json) say(asJson(verdicts))
  else if (verdicts.length === 0) say('the audit is empty')
  else say(tableOf(VERDICT_HEAD, verdicts.map(verdictRow)).join('\n'))
  return verdicts.every(({ fault }) => fault === undefined)
}

/** As the log line `audit head` has them. */
function headIn(written: string) {
  const [, instance, seq, hash] = /^(\S+),(\d{1,15}),([0-9a-f]{64})$/.exec(written) ?? []
  if (!instance) throw new UsageError(`--head '${written}' is not CHAIN,SEQ,HASH, as a log line 'audit head' has them`)
  return { instance, seq: Number(seq), hash: hash! }
}

const VERDICT_HEAD = ['CHAIN', 'IS', 'ROWS', 'FROM', 'TO', 'HEAD', 'WHY']

function verdictRow({ instance, rows, from, to, head, begunAt, fault }: ChainVerdict): string[] {
  const begun = begunAt === null ? '' : `older rows were removed as the retention says, last at ${begunAt}`
  const is = fault === undefined ? 'whole' : 'BROKEN'
  return [instance, is, String(rows), String(from), String(to), head || '-', fault ?? begun]
}
