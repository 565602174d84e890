/** Keeps one bind alive: the statechart of machines/bind.ts, over successive links. */
import { createActor, type Actor } from 'xstate'
import type { Chance } from '../../ussd/index.ts'
import { bindMachine, bindStateName, type BindEvent } from '../../../machines/bind.ts'
import type { BindTimes } from '../../../machines/bind-times.ts'
import type { Endpoint } from './settings.ts'
import { Link, type LinkDeps, type LinkEvent } from './link.ts'
import { Outage } from './outage.ts'
import { refusal, remedyOf, troubleOf, type Trouble } from './trouble.ts'
import type { BindRow, OutageTold } from '../types.ts'

export interface BindDeps extends Omit<LinkDeps, 'id' | 'to' | 'tell'> {
  /** `digicel/0` */
  name: string
  instance: string
  hosts: Endpoint[]
  times: BindTimes
  chance: Chance
}

/** States that every retry passes through. An outage of hours must not fill the log. */
const QUIET = new Set(['connecting', 'binding', 'waiting', 'standby'])

/** The longest possible timer. */
const TIMER_MS_MAX = 2 ** 31 - 1

export class Bind {
  readonly name: string
  readonly #deps: BindDeps
  readonly #actor: Actor<typeof bindMachine>
  #link: Link | undefined
  #links = 0
  #state = 'closed'
  #since: number
  /** Exists from start() until the bind is up, and from its loss until it is up again. */
  #outage: Outage | undefined
  /** What ended the last link. */
  #trouble: Trouble | undefined
  #host = 0
  #standsBy = false
  #nextMs: number | undefined
  #closed: (() => void)[] = []

  constructor(deps: BindDeps) {
    this.name = deps.name
    this.#deps = deps
    this.#since = deps.clock.now()
    this.#actor = this.#actorOf(deps)
    this.#actor.subscribe(({ value, context }) => this.#moved(bindStateName(value), context.waitMs))
    this.#actor.start()
  }

  /** May be called again after the bind has stopped. */
  start(): void {
    if (this.#state !== 'closed') return
    this.#outage = this.#outageOf()
    this.#send({ type: 'START' })
  }

  isClosed(): boolean {
    return this.#state === 'closed'
  }

  /** The bind waits: it starts after the first bind of the line has shown that the credentials are good. */
  hold(first: string): void {
    this.#outage = this.#outageOf({ why: 'waits-for-first', detail: first })
  }

  /**
   * Resolves once the bind is closed: drained (at most until `untilMs`), unbound (at most until `goneMs`, if that is
   * given), connection gone. Both are wall-clock milliseconds.
   */
  async stop(untilMs: number, goneMs = Infinity): Promise<void> {
    const drainMs = Math.min(Math.max(0, untilMs - this.#deps.clock.now()), TIMER_MS_MAX)
    this.#send({ type: 'STOP', drainMs, goneMs })
    if (this.#state === 'closed') this.#outage = undefined
    else await new Promise<void>((done) => this.#closed.push(done))
  }

  /** The link, while we may submit on it. */
  submitter(): Link | undefined {
    return this.#state === 'bound' && this.#link?.maySubmit() ? this.#link : undefined
  }

  /** The id of the link, while it is bound. */
  linkId(): string | undefined {
    return this.#state === 'bound' ? this.#link?.id : undefined
  }

  row(): BindRow {
    const { sinceMs, trouble, tries = 0 } = this.#outage ?? {}
    return {
      bind: this.name,
      state: this.#standsBy ? 'standby' : this.#state,
      since: sinceMs ?? this.#since,
      peer: this.#peer(),
      ...(this.#nextMs === undefined ? {} : { nextMs: this.#nextMs }),
      ...(trouble ? { down: { ...trouble, remedy: remedyOf(trouble.why), tries } } : {}),
    }
  }

  #actorOf(deps: BindDeps): Actor<typeof bindMachine> {
    const machine = bindMachine.provide({
      actions: {
        open: (_, { host }) => this.#open(host),
        bind: () => this.#link?.bind(),
        enquire: () => this.#link?.enquire(),
        missed: () => deps.line.count('smpp_enquire_missed'),
        drop: (_, { why }) => {
          // A refusal was recorded when it arrived.
          if (why !== 'refused') this.#failed(troubleOf(why, this.#state === 'bound'))
          this.#link?.drop(why)
        },
        alarm: () => this.#outage?.alarm(),
        drain: () => this.#link?.drain(),
        unbind: () => this.#link?.unbind(),
      },
    })
    return createActor(machine, {
      input: {
        times: deps.times,
        hosts: deps.hosts.length,
        now: deps.clock.now,
        chance: deps.chance,
        silentMs: () => this.#link?.silentMs() ?? 0,
      },
      clock: {
        setTimeout: (run: () => void, ms: number) => deps.clock.after(ms, run),
        clearTimeout: (cancel: (() => void) | undefined) => cancel?.(),
      },
    })
  }

  #send(event: BindEvent): void {
    this.#actor.send(event)
  }

  #open(host: number): void {
    const to = this.#deps.hosts[host]!
    this.#host = host
    const id = `${this.name}#${this.#deps.instance}.${++this.#links}`
    // A closed link reports nothing more, so no link speaks for its successor.
    try {
      this.#link = new Link({ ...this.#deps, id, to, tell: (event) => this.#heard(event) })
    } catch (error) {
      this.#link = undefined
      this.#failed({ why: 'unusable', detail: `unusable: ${(error as Error).message}` })
      this.#send({ type: 'LOST', cause: 'foreign' })
    }
  }

  #heard(event: LinkEvent): void {
    if (event.type === 'REFUSED') this.#failed(refusal(event.status))
    if (event.type === 'LOST') this.#failed(troubleOf(event.why, this.#state === 'bound'))
    this.#send(event)
  }

  /**
   * While the bind is up, a failure begins an outage (#moved opens it). Otherwise it is one more failed try of the
   * current outage.
   */
  #failed(trouble: Trouble): void {
    this.#trouble = trouble
    if (this.#state === 'bound') return
    this.#deps.line.count('smpp_connect_failures', { why: trouble.why })
    this.#outage?.tried(this.#peer(), trouble)
    if (trouble.why === 'uncodable' || trouble.why === 'unusable') this.#outage?.alarm()
  }

  #outageOf(loss?: Trouble): Outage {
    const { clock, log, line } = this.#deps
    const tell = (told: OutageTold) => line.onOutage(told)
    return new Outage({ bind: this.name, now: clock.now, log, tell, ...(loss ? { loss } : {}) })
  }

  #peer(): string {
    const { host, port } = this.#deps.hosts[this.#host]!
    return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  }

  #moved(state: string, waitMs: number): void {
    const before = this.#state
    if (state === before) return
    const nowMs = this.#deps.clock.now()
    const pauseMs = { waiting: waitMs, standby: this.#deps.times.standbyMs }[state]
    if (before === 'bound' && (state === 'unbinding' || state === 'closed')) this.#tellClosed()
    this.#state = state
    this.#since = nowMs
    this.#nextMs = pauseMs === undefined ? undefined : nowMs + pauseMs
    this.#account(before, state)
    this.#deps.log[QUIET.has(state) ? 'debug' : 'info']({ bind: this.name, state }, 'bind state')
    this.#deps.line.onState(this.name, state)
    if (state === 'closed') for (const done of this.#closed.splice(0)) done()
  }

  /** We close it: an operator stopped the line, or the daemon ends. */
  #tellClosed(): void {
    const { name: bind } = this
    const told = { bind, is: 'closed' as const, peer: this.#peer(), why: 'stopped', detail: undefined, tries: 0 }
    this.#deps.line.onOutage({ ...told, sinceMs: this.#since })
  }

  #account(before: string, state: string): void {
    if (state === 'bound') this.#outage?.over(this.#peer())
    if (state === 'bound' || state === 'closed') this.#outage = undefined
    else if (before === 'bound' && state === 'waiting') this.#outage = this.#outageOf(this.#trouble)
    else if (state === 'waiting' || state === 'standby') this.#outage?.roundOver()
    // A bind stands by also while it tries, every half minute, whether it can take over.
    this.#standsBy = state === 'standby' || (this.#standsBy && (state === 'connecting' || state === 'binding'))
  }
}
