/**
 * The line: one configured connection to one SMSC, over as many binds as the settings allow. Submits find their link
 * here.
 */
import type { Chance, Clock } from '../../ussd/index.ts'
import { tellsDebug, type Log } from '../../base/index.ts'
import type {
  BindRow,
  Dialect,
  Line,
  LineLoad,
  LinkPort,
  OutageTold,
  OutgoingPdu,
  Pdu,
  SubmitOptions,
  SubmitOutcome,
} from '../types.ts'
import type { WindowRequest, LateResponse } from './window.ts'
import type { LineSettings } from './settings.ts'
import { LineLabels, type SmppCounters, type SmppCounter } from './counters.ts'
import { Bind } from './bind.ts'
import type { LineCap } from './cap.ts'
import { encode, statusLabel } from '../pdu/index.ts'
import type { BindRole } from './bind-request.ts'
import type { Link, LinePort, Tap } from './link.ts'
import { AnswerTimes } from './answer-times.ts'
import { Pace } from './pace.ts'
import { Together } from './together.ts'
import type { Connect } from './socket.ts'

export interface LineDeps {
  dialect: Dialect
  clock: Clock
  chance: Chance
  log: Log
  counters: SmppCounters
  /** Identifies this run of the daemon in link ids, which are unique for ever. */
  instance: string
  /**
   * Handles deliver_sm and data_sm. It answers with link.respond; a throw or rejection is answered with ESME_RX_T_APPN.
   */
  onRequest(pdu: Pdu, link: LinkPort): Promise<void> | void
  onState?(bind: string, state: string): void
  onOutage?(told: OutageTold): void
  /** A response came after its deadline. */
  onLate?(late: LateResponse): void
  tap?: Tap | undefined
  /** Default: openSocket. */
  connect?: Connect | undefined
  /** What all binds of the line, here and in other daemons, may send a second. Absent: no limit. */
  cap?: LineCap | undefined
}

/**
 * What a slot takes after a pause of the SMSC at least, for predictions: it has others to catch up with, too. So no
 * more wait over a pause than ten slots could serve at a hundred a second.
 */
const AFTER_PAUSE_MS = 100

/** What may change while the binds stay. */
export interface LineTuning {
  dialect: Dialect
  sms: LineSettings['sms']
  /** Undefined: as fast as the window allows. */
  smsPerSecond: number | undefined
}

export interface TunableLine extends Line {
  /** In force for the next message, and for the next SMS. */
  tune(tuning: LineTuning): void
}

/** Creates a line. It does nothing until start(). */
export function smppLine(settings: LineSettings, deps: LineDeps): TunableLine {
  return new SmppLine(settings, deps)
}

class SmppLine implements TunableLine, LinePort {
  readonly name: string
  readonly group: string
  dialect: Dialect
  sms: LineSettings['sms']
  readonly #deps: LineDeps
  readonly #binds: Bind[]
  readonly #pace: Pace
  readonly #answers = new AnswerTimes()
  readonly #labels: LineLabels
  /** Binds that wait for the result of the first bind. */
  #behind: Bind[] = []
  #isStopped = false

  constructor(settings: LineSettings, deps: LineDeps) {
    this.name = settings.name
    this.group = settings.group ?? settings.name
    this.dialect = deps.dialect
    this.sms = settings.sms
    this.#labels = new LineLabels(settings.name)
    this.#deps = deps
    const { throttlePauseMs, smsPerSecond } = settings.limits
    this.#pace = new Pace(
      {
        pauseMs: throttlePauseMs,
        throttles: (status) => this.dialect.policy(status).sms === 'next-second',
        ...(smsPerSecond ? { perSecond: smsPerSecond } : {}),
      },
      deps.clock,
    )
    this.#binds = this.#bindsOf(settings)
  }

  tune({ dialect, sms, smsPerSecond }: LineTuning): void {
    this.dialect = dialect
    this.sms = sms
    this.#pace.change(smsPerSecond)
  }

  submit(pdu: OutgoingPdu, options: SubmitOptions): Promise<SubmitOutcome> {
    const coded = encode(pdu)
    if ('fault' in coded) {
      this.#deps.log.error({ line: this.name, fault: coded.fault }, 'a request cannot be coded')
      const outcome: SubmitOutcome = { kind: 'unsent', why: 'uncodable' }
      this.#counted(options, outcome)
      return Promise.resolve(outcome)
    }
    const { lane, deadline, key, mayLeave, leaving, tries, urgency, kind } = options
    return new Promise((settle) => {
      const request: WindowRequest = {
        octets: coded.octets,
        command: pdu.command,
        lane,
        deadline,
        key,
        mayLeave,
        leaving,
        tries,
        urgency,
        kind,
        sinceMs: undefined,
        withheld: lane === 'ussd' && this.dialect.habits.submitResp === 'withheld',
        settle,
        sentMs: undefined,
        outcome: undefined,
      }
      this.#route(request, options.link)
    })
  }

  bound(): boolean {
    return this.#binds.some((bind) => bind.submitter())
  }

  waitMs(ahead: number): number {
    return Math.max(this.#slotWaitMs(ahead), this.capWaitMs(ahead))
  }

  capWaitMs(ahead: number): number {
    return this.#deps.cap?.waitMs(ahead) ?? 0
  }

  smsRoom(): number {
    const slots = this.#binds.reduce((sum, bind) => sum + (bind.submitter()?.window().smsSlots() ?? 0), 0)
    const perSecond = Math.min(this.#pace.rate(), this.#deps.cap?.smsRoom() ?? Infinity)
    return Math.min(slots, Math.max(1, Math.ceil(perSecond)))
  }

  isGone(link: string): boolean {
    const isOurs = link.startsWith(`${this.name}/`) && link.includes(`#${this.#deps.instance}.`)
    return isOurs && !this.#binds.some((bind) => bind.linkId() === link)
  }

  load(): LineLoad {
    const windows = this.#binds.flatMap((bind) => bind.submitter()?.window() ?? [])
    return {
      slots: windows.reduce((sum, window) => sum + window.slots(), 0),
      taken: windows.reduce((sum, window) => sum + window.taken(), 0),
      answers: this.#answers.counts(),
    }
  }

  states(): BindRow[] {
    return this.#binds.map((bind) => bind.row())
  }

  /** The first bind goes ahead. A wrong password is then tried once, not once per bind, because SMSCs lock accounts. */
  start(): void {
    this.#isStopped = false
    if (this.#binds.some((bind) => !bind.isClosed())) return
    const [first, ...behind] = this.#binds
    for (const bind of behind) bind.hold(first!.name)
    this.#behind = behind
    first!.start()
  }

  async stop(untilMs: number, goneMs?: number): Promise<void> {
    this.#isStopped = true
    this.#behind = []
    await Promise.all(this.#binds.map((bind) => bind.stop(untilMs, goneMs)))
  }

  count(name: SmppCounter, labels?: Record<string, string>): void {
    this.#deps.counters.count(name, this.#labels.of(labels))
  }

  onRequest(pdu: Pdu, link: LinkPort): Promise<void> | void {
    const { log } = this.#deps
    const { command, sequence } = pdu
    if (tellsDebug(log)) log.debug({ line: this.name, link: link.id, command, sequence }, 'request of the SMSC')
    return this.#deps.onRequest(pdu, link)
  }

  ended(request: WindowRequest, outcome: SubmitOutcome): void {
    if (tellsDebug(this.#deps.log)) this.#tell(request, outcome)
    this.#counted(request, outcome)
    request.settle(outcome)
  }

  #tell({ command, lane }: WindowRequest, outcome: SubmitOutcome): void {
    const status = outcome.kind === 'refused' ? { status: statusLabel(outcome.status) } : {}
    this.#deps.log.debug({ line: this.name, command, lane, is: outcome.kind, ...status }, 'request to the SMSC')
  }

  onLate(late: LateResponse): void {
    this.#deps.onLate?.(late)
  }

  handBack(requests: WindowRequest[]): void {
    for (const request of requests) this.#route(request)
  }

  onState(bind: string, state: string): void {
    this.#follow()
    this.#deps.onState?.(bind, state)
  }

  onOutage(told: OutageTold): void {
    this.#deps.onOutage?.(told)
  }

  /** Picks the preferred link if it may submit; otherwise the link with the lowest load. */
  #route(request: WindowRequest, preferred?: string): void {
    let best: Link | undefined
    for (const bind of this.#binds) {
      const link = bind.submitter()
      if (!link) continue
      if (link.id === preferred) {
        best = link
        break
      }
      if (!best || link.load() < best.load()) best = link
    }
    if (!best) return this.ended(request, { kind: 'unsent', why: this.#isStopped ? 'stopped' : 'no-bind' })
    if (best.offer(request)) return
    if (!request.tries) this.count('smpp_limit', { limit: `queueMax.${request.lane}` })
    this.ended(request, { kind: 'unsent', why: 'queue-full' })
  }

  #slotWaitMs(ahead: number): number {
    if (this.dialect.habits.submitResp === 'withheld') return 0
    let [slots, before] = [0, 0]
    let [perMs, afterPausePerMs] = [0, 0]
    let pausedMs = Infinity
    for (const bind of this.#binds) {
      const window = bind.submitter()?.window()
      if (!window) continue
      const ofLinkMs = window.pausedMs()
      slots += window.slots()
      before += window.ahead()
      perMs += window.slots() / Math.max(window.slotMs(), ofLinkMs)
      afterPausePerMs += window.slots() / Math.max(window.slotMs(), AFTER_PAUSE_MS)
      pausedMs = Math.min(pausedMs, ofLinkMs)
    }
    const waiting = Math.max(ahead, before) + 1 - slots
    if (slots === 0 || waiting <= 0) return 0
    // A pause says nothing about what a slot takes once it is over, and nothing about when that will be: as a rule, it
    // lasts as long again as it has lasted.
    return pausedMs > 0 ? pausedMs + waiting / afterPausePerMs : waiting / perMs
  }

  #follow(): void {
    if (this.#behind.length === 0) return
    const { state, down } = this.#binds[0]!.row()
    const isJudged =
      state === 'bound' || ((state === 'waiting' || state === 'standby') && down?.why !== 'wrong-password')
    if (isJudged) for (const bind of this.#behind.splice(0)) bind.start()
  }

  /** Counts every outcome, once. */
  #counted({ lane, tries, sentMs }: Counted, outcome: SubmitOutcome): void {
    if (outcome.kind === 'ok') this.count('smpp_tx_ok', { lane })
    else if (outcome.kind === 'refused') this.count('smpp_tx_refused', { lane, status: statusLabel(outcome.status) })
    else if (outcome.kind === 'timeout') this.count('smpp_tx_timeout', { lane })
    else if (outcome.kind === 'lost') this.count('smpp_tx_lost', { lane })
    else {
      if (sentMs !== undefined) this.count('smpp_tx_recalled', { lane })
      if (tries === undefined) this.count('smpp_unsent', { lane, why: outcome.why })
    }
  }

  #bindsOf({ name, bind, links, smsc, limits, times }: LineSettings): Bind[] {
    const { clock, chance, log, instance, tap, connect, cap } = this.#deps
    const count: LinePort['count'] = (counter, labels) => this.count(counter, labels)
    const together = limits.togetherMs > 0 ? new Together({ clock, limits, count }) : undefined
    const own = { line: this, pace: this.#pace, answers: this.#answers, cap, smsc, hosts: smsc.hosts, limits, times }
    const shared = { ...own, together, clock, chance, log, instance, tap, connect }
    const binds: Bind[] = []
    for (let n = 0; n < links; n++) {
      for (const [suffix, role] of ROLES[bind]) {
        binds.push(new Bind({ ...shared, name: `${name}/${n}${suffix}`, role }))
      }
    }
    return binds
  }
}

type Counted = Pick<WindowRequest, 'lane' | 'tries' | 'sentMs'>

const ROLES: Record<LineSettings['bind'], [string, BindRole][]> = {
  transceiver: [['', 'transceiver']],
  pair: [
    ['.tx', 'transmitter'],
    ['.rx', 'receiver'],
  ],
}
