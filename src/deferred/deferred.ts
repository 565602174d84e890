/**
 * Answers that come after the network's patience: the dialogue has ended with a holding text, and what its flow says
 * next is brought to the subscriber. One chain, each link of it counted and none tried twice:
 *
 *   the answer, or the end of its wait ──► the flow goes on ──► USSD that we begin ──► else an SMS on the same line
 *
 * A row (rows.ts) carries it over the death of a daemon; the call is then made again, with the same intention.
 */
import type { Knex } from 'knex'
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
import { StoreError, type Log, type Metrics } from '../base/index.ts'
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
  /** Promised answers that one daemon waits for. */
  waitingMax: number
}

export interface DeferredDeps {
  knex: Knex
  dialogues: Pick<DialogueStore, 'find'>
  flows: FlowRegistry
  backend(name: string): Backend | undefined
  lines: { get(name: string): Line | undefined }
  services: readonly CodeRoute[]
  push: Pick<Push, 'offer'>
  /** Owes an SMS with this id in that transaction. */
  oweSms(trx: Knex.Transaction, sms: { id: string; msisdn: string; line: string; text: string }): Promise<void>
  /** What its back ends hold for it is given back. */
  release(record: DialogueRecord, flow: string): void
  /** What is written down of a subscriber's dialogue, sealed and opened. */
  seal(key: DialogueRecord['key'], text: string, bound: string): string
  open(key: DialogueRecord['key'], stored: string, bound: string): string
  clock: Clock
  mint: { epoch(): string }
  log: Log
  metrics: Metrics
  limits: { turnMs: number; takeoversMax: number; language: string }
  settings: DeferredSettings
  /** Names this daemon. */
  instance: string
}

export interface DeferredAnswers {
  /** Whether whoever dialled on that line can be told later. */
  mayHold(line: string): boolean
  /**
   * Writes the promise down; durable when it resolves. Call `rested` once the holding text is stored, or could not be.
   */
  hold(record: DialogueRecord, turn: Pick<Turned, 'revision' | 'snapshot'>, held: HeldCall): Promise<Holding>
  start(): void
  /** What is waited for is left to another daemon, or to this one's next start. */
  stop(): Promise<void>
}

export interface Holding {
  /** False: the subscriber has hung up or dialled anew. Nothing was promised then. */
  rested(isIt: boolean): Promise<void>
}

const LOOK_MS = 500
/** A row that nobody could deal with this long after its time: its key is gone, or its flow is broken. */
const GIVE_UP_MS = 3_600_000
const TAKEN_MAX = 50

/**
 * What the snapshot of a row is sealed with: in another row it does not open, nor where another column of the row was
 * changed.
 */
function boundOf({ epoch, turn, call, revision, line, opened_at }: Omit<DeferredRow, 'snapshot'>): string {
  return `late ${JSON.stringify([epoch, turn, call, revision, line, opened_at.getTime()])}`
}

function isForged(error: unknown): error is StoreError {
  return error instanceof StoreError && (error.code === 'corrupt' || error.code === 'unsealed')
}

export function createLate(deps: DeferredDeps): DeferredAnswers {
  const { knex, clock, metrics, log, settings, instance } = deps
  /** Epochs of what is waited for here. */
  const following = new Set<string>()
  let stopped = true
  let looking: Promise<void> = Promise.resolve()
  let cancel = (): void => undefined

  const counted = (line: string, what: string) => metrics.count('ussd_late_total', { line, what })
  const leaseUntil = () => new Date(clock.now() + settings.leaseMs)
  const rowOf = (record: DialogueRecord, turn: Pick<Turned, 'revision' | 'snapshot'>, held: HeldCall): DeferredRow => {
    const row = {
      epoch: record.epoch,
      msisdn: record.key.msisdn,
      line: record.line,
      line_group: record.key.group,
      code: shownCode(record.code, deps.services),
      turn: record.turn,
      call: held.n,
      revision: turn.revision,
      opened_at: new Date(record.openedMs),
      until_at: new Date(held.untilMs),
      offer: null,
      takeovers: 0,
    }
    // What is said later waits for an answer of its own: nothing that was dialled is played on.
    const snapshot = withoutDialled(turn.snapshot, turn.revision, deps.services)
    return { ...row, snapshot: deps.seal(record.key, JSON.stringify(snapshot), boundOf(row)) }
  }

  /** As it was taken, resting on its call. */
  function recordOf(row: DeferredRow): DialogueRecord {
    const key = { group: row.line_group, msisdn: row.msisdn }
    return {
      key,
      epoch: row.epoch,
      status: 'taken',
      network: '',
      turn: row.turn,
      revision: row.revision,
      code: row.code,
      line: row.line,
      snapshot: JSON.parse(deps.open(key, row.snapshot, boundOf(row))) as JsonObject,
      answer: { kind: 'input', text: '', step: null },
      reply: null,
      returnPath: { from: [1, 1, row.msisdn], to: [0, 1, ''], serviceType: '', carrier: '' },
      openedMs: row.opened_at.getTime(),
      touchedMs: clock.now(),
      ended: null,
    }
  }

  /**
   * What failed here did not end this daemon: that counts for nothing. Where the database is away, nobody takes over
   * either.
   */
  async function lived({ epoch }: DeferredRow): Promise<void> {
    await LIVED(knex, { epoch, lease: instance }).catch(() => undefined)
  }

  /** Never rejects: what goes wrong leaves the row to its next owner. */
  async function follow(row: DeferredRow, held: HeldCall): Promise<void> {
    following.add(row.epoch)
    try {
      const record = recordOf(row)
      const played = await playHeld(record, held, { ...deps, language: deps.limits.language })
      if (stopped) return
      counted(row.line, played ? (played.waitedOut ? 'waited-out' : 'answered') : 'flow-gone')
      if (!played) return await settle(row, record, null)
      const said = goingOn(record, turned(played))
      await settle(row, record, said, await offer(row, said))
    } catch (error) {
      log.error({ err: error, epoch: row.epoch }, 'a late answer was not brought, and is tried again')
      await lived(row)
    } finally {
      following.delete(row.epoch)
    }
  }

  /** A dialogue of the subscriber's own is never pushed aside: it may end meanwhile, or an SMS says it. */
  async function offer(row: DeferredRow, said: PlayedScreen): Promise<PushResult | 'stopped'> {
    const untilMs = clock.now() + settings.busyMs
    for (;;) {
      if (stopped) return 'stopped'
      const epoch = deps.mint.epoch()
      const [mine] = await OFFER(knex, { epoch: row.epoch, lease: instance, offer: epoch })
      if (!mine) return 'stopped'
      const { is } = await deps.push.offer({ msisdn: row.msisdn, line: row.line, epoch, said, ttlMs: settings.pushMs })
      if (is !== 'busy' || clock.now() >= untilMs) return is
      await OFFER(knex, { epoch: row.epoch, lease: instance, offer: null })
      await new Promise<void>((done) => clock.after(LOOK_MS, done))
    }
  }

  /** The row and the SMS in one transaction: whoever loses the row owes nothing. */
  async function settle(
    row: DeferredRow,
    record: DialogueRecord,
    said: PlayedScreen | null,
    is?: PushResult | 'stopped',
  ): Promise<void> {
    if (is === 'stopped') return
    const isShown = is === 'shown'
    const isDone = await knex.transaction(async (trx) => {
      const [mine] = await SETTLE_DEFERRED(trx as unknown as Knex, { epoch: row.epoch, lease: instance })
      const sms = { id: row.epoch, msisdn: row.msisdn, line: row.line, text: said?.reply.text ?? '' }
      if (mine && said && !isShown) await deps.oweSms(trx, sms)
      return mine !== undefined
    })
    if (!isDone) return
    counted(row.line, isShown ? 'shown' : said ? 'sms' : 'void')
    if (said)
      log.info(
        { msisdn: row.msisdn, line: row.line, epoch: row.epoch, pushed: is ?? 'no' },
        'a late answer was brought',
      )
    const goesOn = isShown && !said?.ended
    if (!goesOn) deps.release({ ...record, ended: said?.ended ?? 'completed' }, record.revision.split('@')[0]!)
  }

  /** Daemon after daemon did not get through it: what it is answered kills or stalls them. An SMS has the busy text. */
  async function giveUp(row: DeferredRow, record: DialogueRecord): Promise<void> {
    const { epoch, line, takeovers, revision } = row
    metrics.count('limits_total', { limit: 'late_takeovers_max' })
    log.error(
      { epoch, line, takeovers, flow: revision },
      'a late answer that no daemon brought was given up: see in this log what its back end answered',
    )
    const text = (await deps.flows.pinned(revision))?.text('busy', deps.limits.language)
    const about = { flow: revision.split('@')[0]!, revision, snapshot: record.snapshot ?? {} }
    await settle(row, record, text === undefined ? null : { ...about, reply: { action: 'end', text }, ended: 'failed' })
  }

  async function takeOver(row: DeferredRow): Promise<void> {
    const record = recordOf(row)
    const stands = await deps.dialogues.find(record.key)
    const isHere = stands?.epoch === row.epoch
    // Its turn is still to be played again, which may hold it anew.
    if (isHere && stands.status === 'taken') return
    if (isHere && stands.ended !== 'answer-later') return settle(row, record, null)
    counted(row.line, 'taken-over')
    // Its dialogue is in the store, which sees to it that the screen gets there.
    if (row.offer && stands?.epoch === row.offer && stands.status !== 'ended') return settle(row, record, null, 'shown')
    if (row.takeovers > deps.limits.takeoversMax) return giveUp(row, record)
    if (!row.offer) return follow(row, { n: row.call, untilMs: row.until_at.getTime() })
    // Perhaps on the handset, perhaps not: the screen is not tried twice.
    const played = await playHeld(
      record,
      { n: row.call, untilMs: row.until_at.getTime() },
      { ...deps, language: deps.limits.language },
    )
    return settle(row, record, played ? turned(played) : null, 'unknown')
  }

  async function look(): Promise<void> {
    const until = leaseUntil()
    if (following.size) await RENEW(knex, { until, lease: instance, epochs: JSON.stringify([...following]) })
    const room = Math.min(TAKEN_MAX, settings.waitingMax - following.size)
    if (room <= 0) return
    for (const { line } of await GIVE_UP(knex, { before: new Date(clock.now() - GIVE_UP_MS) }))
      counted(line, 'given-up')
    const rows = await TAKE_OVER(knex, { now: new Date(clock.now()), until, lease: instance, limit: room })
    for (const row of rows.filter(({ epoch }) => !following.has(epoch))) {
      void takeOver(row).catch((error: unknown) => {
        if (isForged(error)) return putAside(row, error)
        log.warn({ err: error, epoch: row.epoch }, 'a late answer waits')
        return lived(row)
      })
    }
  }

  /** Nobody looks at it again; it goes when it is given up. */
  async function putAside(row: DeferredRow, why: StoreError): Promise<void> {
    counted(row.line, 'refused')
    log.error(
      { epoch: row.epoch, why: why.message },
      'a row of ussd_late was altered, or is not sealed as it should be: it is not told',
    )
    const until = new Date(row.until_at.getTime() + 2 * GIVE_UP_MS)
    await RENEW(knex, { until, lease: instance, epochs: JSON.stringify([row.epoch]) }).catch(() => undefined)
  }

  function again(): void {
    cancel = clock.after(LOOK_MS, () => {
      looking = look()
        .catch((error: unknown) => log.warn({ err: error }, 'late answers out of reach'))
        .then(() => {
          if (!stopped) again()
        })
    })
  }

  return {
    mayHold(line) {
      if (deps.lines.get(line) === undefined) return false
      const isFull = following.size >= settings.waitingMax
      if (isFull) metrics.count('limits_total', { limit: 'late_waiting_max' })
      return !isFull
    },
    async hold(record, turn, held) {
      const row = rowOf(record, turn, held)
      await insertDeferred(knex, row, instance, leaseUntil()).catch((error: Error) => {
        throw new StoreError('down', `a promised answer is not written down: ${error.name}`)
      })
      return {
        async rested(isIt) {
          if (isIt) {
            counted(row.line, 'held')
            return void follow(row, held)
          }
          await SETTLE_DEFERRED(knex, { epoch: row.epoch, lease: instance })
        },
      }
    },
    start() {
      stopped = false
      again()
    },
    async stop() {
      stopped = true
      cancel()
      await looking
      await LET_GO(knex, { lease: instance, now: new Date(clock.now()) })
    },
  }
}

/** A turn as the dialogue that we push begins with it: back ends go on knowing it by its first epoch. */
function goingOn(record: DialogueRecord, { snapshot, ...said }: PlayedScreen): PlayedScreen {
  const context = snapshot.context as JsonObject
  return { ...said, snapshot: { ...snapshot, context: { ...context, began: beganAs(context, record.epoch) } } }
}
