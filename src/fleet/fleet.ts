/**
 * The daemons on the same database know each other: each writes its row every five seconds, and reads those of the
 * others. What somebody asks one daemon to do for another goes through `instance_command`, because admin servers
 * listen on loopback: the other takes it with its next beat.
 */
import { randomUUID } from 'node:crypto'
import { monotonicClock, tellsDebug, type Counters, type Log, type Sql } from '../base/index.ts'
import type { Clock } from '../ussd/index.ts'
import {
  ALL_INSTANCES,
  ANSWER_COMMAND,
  ASK,
  BEAT,
  COMMAND_RESULT,
  FORGET_COMMAND,
  FORGET_INSTANCES,
  KNOWS_RECORD_FORMS,
  LEAVE,
  TAKE_COMMANDS,
  type InstanceFound,
} from './rows.ts'

/** A daemon as the others see it. `State` is what it writes of itself. */
export interface Instance<State> {
  name: string
  version: string
  node: string
  admin: string
  startedAt: string
  /** How old this is. */
  ageMs: number
  /** It missed two beats: it is gone, or does not reach Postgres. */
  isGone: boolean
  state: State
}

/** What a daemon can do for another. */
export interface FleetCommand {
  what:
    | 'line-stop'
    | 'line-start'
    | 'line-hold'
    | 'line-release'
    | 'lines-reload'
    | 'reload-check'
    | 'log-level'
    | 'log-reset'
    | 'test-dial'
    | 'forget-subscriber'
  line?: string
  /** Of `line-hold`: what new dials get. */
  text?: string | null
  /** Of `test-dial`: what is dialled. */
  service?: string
  /** Of `forget-subscriber`: whose answers of back ends go out of memory. */
  msisdn?: string
  /** Of `log-level`. */
  log?: { level: string; subsystem: string; msisdn: string | null; minutes: number }
}

/** What became of it: an answer as that of the admin server itself. */
export interface CommandAnswer {
  status: number
  body: object
}

export interface FleetPart<State> {
  admin: string
  state(): Promise<State>
  carryOut(command: FleetCommand, by: string): Promise<CommandAnswer>
}

export interface FleetDeps {
  sql: Sql
  clock: Clock
  log: Log
  counters: Counters
  name: string
  /** Of this run. */
  instance: string
  version: string
  /** The newest form of a dialogue's record that this daemon reads. */
  recordForm: number
}

export interface Fleet<State> {
  readonly name: string
  /** From then on the others see this daemon. */
  start(part: FleetPart<State>): void
  /** Takes its row away. */
  stop(): Promise<void>
  /** All daemons, read now. While Postgres is unreachable: as last read, older by then. */
  all(): Promise<Instance<State>[]>
  /** As last read. */
  known(): Instance<State>[]
  /**
   * Whether an old row means that a daemon is gone. False while Postgres does not answer, and until each had the time
   * to write again after it: then all rows are old.
   */
  seesOthers(): boolean
  /**
   * The newest form of a dialogue's record that all daemons read, as far as this one sees them. Undefined: it does not
   * see them yet.
   */
  recordForm(): number | undefined
  /** What this daemon wrote of itself last, also while Postgres does not take it. Undefined: nothing yet. */
  own(): State | undefined
  /** Has another daemon do it. */
  ask(instance: string, command: FleetCommand, by: string): Promise<CommandAnswer>
}

const BEAT_MS = 5_000
/** A daemon that was not seen for longer has ended, or its dialogues have: what it reads does not matter any more. */
const SURELY_GONE_MS = 600_000
/** Two beats missed, and the time of a slow statement. */
const GONE_MS = 15_000
/** A beat and the time that its statements take. */
const LATE_MS = 7_000
const FORGET_EACH = 720
const POLL_MS = 250
/** A command is taken within a beat. A reload tries binds meanwhile, one line after the other. */
const TAKEN_MS = 25_000
const DONE_MS = 90_000

export function createFleet<State>(deps: FleetDeps): Fleet<State> {
  return new DatabaseFleet(deps)
}

class DatabaseFleet<State> implements Fleet<State> {
  readonly name: string
  readonly #deps: FleetDeps
  readonly #startedAt: Date
  readonly #now: () => number
  #part: FleetPart<State> | undefined
  #known: Instance<State>[] = []
  #own: State | undefined
  #recordForm: number | undefined
  #formsKnown = false
  #knownMs = 0
  /** The last read, and the first of those without a gap between them; by a clock that is never set. */
  #readMs = -Infinity
  #seesSinceMs = Infinity
  #beats = 0
  #beatMs: number | undefined
  #beating = Promise.resolve()
  #cancel = (): void => undefined
  #isStopped = false
  #isAway = false
  #isTwice = false

  constructor(deps: FleetDeps) {
    this.#deps = deps
    this.name = deps.name
    this.#startedAt = new Date(deps.clock.now())
    this.#now = monotonicClock(deps.clock)
  }

  start(part: FleetPart<State>): void {
    this.#part = part
    this.#again(0)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel()
    await this.#beating
    const { sql, name, instance: run } = this.#deps
    if (this.#beats > 0) await LEAVE(sql, { name, run }).catch(() => undefined)
  }

  known(): Instance<State>[] {
    const olderMs = Math.max(0, this.#deps.clock.now() - this.#knownMs)
    return this.#known.map((one) => aged(one, one.ageMs + olderMs))
  }

  seesOthers(): boolean {
    const nowMs = this.#now()
    return nowMs - this.#readMs <= LATE_MS && nowMs - this.#seesSinceMs >= GONE_MS
  }

  recordForm(): number | undefined {
    return this.#recordForm
  }

  own(): State | undefined {
    return this.#own
  }

  async all(): Promise<Instance<State>[]> {
    await this.#read().catch(() => undefined)
    return this.known()
  }

  async ask(instance: string, command: FleetCommand, by: string): Promise<CommandAnswer> {
    const { sql, clock } = this.#deps
    const all = await this.all()
    const one = all.find(({ name }) => name === instance)
    if (!one) return refused(404, `there is no daemon '${instance}': ${all.map(({ name }) => name).join(', ')}`)
    if (one.isGone) return refused(409, `'${instance}' was last seen ${Math.round(one.ageMs / 1_000)} s ago`)
    const id = randomUUID()
    await ASK(sql, { id, instance, what: command.what, args: JSON.stringify(command), by })
    const askedMs = clock.now()
    for (;;) {
      await new Promise<void>((done) => clock.after(POLL_MS, done))
      const [row] = await COMMAND_RESULT(sql, { id })
      if (row?.done) return row.result as CommandAnswer
      const waitedMs = clock.now() - askedMs
      if (!row || (!row.taken && waitedMs > TAKEN_MS)) {
        await FORGET_COMMAND(sql, { id })
        return refused(504, `'${instance}' did not take it: nothing was done`)
      }
      if (waitedMs > DONE_MS) return refused(504, `'${instance}' has not finished yet: it may still do it`)
    }
  }

  #again(ms: number): void {
    this.#cancel = this.#deps.clock.after(ms, () => {
      this.#beating = this.#beat().then(() => (this.#isStopped ? undefined : this.#again(BEAT_MS)))
    })
  }

  /** Never rejects. */
  async #beat(): Promise<void> {
    const { log, sql, name } = this.#deps
    const [lateMs, startedMs] = [this.#lateMs(), this.#now()]
    try {
      await this.#write()
      if (this.#beats++ % FORGET_EACH === 0) await FORGET_INSTANCES(sql, {})
      await this.#read()
      for (const { id, args, asked_by: by } of await TAKE_COMMANDS(sql, { name })) {
        const done = this.#carryOut(id, args as FleetCommand, by)
        void done.catch((error: unknown) => log.warn({ err: error }, 'a command of another daemon was not answered'))
      }
      this.#isAway = false
      if (tellsDebug(log)) log.debug({ ...this.#othersToo(), lateMs, ms: this.#now() - startedMs }, 'heartbeat written')
    } catch (error) {
      log.debug({ lateMs, ms: this.#now() - startedMs }, 'heartbeat not written')
      if (!this.#isAway) log.warn({ err: error }, 'the other daemons do not see this one: Postgres is unreachable')
      this.#isAway = true
    }
  }

  /** How much later than it should this beat comes: our event loop, or the beat before, took long. */
  #lateMs(): number {
    const beforeMs = this.#beatMs
    this.#beatMs = this.#now()
    return beforeMs === undefined ? 0 : Math.max(0, this.#beatMs - beforeMs - BEAT_MS)
  }

  /** The others, and which of them are late. */
  #othersToo() {
    const others = this.#known.filter(({ name }) => name !== this.name)
    const late = others
      .filter(({ ageMs }) => ageMs > LATE_MS)
      .map(({ name, ageMs }) => `${name} ${Math.round(ageMs)} ms`)
    return { others: others.length, late }
  }

  async #write(): Promise<void> {
    const { sql, log, name, instance: run, version, recordForm } = this.#deps
    const { admin, state } = this.#part!
    const row = { name, run, version, node: process.versions.node, admin, started: this.#startedAt, recordForm }
    this.#own = await state()
    const [{ before } = { before: null }] = await BEAT(sql, { ...row, state: JSON.stringify(this.#own) })
    if (this.#beats === 0 || before === null || before === run) return
    if (!this.#isTwice)
      log.warn({ name, remedy: 'give each its own name: the setting instance' }, 'two daemons have one name')
    this.#isTwice = true
  }

  async #read(): Promise<void> {
    const rows = await ALL_INSTANCES(this.#deps.sql, {})
    this.#known = rows.map((row) => instanceOf<State>(row))
    this.#knownMs = this.#deps.clock.now()
    const nowMs = this.#now()
    if (nowMs - this.#readMs > LATE_MS) this.#seesSinceMs = nowMs
    this.#readMs = nowMs
    if (this.seesOthers() && (await this.#knowsForms())) this.#recordForm = commonForm(rows)
  }

  async #knowsForms(): Promise<boolean> {
    this.#formsKnown ||= (await KNOWS_RECORD_FORMS(this.#deps.sql, { ms: SURELY_GONE_MS }))[0]?.knows === true
    return this.#formsKnown
  }

  async #carryOut(id: string, command: FleetCommand, by: string): Promise<void> {
    const { sql, log, counters } = this.#deps
    const answer = await this.#part!.carryOut(command, by).catch((error: unknown) => {
      counters.count('bugs_total', { where: 'fleet' })
      log.error({ err: error }, 'a command of another daemon failed')
      return refused(500, 'failed: its log says why')
    })
    await ANSWER_COMMAND(sql, { id, result: JSON.stringify(answer) })
  }
}

function commonForm(rows: readonly InstanceFound[]): number {
  const living = rows.filter(({ age_ms: ageMs }) => Number(ageMs) < SURELY_GONE_MS)
  return Math.min(...living.map(({ record_form: form }) => form))
}

function instanceOf<State>(row: InstanceFound): Instance<State> {
  const { name, version, node, admin, started_at: started, age_ms: age, state } = row
  const one = { name, version, node, admin, startedAt: started.toISOString(), ageMs: 0, isGone: false }
  return aged({ ...one, state: state as State }, Number(age))
}

function aged<State>(one: Instance<State>, ageMs: number): Instance<State> {
  return { ...one, ageMs, isGone: ageMs > GONE_MS }
}

function refused(status: number, error: string): CommandAnswer {
  return { status, body: { error } }
}
