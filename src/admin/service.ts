/** The functions behind the admin routes: they show and change a running daemon. None of them shows a text. */
import { capAccount, type ConfiguredLine, type Settings } from '../config/index.ts'
import type { DialogueRecord, DialogueStore } from '../dialogue/index.ts'
import { createRates, type LogLevel, type LogLevels, ProblemsError, type Subsystem, UsageError } from '../base/index.ts'
import type { Gateway } from '../gateway/index.ts'
import {
  WrongClockError,
  type NotifyRequest,
  type Push,
  type PushLimits,
  type PushOutcome,
  type PushRequest,
} from '../push/index.ts'
import type { BindDown, BindRow } from '../smpp/index.ts'
import type { SmsAnswer, SmsAsker, SmsRequest, SmsRequests } from '../sms/requests/index.ts'
import type { TestDialRow, TestDials } from '../test-dials/index.ts'
import type { ListedSms, ListedState, Retried, SmsOperator, SmsPlace } from '../sms/operator/index.ts'
import { type Replacing } from '../sms/outbox/index.ts'
import { durationMsOf, smsReason } from '../sms/terms/index.ts'
import { MOMENT_FORMS, momentBackMs } from './moments.ts'
import { type ErasingDeps, subscriberErasing } from './erasing.ts'
import { type StoriesDeps, subscriberStories } from './subscriber-stories.ts'
import type { TraceAsked } from '../tools/recorder/index.ts'
import type { Alarms, LineEvents, SilenceRow, Silences } from '../watch/index.ts'

/** The running lines, as an operator sees and changes them. */
export interface OperatedLines {
  /** Undefined: the line is stopped, or does not exist. */
  get(name: string): object | undefined
  /** Also lines that are stopped (no binds) or closing. */
  states(): Record<string, BindState[]>
  /** Of the lines that have a cap, by their names. */
  /** By account: of a line on its own, its name. */
  caps(): ReadonlyMap<string, CapState>
  /** Unbinds a line in order, until `resume` or a restart. False: there is no line of this name. */
  halt(name: string): boolean
  resume(name: string): boolean
}

/** In the form for people and programs: `since` in ISO 8601, the reasons beside the rest. */
export type BindState = Omit<BindRow, 'since' | 'down' | 'nextMs'> &
  Partial<BindDown> & { since: string; next?: string }

/** The cap of a line (`submits.perSecond`), and what this daemon has of it. */
export interface CapState {
  perSecond: number
  /** What this daemon may send a second now; 0: it asks when it has something to send. */
  share: number
  /** What it sent within the last second. */
  used: number
  /** Requests that wait for it. */
  waiting: number
  /** How many daemons shared it when this one asked last. */
  daemons: number
  /** The store did not answer: the last share goes on. */
  isAway: boolean
  /** The account whose lines share it, if the settings name one. */
  account?: string
}

/** Why a line could not be bound with its new settings. */
export interface LineRefusal extends BindDown {
  line: string
  /** The host:port that was tried. */
  peer: string
}

/** Names of lines. */
export interface LinesChange {
  added: string[]
  changed: string[]
  /** Of the changed ones, those that need a new bind: it is tried first. The others keep their binds. */
  rebound: string[]
  removed: string[]
  kept: string[]
}

/** A setting that is in force now. */
export interface SettingTaken {
  /** `backends.wallet`, `texts.busy`, `services *123#` */
  setting: string
  what: 'added' | 'changed' | 'removed'
  /** How it is taken, and what that means for dialogues in flight: see src/daemon/reload/ways.ts. */
  way: string
  why: string
}

/** A setting that differs from what is in force, and why only a restart takes it. */
export interface SettingWaiting {
  setting: string
  why: string
}

export interface Reloaded extends LinesChange {
  applied: SettingTaken[]
  needRestart: SettingWaiting[]
  /** Of flows that were read again: what stands in the way of their files. */
  problems: string[]
}

/** `refused` resolves when each line that is tried has a verdict. */
export interface ReloadBegun {
  told: Reloaded
  refused: Promise<LineRefusal[]>
}

/** `refused`: lines that changed in the file but could not bind, so they keep their old settings. */
export type LinesReloaded = Reloaded & { refused: LineRefusal[] }

/** New dials on a line are turned away. What is open goes on, and so do SMS and pushes. */
export interface LineHold {
  /** ISO 8601. */
  since: string
  by: string
  /** Instead of `texts.busy`. */
  text: string | null
}

/** What went over a line lately: PDUs a second. */
export interface LineTraffic {
  received: number
  sent: number
  /** Of ours: refused, without an answer in time, or lost with the link. */
  failed: number
  /** Of 100 answers of the SMSC, 95 took at most so long. Absent: there was none. */
  p95Ms?: number
  /** Of the windows of all bound links. */
  slots: number
  taken: number
}

export interface LineRow extends Pick<ConfiguredLine, 'name' | 'dialect'> {
  group: string
  /** An operator stopped it; until it is started again, or the daemon is. */
  stopped: boolean
  /** Absent: it takes dials. */
  held?: LineHold
  binds: BindState[]
  /** Absent: the line has none. */
  cap?: CapState
  /** Absent: the line is stopped, or the daemon is of an earlier release. */
  traffic?: LineTraffic
}

/** `flow`: `dental@9f2c01ab77de`; '' during the first turn. */
export interface DialogueSummary extends Pick<
  DialogueRecord,
  'line' | 'epoch' | 'status' | 'turn' | 'openedMs' | 'touchedMs' | 'ended'
> {
  group: string
  msisdn: string
  flow: string
}

/** `wakeAt`: when it leaves; null where it has left. `submittedAt` null: it has not been sent. */
export interface SmsSummary extends Pick<
  ListedSms,
  'id' | 'msisdn' | 'kind' | 'owner' | 'state' | 'line' | 'parts' | 'attempts' | 'status'
> {
  dueAt: string
  wakeAt: string | null
  submittedAt: string | null
  settledAt: string | null
  /** Why it is so, in words; '' where nothing is to be explained. */
  reason: string
}

export interface SmsListAsked {
  state: ListedState
  since: string | undefined
  until: string | undefined
  cursor: string | undefined
  limit: number
}

export interface ReasonCount {
  /** In words. */
  reason: string
  n: number
}

export interface TraceTold {
  pdus: number
  /** As a capture file, or as a listing. */
  pcap(): Buffer
  text(): string
}

export interface AdminServiceDeps extends StoriesDeps, ErasingDeps {
  settings: Settings
  holds: {
    of(line: string): LineHold | undefined
    hold(line: string, hold: LineHold): void
    release(line: string): boolean
  }
  levels: LogLevels
  now(): number
  /** For the history of the line. */
  onHold(line: string, what: 'held' | 'released'): void
  /** The groups of dialogues. They change when lines change. */
  groups(): string[]
  dialogues: Pick<DialogueStore, 'find' | 'standing'>
  lines: OperatedLines
  gateway: Pick<Gateway, 'end'>
  push: Push
  pushLimits: PushLimits
  /** The last PDUs of a line. Null: there is no such line. */
  trace(line: string, asked: TraceAsked): TraceTold | null
  lineEvents: Pick<LineEvents, 'of'>
  watch: { alarms: Pick<Alarms, 'rows' | 'test'>; silences: Silences }
  testDials: Pick<TestDials, 'rows' | 'dial'>
  sms: { replacing: Replacing; operator: SmsOperator }
  requests: SmsRequests
  clock: { now(): number }
  /** The language that a subscriber chose. */
  chosenLanguage(msisdn: string): Promise<string | null>
  /** What back ends answered about this subscriber goes out of memory, here. */
  forgetAnswers(msisdn: string): void
  /** Rejects with ProblemsError or UsageError. */
  reload(): Promise<ReloadBegun>
  /** What it would do. */
  checkReload(): Promise<Reloaded>
}

/** Requests at once, after a rest: those of a morning's batch job. */
const SMS_BURST = 500
const TOKENS_MAX = 1_000

/** The cap of a line, if it has one: that of its account. */
function capOf(line: ConfiguredLine, caps: ReadonlyMap<string, CapState>): { cap?: CapState } {
  const { perSecond, account } = line.submits
  const cap = perSecond === undefined ? undefined : caps.get(capAccount(line))
  return cap ? { cap: { ...cap, ...(account === undefined ? {} : { account }) } } : {}
}

export type AdminService = ReturnType<typeof createAdminService>

export function createAdminService(deps: AdminServiceDeps) {
  const { dialogues, gateway, push, sms } = deps
  return {
    /** The dialogues of one MSISDN, at most one per line group; open ones and tombstones. */
    async dialogues(msisdn: string): Promise<DialogueSummary[]> {
      const found = await Promise.all(deps.groups().map((group) => dialogues.find({ group, msisdn })))
      return found.filter((record) => record !== null).map(summaryOf)
    },
    /** Ends it with a text. Null: no dialogue was open. */
    async endDialogue(group: string, msisdn: string): Promise<DialogueSummary | null> {
      const ended = await gateway.end({ group, msisdn })
      return ended && summaryOf(ended)
    },
    /**
     * Shows a flow's first screen, or a text, to a subscriber who has not dialled. Or why this daemon pushes nothing.
     */
    push: (asked: PushRequest | NotifyRequest) => pushed(push, asked),
    /** Whether this token may push this now. Undefined: it may. */
    mayPush: deps.pushLimits.take,
    trace: deps.trace,
    /** Replaces the text of one of them. Resolves with the outcome (docs/SMS.md). */
    replaceSms: (id: string, text: string) => sms.replacing.replace(id, text),
    ...askedSms(deps),
    ...operatedSms(deps),
    ...subscriberStories(deps),
    ...subscriberErasing(deps),
    forgetAnswers: deps.forgetAnswers,
    ...watched(deps),
    ...testDialling(deps),
    ...changedLines(deps),
    /** The level of the log, and what was set otherwise for a while. */
    logLevels: () => deps.levels.rows(),
    setLogLevel: (asked: LogAsked) => raisedLog(deps.levels, asked),
    resetLog: () => deps.levels.reset(),
  }
}

/** A level of the log for a while; with `msisdn`, everything about one subscriber. */
export interface LogAsked {
  level: LogLevel
  subsystem: Subsystem | 'all'
  msisdn: string | null
  minutes: number
}

const MINUTE_MS = 60_000

/** False: too many subscribers are followed. */
function raisedLog(levels: LogLevels, { level, subsystem, msisdn, minutes }: LogAsked): boolean {
  if (msisdn !== null) return levels.follow(msisdn, minutes * MINUTE_MS)
  levels.raise(subsystem, level, minutes * MINUTE_MS)
  return true
}

/** The lines, and what changes them. */
function changedLines(deps: AdminServiceDeps) {
  const { settings, lines } = deps
  return {
    lines(): LineRow[] {
      const [states, caps] = [lines.states(), lines.caps()]
      return settings.lines.map((line) => {
        const { name, group = name, dialect } = line
        const stopped = lines.get(name) === undefined
        const held = deps.holds.of(name)
        const binds = states[name] ?? []
        return { name, group, dialect, stopped, ...(held ? { held } : {}), binds, ...capOf(line, caps) }
      })
    },
    /** False: there is no line of this name. */
    haltLine: (name: string) => lines.halt(name),
    resumeLine: (name: string) => lines.resume(name),
    /** New dials are turned away until `releaseLine`, also after a restart. False: there is no line of this name. */
    holdLine(name: string, { by, text }: Pick<LineHold, 'by' | 'text'>): boolean {
      if (!settings.lines.some((line) => line.name === name)) return false
      deps.holds.hold(name, { since: new Date(deps.now()).toISOString(), by, text })
      deps.onHold(name, 'held')
      return true
    },
    releaseLine(name: string): boolean {
      if (deps.holds.release(name)) deps.onHold(name, 'released')
      return settings.lines.some((line) => line.name === name)
    },
    /**
     * Reads the settings again and changes the lines. Resolves when each changed line is either in force or refused.
     */
    reload: (): Promise<LinesReloaded | { problem: string }> =>
      orProblem(async () => {
        const { told, refused: trying } = await deps.reload()
        const { changed, ...result } = told
        const refused = await trying
        return { ...result, changed: changed.filter((name) => !refused.some(({ line }) => line === name)), refused }
      }),
    /** What a reload would do now. */
    checkReload: () => orProblem(deps.checkReload),
  }
}

async function orProblem<T>(run: () => Promise<T>): Promise<T | { problem: string }> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof ProblemsError || error instanceof UsageError) return { problem: error.message }
    throw error
  }
}

/** Test dials: the last of the schedule, and those that an operator asks for. */
function testDialling({ settings, testDials }: AdminServiceDeps) {
  return {
    testDials: (): TestDialRow[] => testDials.rows(),
    /** Or why there is nothing to dial. */
    async dialTest(asked: { line?: string | undefined; service?: string | undefined }) {
      const { line } = asked
      if (line !== undefined && !settings.lines.some(({ name }) => name === line))
        return { refused: `there is no line '${line}'` }
      return { dials: await testDials.dial(asked) }
    },
  }
}

/** Silences longer than a week are forgotten, and then nobody is woken. */
const SILENCE_MS_MAX = 7 * 86_400_000

/** Alarms, silences, and the history of lines. */
function watched({ settings, lineEvents, watch: { alarms, silences } }: AdminServiceDeps) {
  return {
    /** The newest events of one line, of all daemons. */
    lineEvents: (line: string, most: number) => lineEvents.of(line, most),
    silences: (): SilenceRow[] => silences.rows(),
    testAlarm: () => alarms.test(),
    /** Nobody is woken for this line (null: for anything) so long, in any daemon. */
    async silence({ line, for: written, ...more }: { line: string | null; for: string; by: string; note: string }) {
      const ms = durationMsOf(written)
      if (ms === null || ms === 0 || ms > SILENCE_MS_MAX)
        return { refused: `for: '${written}' is not a duration up to a week, such as 30m, 2h or 1d` }
      if (line !== null && !settings.lines.some(({ name }) => name === line))
        return { refused: `there is no line '${line}'` }
      return silences.begin({ line, ms, ...more })
    },
    endSilence: (id: string) => silences.end(id),
  }
}

async function pushed(push: Push, asked: PushRequest | NotifyRequest): Promise<PushOutcome | { refused: string }> {
  try {
    return await ('flow' in asked ? push.push(asked) : push.notify(asked))
  } catch (error) {
    if (error instanceof WrongClockError) return { refused: error.message }
    throw error
  }
}

function summaryOf(record: DialogueRecord): DialogueSummary {
  const { key, line, epoch, status, revision, turn, openedMs, touchedMs, ended } = record
  return {
    group: key.group,
    msisdn: key.msisdn,
    line,
    epoch,
    status,
    flow: revision,
    turn,
    openedMs,
    touchedMs,
    ended,
  }
}

/** SMS of any owner, as an operator sees and changes them. */
function operatedSms({ settings, sms: { operator }, clock }: AdminServiceDeps) {
  return {
    /** The newest SMS of one subscriber. */
    smsOf: async (msisdn: string): Promise<SmsSummary[]> => (await operator.of(msisdn)).map(smsSummaryOf),
    /** SMS in one state, page by page. */
    async listSms({ state, since, until, cursor, limit }: SmsListAsked) {
      const by = { zone: settings.reminders.zone, nowMs: clock.now() }
      const [sinceMs, untilMs] = [since, until].map((at) => (at === undefined ? null : momentBackMs(at, by)))
      if (since !== undefined && sinceMs === null) return { refused: `since: '${since}' is not ${MOMENT_FORMS}` }
      if (until !== undefined && untilMs === null) return { refused: `until: '${until}' is not ${MOMENT_FORMS}` }
      const after = cursor === undefined ? null : placeOf(cursor)
      if (after === undefined) return { refused: 'cursor: not one of ours: give the `next` of the page before' }
      const { sms, next } = await operator.page({ state, sinceMs: sinceMs!, untilMs: untilMs!, after, limit })
      return { sms: sms.map(smsSummaryOf), next: next && cursorOf(next) }
    },
    /** Why the newest that failed did, in words, the most frequent reason first. */
    async smsFailedFor(asked: { sinceMs: number | null; untilMs: number | null }): Promise<ReasonCount[]> {
      const rows = await operator.failedFor(asked)
      const sums = new Map<string, number>()
      for (const { n, ...why } of rows) {
        const reason = smsReason({ state: 'failed', attempts: 1, ...why })
        sums.set(reason, (sums.get(reason) ?? 0) + n)
      }
      return [...sums].map(([reason, n]) => ({ reason, n }))
    },
    /** How deep the outbox is, as it was looked at last. Null: nobody has looked yet. */
    smsDepth: () => operator.depth(),
    /** `for`: it is of use for so long from now on. */
    async retrySms(id: string, asked: { mayBeTwice: boolean; for: string | undefined }): Promise<Retried | Refused> {
      const forMs = asked.for === undefined ? null : durationMsOf(asked.for)
      if (asked.for !== undefined && !forMs)
        return { refused: `for: '${asked.for}' is not a duration such as 30m or 2h` }
      return operator.retry(id, { mayBeTwice: asked.mayBeTwice, forMs })
    },
    cancelSmsOf: (id: string) => operator.cancel(id),
  }
}

interface Refused {
  refused: string
}

const cursorOf = ({ at, id }: SmsPlace) => Buffer.from(`${id}/${at}`).toString('base64url')

/** Undefined: it is not one of ours. */
function placeOf(cursor: string): SmsPlace | undefined {
  const [, id, at] =
    /^(\d{1,18})\/(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[\d.+:-]{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString()) ??
    []
  return id && at ? { id, at } : undefined
}

function smsSummaryOf(row: ListedSms): SmsSummary {
  const { id, msisdn, kind, owner, state, line, parts, attempts, status } = row
  return {
    id,
    msisdn,
    kind,
    owner,
    state,
    line,
    parts,
    attempts,
    status,
    dueAt: row.due_at.toISOString(),
    wakeAt: state === 'due' ? row.wake_at.toISOString() : null,
    submittedAt: row.submitted_at?.toISOString() ?? null,
    settledAt: row.settled_at?.toISOString() ?? null,
    reason: smsReason(row),
  }
}

/** SMS that applications ask for under keys of their own. */
function askedSms({ settings, requests, chosenLanguage }: AdminServiceDeps) {
  const rates = createRates({ perSecond: settings.admin.smsPerSecond, burst: SMS_BURST, keysMax: TOKENS_MAX })
  return {
    /** Whether this token may ask for one more SMS now. */
    mayAsk: (owner: string, nowMs: number) => rates.take(owner, nowMs),
    hasLine: (name: string) => settings.lines.some((line) => line.name === name),
    /** An SMS that an application asks for. Without a language: that of the subscriber. */
    async putSms(
      { language, ...asker }: Pick<SmsAsker, 'owner' | 'line' | 'key'> & { language: string | undefined },
      asked: SmsRequest & { to: string },
    ): Promise<SmsAnswer> {
      const chosen = language ?? (await chosenLanguage(asked.to.replace(/\D/g, '')))
      return requests.put({ ...asker, msisdn: null, language: chosen ?? settings.dialogue.language }, asked)
    },
    cancelSms: (owner: string, key: string) => requests.cancel(owner, key),
    /** Without its text. */
    async findSms(owner: string, key: string) {
      const row = await requests.find(owner, key)
      if (!row) return undefined
      const { id, kind, state } = row
      const moments = {
        dueAt: row.due_at,
        wakeAt: state === 'due' ? row.wake_at : null,
        submittedAt: row.submitted_at,
        settledAt: row.settled_at,
      }
      return { id, key, class: kind, state, ...moments }
    },
  }
}
