/** One bind kept alive: the statechart of machines/bind.ts over successive links. */
import { createActor, type Actor } from 'xstate'
import type { Chance, Clock } from '../ussd/types.ts'
import { bindMachine, bindStateName, type BindEvent } from '../../machines/bind.ts'
import type { BindTimes } from '../../machines/bind-times.ts'
import type { Endpoint } from './settings.ts'
import { Link, type LinkParts } from './link.ts'
import { statusText } from './status.ts'

export interface BindParts extends Omit<LinkParts, 'id' | 'to' | 'hears'> {
  /** `digicel/0` */
  name: string
  instance: string
  hosts: Endpoint[]
  times: BindTimes
  clock: Clock
  chance: Chance
  handBack: LinkParts['hears']['handBack']
  onState(bind: string, state: string): void
}

/** States of every retry: an outage of hours should not fill the log. */
const QUIET = new Set(['connecting', 'binding', 'waiting'])

/** The longest that a timer can be. */
const TIMER_MS_MAX = 2 ** 31 - 1

export class Bind {
  readonly name: string
  readonly #parts: BindParts
  readonly #actor: Actor<typeof bindMachine>
  #link: Link | undefined
  #links = 0
  #state = 'closed'
  #since: number
  #closed: (() => void)[] = []

  constructor(parts: BindParts) {
    this.name = parts.name
    this.#parts = parts
    this.#since = parts.clock.now()
    this.#actor = this.#actorOf(parts)
    this.#actor.subscribe((snapshot) => this.#moved(bindStateName(snapshot.value)))
    this.#actor.start()
  }

  start(): void {
    this.#send({ type: 'START' })
  }

  /** Resolves once closed: drained (at most until then, wall clock), unbound, and the connection gone. */
  async stop(untilMs: number): Promise<void> {
    const drainMs = Math.min(Math.max(0, untilMs - this.#parts.clock.now()), TIMER_MS_MAX)
    this.#send({ type: 'STOP', drainMs })
    if (this.#state !== 'closed') await new Promise<void>((done) => this.#closed.push(done))
  }

  /** The link, while it may submit. */
  submitter(): Link | undefined {
    return this.#state === 'bound' && this.#link?.maySubmit() ? this.#link : undefined
  }

  row(): { bind: string; state: string; since: number } {
    return { bind: this.name, state: this.#state, since: this.#since }
  }

  #actorOf(parts: BindParts): Actor<typeof bindMachine> {
    const machine = bindMachine.provide({
      actions: {
        open: (_, { host }) => this.#open(host),
        bind: () => this.#link?.bind(),
        enquire: () => this.#link?.enquire(),
        missed: () => parts.count('smpp_enquire_missed'),
        drop: (_, { why }) => this.#link?.drop(why),
        alarm: (_, { status }) => {
          const fields = { bind: this.name, status: statusText(status) }
          parts.log.error(fields, 'the SMSC refuses our credentials: retrying slowly')
        },
        drain: () => this.#link?.drain(() => this.#send({ type: 'DRAINED' })),
        unbind: () => this.#link?.unbind(),
      },
    })
    return createActor(machine, {
      input: {
        times: parts.times,
        hosts: parts.hosts.length,
        now: parts.clock.now,
        chance: parts.chance,
        silentMs: () => this.#link?.silentMs() ?? 0,
      },
      clock: {
        setTimeout: (run: () => void, ms: number) => parts.clock.after(ms, run),
        clearTimeout: (cancel: (() => void) | undefined) => cancel?.(),
      },
    })
  }

  #send(event: BindEvent): void {
    this.#actor.send(event)
  }

  #open(host: number): void {
    const to = this.#parts.hosts[host]!
    const id = `${this.name}#${this.#parts.instance}.${++this.#links}`
    // A link says nothing more once it is closed, so that none speaks for its successor.
    try {
      this.#link = new Link({
        ...this.#parts,
        id,
        to,
        hears: {
          connected: () => this.#send({ type: 'CONNECTED' }),
          bound: () => this.#send({ type: 'BOUND' }),
          refused: (status) => this.#send({ type: 'REFUSED', status }),
          enquired: () => this.#send({ type: 'ENQUIRED' }),
          unbound: () => this.#send({ type: 'UNBOUND' }),
          lost: (cause) => this.#send({ type: 'LOST', cause }),
          handBack: this.#parts.handBack,
        },
      })
    } catch (error) {
      this.#link = undefined
      this.#parts.log.error({ bind: this.name, err: error }, 'the connection cannot even be tried')
      this.#send({ type: 'LOST', cause: 'foreign' })
    }
  }

  #moved(state: string): void {
    if (state === this.#state) return
    this.#state = state
    this.#since = this.#parts.clock.now()
    this.#parts.log[QUIET.has(state) ? 'debug' : 'info']({ bind: this.name, state }, 'bind state')
    this.#parts.onState(this.name, state)
    if (state === 'closed') for (const done of this.#closed.splice(0)) done()
  }
}
