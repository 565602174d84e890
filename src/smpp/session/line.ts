/** The line: one configured connection to one SMSC, over as many binds as it is allowed; where submits find a link. */
import type { Chance, Clock } from '../../ussd/index.ts'
import type { Log } from '../../base/index.ts'
import type {
  BindRow,
  Dialect,
  Lane,
  Line,
  LinkPort,
  OutgoingPdu,
  Pdu,
  SubmitOptions,
  SubmitOutcome,
} from '../types.ts'
import type { WindowRequest, LateResponse } from './window.ts'
import type { LineSettings } from './settings.ts'
import type { SmppCounters, SmppCounter } from './counters.ts'
import { Bind } from './bind.ts'
import { encode, statusLabel } from '../pdu/index.ts'
import type { BindRole } from './bind-request.ts'
import type { Link, Tap } from './link.ts'
import { Pace } from './pace.ts'
import type { Connect } from './socket.ts'

export interface LineDeps {
  dialect: Dialect
  clock: Clock
  chance: Chance
  log: Log
  counters: SmppCounters
  /** Names this run of the daemon in link ids: unique for ever. */
  instance: string
  /** deliver_sm and data_sm. It answers by link.respond; a throw or rejection is answered with ESME_RX_T_APPN. */
  onRequest(pdu: Pdu, link: LinkPort): Promise<void> | void
  onState?(bind: string, state: string): void
  /** A response came after its deadline. */
  onLate?(late: LateResponse): void
  tap?: Tap | undefined
  /** Default: openSocket. */
  connect?: Connect | undefined
}

/** A line that does nothing until start(). */
export function smppLine(settings: LineSettings, deps: LineDeps): Line {
  return new SmppLine(settings, deps)
}

class SmppLine implements Line {
  readonly name: string
  readonly group: string
  readonly dialect: Dialect
  readonly sms: LineSettings['sms']
  readonly #deps: LineDeps
  readonly #binds: Bind[]
  /** Those that wait for what comes of the first. */
  #behind: Bind[] = []

  constructor(settings: LineSettings, deps: LineDeps) {
    this.name = settings.name
    this.group = settings.group ?? settings.name
    this.dialect = deps.dialect
    this.sms = settings.sms
    this.#deps = deps
    this.#binds = this.#bindsOf(settings)
  }

  submit(pdu: OutgoingPdu, options: SubmitOptions): Promise<SubmitOutcome> {
    const coded = encode(pdu)
    if ('fault' in coded) {
      this.#deps.log.error({ line: this.name, fault: coded.fault }, 'a request cannot be coded')
      return Promise.resolve(this.#settled({ kind: 'unsent', why: 'uncodable' }, options.lane))
    }
    const { lane, deadline, key } = options
    return new Promise((settle) => {
      const entry: WindowRequest = {
        octets: coded.octets,
        command: pdu.command,
        lane,
        deadline,
        key,
        withheld: lane === 'ussd' && this.dialect.habits.submitResp === 'withheld',
        settle: (outcome) => settle(this.#settled(outcome, lane)),
      }
      this.#route(entry, options.link)
    })
  }

  bound(): boolean {
    return this.#binds.some((bind) => bind.submitter())
  }

  isGone(link: string): boolean {
    const isOurs = link.startsWith(`${this.name}/`) && link.includes(`#${this.#deps.instance}.`)
    return isOurs && !this.#binds.some((bind) => bind.linkId() === link)
  }

  states(): BindRow[] {
    return this.#binds.map((bind) => bind.row())
  }

  /** The first bind goes ahead: a wrong password is tried once, not once a bind, as accounts get locked. */
  start(): void {
    if (this.#binds.some((bind) => !bind.isClosed())) return
    const [first, ...behind] = this.#binds
    for (const bind of behind) bind.hold(first!.name)
    this.#behind = behind
    first!.start()
  }

  async stop(untilMs: number): Promise<void> {
    this.#behind = []
    await Promise.all(this.#binds.map((bind) => bind.stop(untilMs)))
  }

  /** The link that was asked for, else the one with least to do. */
  #route(entry: WindowRequest, preferred?: string): void {
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
    if (!best) return entry.settle({ kind: 'unsent', why: 'no-bind' })
    if (best.offer(entry)) return
    this.#count('smpp_limit', { limit: `queueMax.${entry.lane}` })
    entry.settle({ kind: 'unsent', why: 'queue-full' })
  }

  #follow(): void {
    if (this.#behind.length === 0) return
    const { state, down } = this.#binds[0]!.row()
    const isJudged =
      state === 'bound' || ((state === 'waiting' || state === 'standby') && down?.why !== 'wrong-password')
    if (isJudged) for (const bind of this.#behind.splice(0)) bind.start()
  }

  /** Counts every outcome, once. */
  #settled(outcome: SubmitOutcome, lane: Lane): SubmitOutcome {
    if (outcome.kind === 'ok') this.#count('smpp_tx_ok', { lane })
    else if (outcome.kind === 'refused') this.#count('smpp_tx_refused', { lane, status: statusLabel(outcome.status) })
    else if (outcome.kind === 'timeout') this.#count('smpp_tx_timeout', { lane })
    else if (outcome.kind === 'lost') this.#count('smpp_tx_lost', { lane })
    else this.#count('smpp_unsent', { lane, why: outcome.why })
    return outcome
  }

  #count(name: SmppCounter, labels?: Record<string, string>): void {
    this.#deps.counters.count(name, { ...labels, line: this.name })
  }

  #bindsOf(settings: LineSettings): Bind[] {
    const { clock, chance, log, instance, onRequest, onState, onLate, tap, connect } = this.#deps
    const { throttlePauseMs, smsPerSecond } = settings.limits
    const pace = new Pace({ pauseMs: throttlePauseMs, ...(smsPerSecond ? { perSecond: smsPerSecond } : {}) }, clock)
    const shared = {
      line: settings.name,
      smsc: settings.smsc,
      hosts: settings.smsc.hosts,
      limits: settings.limits,
      times: settings.times,
      pace,
      clock,
      chance,
      log,
      instance,
      tap,
      connect,
      onRequest,
      count: (name: SmppCounter, labels?: Record<string, string>) => this.#count(name, labels),
      onState: (bind: string, state: string) => {
        this.#follow()
        onState?.(bind, state)
      },
      onLate: (late: LateResponse) => onLate?.(late),
      handBack: (entries: WindowRequest[]) => entries.forEach((entry) => this.#route(entry)),
    }
    const binds: Bind[] = []
    for (let n = 0; n < settings.links; n++) {
      for (const [suffix, role] of ROLES[settings.bind]) {
        binds.push(new Bind({ ...shared, name: `${settings.name}/${n}${suffix}`, role }))
      }
    }
    return binds
  }
}

const ROLES: Record<LineSettings['bind'], [string, BindRole][]> = {
  transceiver: [['', 'transceiver']],
  pair: [
    ['.tx', 'transmitter'],
    ['.rx', 'receiver'],
  ],
}
