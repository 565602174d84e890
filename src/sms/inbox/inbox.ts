/**
 * SMS from subscribers. One SMS is one transaction: its arrival, its effect and its answer are stored together or not
 * at all. So a copy that the SMSC delivers after a crash has no second effect.
 */
import { createHash, randomUUID } from 'node:crypto'
import { type Counters, NEVER_ABORTED, repeating, type Sql, type SqlRunner, statement } from '../../base/index.ts'
import type { Chance, Clock } from '../../ussd/index.ts'
import { ANSWER, ANSWER_ON_SCREEN, type SmsSubject } from '../terms/index.ts'
import { flowWordIn, wishOf } from './keywords.ts'
import { enqueueSms } from '../outbox/index.ts'
import { optIn, optOut } from './opt-out.ts'
import type { SmsInSettings } from '../settings/index.ts'

/** One complete SMS of a subscriber. */
export interface IncomingSms {
  msisdn: string
  line: string
  text: string
  /** The reference that a handset or SMSC gave it: it distinguishes two SMS with the same text. */
  mark: string
  /** The number to which it was written: a short code. */
  to: string
}

/** The result; a metrics label. */
export type IncomingResult = 'repeat' | 'stop' | 'start' | 'help' | 'replied' | 'unknown' | 'word' | 'word-over'

/** By language. The first one serves languages that are not listed. */
export type TextByLanguage = Readonly<Record<string, string>>

/** The settings, without those for long SMS. */
export type IncomingSettings = Omit<SmsInSettings, 'long'>

export interface IncomingDeps {
  sql: Sql
  clock: Clock
  chance: Chance
  counters: Counters
  subjects: readonly SmsSubject[]
  /**
   * Plays a flow to its end, without the subscriber: the text with which it ends. It changes nothing, so it may be
   * played again for a copy. Never rejects. Absent: no word starts a flow.
   */
  play?: ((asked: { word: string; flow: string; msisdn: string; line: string }) => Promise<string>) | undefined
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

/** The last SMS with a subject that reached the SMSC. An answer is about that subject. */
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

/** What an answer is about: part of its subject in the outbox. `hint`: help that nobody asked for. */
type About = 'wish' | 'help' | 'hint' | 'reply' | 'word'

/** An answer of this kind that was owed lately. */
const LATELY = statement<{ id: string }>(
  'sms-answered-lately',
  `
  SELECT id FROM sms_outbox
  WHERE msisdn = :msisdn AND kind = :kind AND subject LIKE :about AND created_at > CAST(:since AS timestamptz)
  LIMIT 1`,
)

const ANSWERED = statement(
  'sms-answered',
  `
  UPDATE sms_outbox SET answered = :what WHERE id = CAST(:id AS bigint)`,
)

/** How many answers of flows a subscriber was owed lately. */
const WORDS_LATELY = statement<{ n: number }>(
  'sms-words-lately',
  `
  SELECT CAST(count(*) AS int) AS n FROM sms_outbox
  WHERE msisdn = :msisdn AND kind IN ('${ANSWER}', '${ANSWER_ON_SCREEN}') AND subject LIKE '%:word:%'
    AND created_at > CAST(:since AS timestamptz)`,
)

const HOUR_MS = 3_600_000

/** Durable when it resolves, so acknowledge the PDU only then. Rejects if Postgres is unreachable. */
export async function takeSms(deps: IncomingDeps, sms: IncomingSms): Promise<IncomingResult> {
  const { sql, clock, chance } = deps
  // Before the transaction: a back end may take seconds, and a connection is not held for that.
  const said = await wordOf(deps, sms)
  if (said === 'over') return 'word-over'
  return repeating(() => sql.transaction((trx) => taking(deps, trx, sms, said)), {
    clock,
    chance,
    signal: NEVER_ABORTED,
  })
}

interface WordAnswer {
  text: string
  kind: string
}

/** What the flow of this word says. Undefined: it starts none. Over: the subscriber has asked too often. */
async function wordOf(deps: IncomingDeps, sms: IncomingSms): Promise<WordAnswer | 'over' | undefined> {
  const { sql, clock, counters, settings, play } = deps
  const word = flowWordIn(sms, settings.words)
  if (!word || !play) return undefined
  const { msisdn, line } = sms
  const [lately] = await WORDS_LATELY(sql, { msisdn, since: new Date(clock.now() - HOUR_MS) })
  if (lately!.n >= settings.wordsPerHour) {
    counters.count('limits_total', { limit: 'sms_words' })
    return 'over'
  }
  const kind = word.answer === 'screen' ? ANSWER_ON_SCREEN : ANSWER
  return { kind, text: await play({ word: word.word, flow: word.flow, msisdn, line }) }
}

async function taking(
  deps: IncomingDeps,
  trx: SqlRunner,
  sms: IncomingSms,
  said: WordAnswer | undefined,
): Promise<IncomingResult> {
  const { clock, settings } = deps
  const { texts } = settings
  const nowMs = clock.now()
  const since = new Date(nowMs - settings.copyMs)
  const [seen] = await SEEN(trx, { msisdn: sms.msisdn, digest: digestOf(sms), now: new Date(nowMs), since })
  if (!seen) return 'repeat'
  const wish = wishOf(sms.text, settings.keywords)
  switch (wish.is) {
    case 'stop': {
      const service = wish.all ? '' : serviceAt(sms.to, settings.services)
      if (await optOut(trx, { msisdn: sms.msisdn, service }, nowMs))
        await answerOnce(deps, trx, sms, { about: 'wish', texts: service ? texts.stoppedOne : texts.stopped })
      return 'stop'
    }
    case 'start': {
      const service = wish.all ? '' : serviceAt(sms.to, settings.services)
      if (await optIn(trx, { msisdn: sms.msisdn, service }, nowMs))
        await answerOnce(deps, trx, sms, { about: 'wish', texts: texts.started })
      return 'start'
    }
    case 'help':
      await answerOnce(deps, trx, sms, { about: 'help', texts: texts.help })
      return 'help'
    case 'words': {
      if (said) {
        await owe(deps, trx, sms, { about: 'word', ...said })
        return 'word'
      }
      if (await reply(deps, trx, sms, wish.words)) return 'replied'
      const isTime = (seen.helped_at?.getTime() ?? 0) <= nowMs - settings.helpEveryMs
      if (isTime && (await answer(deps, trx, sms, { about: 'hint', texts: texts.help }))) {
        await HELPED(trx, { msisdn: sms.msisdn, now: new Date(nowMs) })
      }
      return 'unknown'
    }
  }
}

/** The service whose number that is; '' for a number of all of them. */
function serviceAt(to: string, services: IncomingSettings['services']): string {
  const digits = to.replace(/^\+/, '')
  return Object.entries(services).find(([, { numbers }]) => numbers.includes(digits))?.[0] ?? ''
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
  await owe(deps, trx, sms, { about: 'reply', text: done.text })
  return true
}

interface Answer {
  about: About
  texts: TextByLanguage
}

/** At most one answer of its kind within a time: alternating STOP and START would cost an SMS each time. */
async function answerOnce(deps: IncomingDeps, trx: SqlRunner, sms: IncomingSms, one: Answer): Promise<void> {
  const since = new Date(deps.clock.now() - deps.settings.answerEveryMs)
  const about = `${ANSWER}:${one.about}:%`
  const [lately] = await LATELY(trx, { msisdn: sms.msisdn, kind: ANSWER, about, since })
  if (!lately) await answer(deps, trx, sms, one)
}

/** Enqueues a text in the subscriber's language. False if there is none. */
async function answer(
  deps: IncomingDeps,
  trx: SqlRunner,
  sms: IncomingSms,
  { about, texts }: Answer,
): Promise<boolean> {
  let language: string | null = null
  for (const subject of deps.subjects) language ??= await subject.languageOf(trx, sms.msisdn)
  const text = (language === null ? undefined : texts[language]) ?? Object.values(texts)[0]
  if (text) await owe(deps, trx, sms, { about, text })
  return text !== undefined
}

/** In spite of an opt-out: the subscriber has just asked. */
function owe(
  { clock }: IncomingDeps,
  trx: SqlRunner,
  { msisdn, line }: IncomingSms,
  { about, text, kind = ANSWER }: { about: About; text: string; kind?: string },
): Promise<void> {
  return enqueueSms(trx, { id: `${about}:${randomUUID()}`, kind, msisdn, line, text }, clock)
}

function digestOf({ text, mark }: IncomingSms): string {
  return createHash('sha256').update(`${mark}\n${text}`).digest('base64url').slice(0, 22)
}
