/**
 * SMS from subscribers. One SMS is one transaction: that it came, what it does, and its answer are stored together or
 * not at all. So a copy that the SMSC delivers after a crash does nothing twice.
 */
import { createHash, randomUUID } from 'node:crypto'
import { type Counters, repeating, type Sql, type SqlRunner, statement } from '../../base/index.ts'
import type { Chance, Clock } from '../../ussd/index.ts'
import { wishOf } from './keywords.ts'
import { enqueueSms, ANSWER, type SmsSubject } from '../outbox/index.ts'
import { optIn, optOut } from './opt-out.ts'
import type { SmsInSettings } from '../settings/index.ts'

/** One SMS of a subscriber, whole. */
export interface IncomingSms {
  msisdn: string
  line: string
  text: string
  /** The reference that a handset or SMSC gave it: it distinguishes two SMS with the same text. */
  mark: string
}

/** The result; a metrics label. */
export type IncomingResult = 'repeat' | 'stop' | 'start' | 'help' | 'replied' | 'unknown'

/** By language. The first one serves languages that are not listed. */
export type TextByLanguage = Readonly<Record<string, string>>

/** Without what only long SMS need. */
export type IncomingSettings = Omit<SmsInSettings, 'long'>

export interface IncomingDeps {
  sql: Sql
  clock: Clock
  chance: Chance
  counters: Counters
  subjects: readonly SmsSubject[]
  settings: IncomingSettings
}

/** False: a copy. The row is locked until the transaction ends, so copies that arrive together wait for each other. */
const SEEN = statement<{ helped_at: Date | null }>(
  'sms-seen',
  `
  INSERT INTO sms_incoming AS seen (msisdn, digest, received_at)
  VALUES (:msisdn, :digest, CAST(:now AS timestamptz))
  ON CONFLICT (msisdn) DO UPDATE SET digest = excluded.digest, received_at = excluded.received_at
  WHERE seen.digest <> excluded.digest OR seen.received_at <= CAST(:since AS timestamptz)
  RETURNING helped_at`,
)

/** The last SMS with a subject that reached the SMSC: an answer is about that subject. */
const LAST = statement<{ id: string; subject: string }>(
  'sms-last',
  `
  SELECT id, subject FROM sms_outbox
  WHERE msisdn = :msisdn AND submitted_at > CAST(:since AS timestamptz) AND kind = 'reminder'
    AND state IN ('submitting', 'ambiguous', 'accepted', 'delivered')
  ORDER BY submitted_at DESC, id DESC LIMIT 1`,
)

const HELPED = statement(
  'sms-helped',
  `
  UPDATE sms_incoming SET helped_at = CAST(:now AS timestamptz) WHERE msisdn = :msisdn`,
)

const ANSWERED = statement(
  'sms-answered',
  `
  UPDATE sms_outbox SET answered = :what WHERE id = CAST(:id AS bigint)`,
)

/** Durable when it resolves, so acknowledge the PDU only then. Rejects when Postgres is away. */
export async function takeSms(deps: IncomingDeps, sms: IncomingSms): Promise<IncomingResult> {
  const { sql, clock, chance } = deps
  return repeating(() => sql.transaction((trx) => taking(deps, trx, sms)), {
    clock,
    chance,
    signal: AbortSignal.any([]),
  })
}

async function taking(deps: IncomingDeps, trx: SqlRunner, sms: IncomingSms): Promise<IncomingResult> {
  const { clock, settings } = deps
  const nowMs = clock.now()
  const since = new Date(nowMs - settings.copyMs)
  const [seen] = await SEEN(trx, { msisdn: sms.msisdn, digest: digestOf(sms), now: new Date(nowMs), since })
  if (!seen) return 'repeat'
  const wish = wishOf(sms.text, settings.keywords)
  switch (wish.is) {
    case 'stop':
      if (await optOut(trx, sms.msisdn, nowMs)) await answer(deps, trx, sms, settings.texts.stopped)
      return 'stop'
    case 'start':
      if (await optIn(trx, sms.msisdn)) await answer(deps, trx, sms, settings.texts.started)
      return 'start'
    case 'help':
      await answer(deps, trx, sms, settings.texts.help)
      return 'help'
    case 'words': {
      if (await reply(deps, trx, sms, wish.words)) return 'replied'
      const isTime = (seen.helped_at?.getTime() ?? 0) <= nowMs - settings.helpEveryMs
      if (isTime && (await answer(deps, trx, sms, settings.texts.help))) {
        await HELPED(trx, { msisdn: sms.msisdn, now: new Date(nowMs) })
      }
      return 'unknown'
    }
  }
}

/** True if the words answer the last reminder, as the service that wrote it understands them. */
async function reply(deps: IncomingDeps, trx: SqlRunner, sms: IncomingSms, words: string): Promise<boolean> {
  const since = new Date(deps.clock.now() - deps.settings.replyMs)
  const [last] = await LAST(trx, { msisdn: sms.msisdn, since })
  const [name = '', id = ''] = last?.subject.split(':') ?? []
  const subject = deps.subjects.find((one) => one.name === name)
  if (!last || !subject) return false
  const about = { id, msisdn: sms.msisdn, words, intention: `sms:${last.id}`, todayMs: deps.clock.today() }
  const done = await subject.reply(trx, about)
  if (!done) return false
  await ANSWERED(trx, { id: last.id, what: done.what })
  await owe(deps, trx, sms, done.text)
  return true
}

/** Writes a text in the language of the subscriber to the outbox; false if there is none. */
async function answer(deps: IncomingDeps, trx: SqlRunner, sms: IncomingSms, wording: TextByLanguage): Promise<boolean> {
  let language: string | null = null
  for (const subject of deps.subjects) language ??= await subject.languageOf(trx, sms.msisdn)
  const text = (language === null ? undefined : wording[language]) ?? Object.values(wording)[0]
  if (text) await owe(deps, trx, sms, text)
  return text !== undefined
}

/** In spite of an opt-out: the subscriber has just asked. */
function owe({ clock }: IncomingDeps, trx: SqlRunner, { msisdn, line }: IncomingSms, text: string): Promise<void> {
  return enqueueSms(trx, { id: randomUUID(), kind: ANSWER, msisdn, line, text }, clock)
}

function digestOf({ text, mark }: IncomingSms): string {
  return createHash('sha256').update(`${mark}\n${text}`).digest('base64url').slice(0, 22)
}
