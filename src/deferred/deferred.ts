/**
 * Deferred answers: the dialogue has ended with a holding text, and the next screen of its flow is brought to the
 * subscriber later. It is one chain; each step is counted, and none is tried twice:
 *
 *   the answer, or the end of its wait ──► the flow goes on ──► USSD that we begin ──► else an SMS on the same line
 *
 * A row (rows.ts) keeps it if the daemon dies; the call is then made again, with the same intention.
 */
import type { Backend } from '../backend/index.ts'
import {
  beganAs,
  playHeld,
  type HeldCall,
  withoutDialled,
  turned,
  type Turned,
  type DialogueRecord,
  type DialogueStore,
} from '../dialogue/index.ts'
import {
  dialogueInLog,
  monotonicClock,
  StoreError,
  type Log,
  type Metrics,
  type Sql,
  type SqlRunner,
} from '../base/index.ts'
import type { FlowRegistry } from '../flow/engine/index.ts'
import type { Push, PushResult, PlayedScreen } from '../push/index.ts'
import type { Line } from '../smpp/index.ts'
import { type CodeRoute, shownCode, type Clock, type JsonObject } from '../ussd/index.ts'
import {
  GIVE_UP,
  LET_GO,
  LIVED,
  OFFER,
  insertDeferred,
  RENEW,
  SETTLE_DEFERRED,
  TAKE_OVER,
  type DeferredRow,
} from './rows.ts'

export interface DeferredSettings {
  pushMs: number
  busyMs: number
  leaseMs: number
  /** How many deferred answers one daemon waits for. */
  waitingMax: number
}

export interface DeferredDeps {
  sql: Sql
  dialogues: Pick<DialogueStore, 'find'>
  flows: FlowRegistry
  backend(name: string): Backend | undefined
  lines: { get(name: string): Line | undefined }
  services: readonly CodeRoute[]
  push: Pick<Push, 'offer'>
  /** Writes an SMS with this id to the outbox, in that transaction. */
  enqueueSms(trx: SqlRunner, sms: { id: string; msisdn: string; line: string; text: string }): Promise<void>
  /** Writes its call detail record, in that transaction. Absent: there are none. */
  record?: ((trx: SqlRunner, told: ToldAnswer) => Promise<unknown>) | undefined
  /** Tells its back ends to release what they hold. */
  release(record: DialogueRecord, flow: string): void
  /** Seals and opens what is stored of a dialogue. */
  seal(key: DialogueRecord['key'], text: string, bound: string): string
  open(key: DialogueRecord['key'], stored: string, bound: string): string
  clock: Clock
  mint: { epoch(): string }
  log: Log
  metrics: Metrics
  limits: { turnMs: number; takeoversMax: number; language: string }
  settings: DeferredSettings
  /** Exact texts are kept for support. Absent: they are not. */
  keepsTexts?: boolean | undefined
  /** Identifies this daemon. */
  instance: string
  /** Absent: yes. False: the clock of this machine is wrong, and whose lease is over is not known here. */
  mayRun?: (() => boolean) | undefined
}

/** A deferred answer that is over. `said`: null if there was nothing to tell. */
export interface ToldAnswer {
  record: DialogueRecord
  said: PlayedScreen | null
  how: 'shown' | 'sms' | 'void' | 'given-up'
}

export interface DeferredAnswers {
  /** Whether a subscriber who dialled on this line can get an answer later. */
  mayHold(line: string): boolean
  /**
   * Stores the promise; it is durable when this resolves. Call `rested` when the holding text is stored, or could not
   * be stored.
   */
  hold(record: DialogueRecord, turn: Pick<Turned, 'revision' | 'snapshot'>, held: HeldCall): Promise<Holding>
  start(): void
  /** Leaves its waits to another daemon, or to its own next start. */
  stop(): Promise<void>
}

export interface Holding {
  /** False: the subscriber hung up or dialled again. Then nothing was promised. */
  rested(isIt: boolean): Promise<void>
}

const LOOK_MS = 500
/** While this daemon waits for no answer, a row that another one lost may wait this much longer than its lease. */
const IDLE_LOOK_MS = 2_000
/** How long after its time a row is given up that no daemon could handle: its key is gone, or its flow is broken. */
const GIVE_UP_MS = 3_600_000
const GIVE_UP_EVERY_MS = 60_000
const TAKEN_MAX = 50

/**
 * What the snapshot of a row is sealed with: it cannot be opened in another row, or after another column of the row was
 * changed.
 */
function boundOf({ epoch, turn, call, revision, line, opened_at }: Omit<DeferredRow, 'snapshot'>): string {
  return `late ${JSON.stringify([epoch, turn, call, revision, line, opened_at.getTime()])}`
}

function isForged(error: unknown): error is StoreError {
  return error instanceof StoreError && (error.code === 'corrupt' || error.code === 'unsealed')
}

export function createDeferredAnswers(deps: DeferredDeps): DeferredAnswers {
  const chain = new DeferredChain(deps)
  // A turn gets only `mayHold`.
  return {
    mayHold: (line) => chain.mayHold(line),
    hold: (record, turn, held) => chain.hold(record, turn, held),
    start: () => chain.start(),
    stop: () => chain.stop(),
  }
}

class DeferredChain {
  readonly #deps: DeferredDeps
  /** Epochs of the answers that this daemon waits for. */
  readonly #following = new Set<string>()
  #stopped = true
  #looking: Promise<void> = Promise.resolve()
  #cancel = (): void => undefined

  /** For durations: never goes back. */
  readonly #now: () => number
  #givenUpMs = -Infinity

  constructor(deps: DeferredDeps) {
    this.#deps = deps
    this.#now = monotonicClock(deps.clock)
  }

  #counted(line: string, what: string): void {
    this.#deps.metrics.count('ussd_late_total', { line, what })
  }

  #leaseUntil(): Date {
    return new Date(this.#deps.clock.now() + this.#deps.settings.leaseMs)
  }

  #rowOf(record: DialogueRecord, turn: Pick<Turned, 'revision' | 'snapshot'>, held: HeldCall): DeferredRow {
    const row = {
      epoch: record.epoch,
      msisdn: record.key.msisdn,
      line: record.line,
      line_group: record.key.group,
      code: shownCode(record.code, this.#deps.services),
      turn: record.turn,
      call: held.n,
      revision: turn.revision,
      opened_at: new Date(record.openedMs),
      until_at: new Date(held.untilMs),
      offer: null,
      takeovers: 0,
    }
    // The later screen waits for its own answer, so further dialled answers are not played.
    const snapshot = withoutDialled(turn.snapshot, turn.revision, this.#deps.services)
    return { ...row, snapshot: this.#deps.seal(record.key, JSON.stringify(snapshot), boundOf(row)) }
  }

  /** The record as it was taken, resting on its call. */
  #recordOf(row: DeferredRow): DialogueRecord {
    const record = this.#bareRecordOf(row)
    return { ...record, snapshot: JSON.parse(this.#deps.open(record.key, row.snapshot, boundOf(row))) as JsonObject }
  }

  /** The same without its snapshot, which may not open. */
  #bareRecordOf(row: DeferredRow): DialogueRecord {
    return {
      key: { group: row.line_group, msisdn: row.msisdn },
      epoch: row.epoch,
      status: 'taken',
      network: '',
      turn: row.turn,
      revision: row.revision,
      code: row.code,
      line: row.line,
      snapshot: null,
      answer: { kind: 'input', text: '', step: null },
      reply: null,
      returnPath: { from: [1, 1, row.msisdn], to: [0, 1, ''], serviceType: '', carrier: '' },
      openedMs: row.opened_at.getTime(),
      touchedMs: this.#deps.clock.now(),
      ended: null,
    }
  }

  /**
   * A failure here did not end this daemon, so it does not count as a takeover. If the database is unreachable, nobody
   * takes over anyway.
   */
  async #lived({ epoch }: DeferredRow): Promise<void> {
    await LIVED(this.#deps.sql, { epoch, lease: this.#deps.instance }).catch(() => undefined)
  }

  /** Never rejects: after a failure the row goes to its next owner. */
  async #follow(row: DeferredRow, held: HeldCall): Promise<void> {
    this.#following.add(row.epoch)
    try {
      const record = this.#recordOf(row)
      const played = await playHeld(record, held, { ...this.#deps, language: this.#deps.limits.language })
      if (this.#stopped) return
      this.#counted(row.line, played ? (played.waitedOut ? 'waited-out' : 'answered') : 'flow-gone')
      if (!played) return await this.#settle(row, record, null)
      const said = goingOn(record, turned(played))
      await this.#settle(row, record, said, await this.#offer(row, said))
    } catch (error) {
      const whose = dialogueInLog(row)
      this.#deps.log.error({ err: error, ...whose }, 'deferred answer not delivered: it will be tried again')
      await this.#lived(row)
    } finally {
      this.#following.delete(row.epoch)
    }
  }

  /** Another dialogue of the subscriber is never ended: wait until it ends, or send an SMS. */
  async #offer(row: DeferredRow, said: PlayedScreen): Promise<PushResult | 'stopped'> {
    const untilMs = this.#deps.clock.now() + this.#deps.settings.busyMs
    for (;;) {
      if (this.#stopped) return 'stopped'
      const epoch = this.#deps.mint.epoch()
      const [mine] = await OFFER(this.#deps.sql, { epoch: row.epoch, lease: this.#deps.instance, offer: epoch })
      if (!mine) return 'stopped'
      const { is } = await this.#deps.push.offer({
        msisdn: row.msisdn,
        line: row.line,
        epoch,
        // Its calls are told in the record of the deferred answer, not in that of the dialogue that shows it.
        said: { ...said, step: said.step?.exact && { backendMs: 0, exact: said.step.exact } },
        ttlMs: this.#deps.settings.pushMs,
      })
      if (is !== 'busy' || this.#deps.clock.now() >= untilMs) return is
      await OFFER(this.#deps.sql, { epoch: row.epoch, lease: this.#deps.instance, offer: null })
      await new Promise<void>((done) => this.#deps.clock.after(LOOK_MS, done))
    }
  }

  /** The row and the SMS are in one transaction: a daemon that lost the row sends nothing. */
  async #settle(
    row: DeferredRow,
    record: DialogueRecord,
    said: PlayedScreen | null,
    is?: PushResult | 'stopped',
  ): Promise<void> {
    if (is === 'stopped') return
    const isShown = is === 'shown'
    const isDone = await this.#deps.sql.transaction(async (trx) => {
      const [mine] = await SETTLE_DEFERRED(trx, { epoch: row.epoch, lease: this.#deps.instance })
      const sms = { id: row.epoch, msisdn: row.msisdn, line: row.line, text: said?.reply.text ?? '' }
      if (mine && said && !isShown) await this.#deps.enqueueSms(trx, sms)
      if (mine) await this.#deps.record?.(trx, { record, said, how: isShown ? 'shown' : said ? 'sms' : 'void' })
      return mine !== undefined
    })
    if (!isDone) return
    this.#counted(row.line, isShown ? 'shown' : said ? 'sms' : 'void')
    if (said) this.#deps.log.info({ ...dialogueInLog(row), pushed: is ?? 'no' }, 'deferred answer delivered')
    const goesOn = isShown && !said?.ended
    if (!goesOn) this.#deps.release({ ...record, ended: said?.ended ?? 'completed' }, record.revision.split('@')[0]!)
  }

  /** Several daemons failed with it: the answer kills or stalls them. The subscriber gets the busy text by SMS. */
  async #giveUp(row: DeferredRow, record: DialogueRecord): Promise<void> {
    const { takeovers, revision } = row
    this.#deps.metrics.count('limits_total', { limit: 'late_takeovers_max' })
    this.#deps.log.error(
      { ...dialogueInLog(row), takeovers, flow: revision },
      'deferred answer given up after repeated take-overs: check what its back end answered',
    )
    const text = (await this.#deps.flows.pinned(revision))?.text('busy', this.#deps.limits.language)
    const about = { flow: revision.split('@')[0]!, revision, snapshot: record.snapshot ?? {} }
    await this.#settle(
      row,
      record,
      text === undefined ? null : { ...about, reply: { action: 'end', text }, ended: 'failed' },
    )
  }

  async #takeOver(row: DeferredRow): Promise<void> {
    const record = this.#recordOf(row)
    const stands = await this.#deps.dialogues.find(record.key)
    const isHere = stands?.epoch === row.epoch
    // Its turn will be played again, and may defer the answer again.
    if (isHere && stands.status === 'taken') return
    if (isHere && stands.ended !== 'answer-later') return this.#settle(row, record, null)
    this.#counted(row.line, 'taken-over')
    // Its dialogue is in the store, and the sweep makes sure that the screen arrives.
    if (row.offer && stands?.epoch === row.offer && stands.status !== 'ended')
      return this.#settle(row, record, null, 'shown')
    if (row.takeovers > this.#deps.limits.takeoversMax) return this.#giveUp(row, record)
    if (!row.offer) return this.#follow(row, { n: row.call, untilMs: row.until_at.getTime() })
    // Perhaps on the handset, perhaps not: the screen is not tried twice.
    const played = await playHeld(
      record,
      { n: row.call, untilMs: row.until_at.getTime() },
      { ...this.#deps, language: this.#deps.limits.language },
    )
    return this.#settle(row, record, played ? turned(played) : null, 'unknown')
  }

  async #look(): Promise<void> {
    if (this.#deps.mayRun?.() === false) return
    const until = this.#leaseUntil()
    if (this.#following.size)
      await RENEW(this.#deps.sql, { until, lease: this.#deps.instance, epochs: JSON.stringify([...this.#following]) })
    const room = Math.min(TAKEN_MAX, this.#deps.settings.waitingMax - this.#following.size)
    if (room <= 0) return
    await this.#giveUpOld()
    const rows = await TAKE_OVER(this.#deps.sql, {
      now: new Date(this.#deps.clock.now()),
      until,
      lease: this.#deps.instance,
      limit: room,
    })
    for (const row of rows.filter(({ epoch }) => !this.#following.has(epoch))) {
      void this.#takeOver(row).catch((error: unknown) => {
        if (isForged(error)) return this.#putAside(row, error)
        this.#deps.log.warn({ err: error, ...dialogueInLog(row) }, 'deferred answer waits for the store')
        return this.#lived(row)
      })
    }
  }

  async #giveUpOld(): Promise<void> {
    if (this.#now() < this.#givenUpMs + GIVE_UP_EVERY_MS) return
    const before = new Date(this.#deps.clock.now() - GIVE_UP_MS)
    const gone = await this.#deps.sql.transaction(async (trx) => {
      const rows = await GIVE_UP(trx, { before })
      for (const row of rows)
        await this.#deps.record?.(trx, { record: this.#bareRecordOf(row), said: null, how: 'given-up' })
      return rows
    })
    this.#givenUpMs = this.#now()
    for (const row of gone) {
      this.#counted(row.line, 'given-up')
      this.#deps.log.error(
        { ...dialogueInLog(row), flow: row.revision },
        'deferred answer given up an hour after its time: nobody could tell it',
      )
    }
  }

  /** It is not tried again. It is removed when it is given up. */
  async #putAside(row: DeferredRow, why: StoreError): Promise<void> {
    this.#counted(row.line, 'refused')
    this.#deps.log.error(
      { ...dialogueInLog(row), why: why.message },
      'a row of ussd_late was altered or is not sealed: it is not delivered',
    )
    const until = new Date(row.until_at.getTime() + 2 * GIVE_UP_MS)
    await RENEW(this.#deps.sql, { until, lease: this.#deps.instance, epochs: JSON.stringify([row.epoch]) }).catch(
      () => undefined,
    )
  }

  /** A look renews the leases: four looks fit into a lease, also if the wait for an answer begins just after one. */
  #pauseMs(): number {
    if (this.#following.size) return LOOK_MS
    return Math.max(LOOK_MS, Math.min(IDLE_LOOK_MS, this.#deps.settings.leaseMs / 4))
  }

  #again(pauseMs: number): void {
    this.#cancel = this.#deps.clock.after(pauseMs, () => {
      this.#looking = this.#look()
        .catch((error: unknown) => this.#deps.log.warn({ err: error }, 'deferred answers: Postgres cannot be reached'))
        .then(() => {
          if (!this.#stopped) this.#again(this.#pauseMs())
        })
    })
  }

  mayHold(line: string): boolean {
    if (this.#deps.lines.get(line) === undefined) return false
    const isFull = this.#following.size >= this.#deps.settings.waitingMax
    if (isFull) this.#deps.metrics.count('limits_total', { limit: 'late_waiting_max' })
    return !isFull
  }

  async hold(record: DialogueRecord, turn: Pick<Turned, 'revision' | 'snapshot'>, held: HeldCall): Promise<Holding> {
    const row = this.#rowOf(record, turn, held)
    await insertDeferred(this.#deps.sql, row, this.#deps.instance, this.#leaseUntil()).catch((error: Error) => {
      throw new StoreError('down', `a promised answer could not be stored: ${error.name}`)
    })
    return {
      rested: async (isIt) => {
        if (isIt) {
          this.#counted(row.line, 'held')
          return void this.#follow(row, held)
        }
        await SETTLE_DEFERRED(this.#deps.sql, { epoch: row.epoch, lease: this.#deps.instance })
      },
    }
  }

  start(): void {
    this.#stopped = false
    this.#again(LOOK_MS)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel()
    await this.#looking
    await LET_GO(this.#deps.sql, { lease: this.#deps.instance, now: new Date(this.#deps.clock.now()) })
  }
}

/** The turn with which the pushed dialogue begins. Back ends still know it by its first epoch. */
function goingOn(record: DialogueRecord, { snapshot, ...said }: PlayedScreen): PlayedScreen {
  const context = snapshot.context as JsonObject
  return { ...said, snapshot: { ...snapshot, context: { ...context, began: beganAs(context, record.epoch) } } }
}
