/**
 * The phone of a designer: plays a flow in this process, without a network, a daemon or a store. If the flow changes
 * while a dialogue is open, its keys are played again on the new revision, with the answers that back ends gave.
 */
import { FlowFault } from '../../base/index.ts'
import {
  advance,
  type CallOutcome,
  type CallWant,
  type CompiledFlow,
  type FlowEvent,
  type FlowInput,
  type FlowSnapshot,
  outcomeEvent,
  type Want,
} from '../../flow/engine/index.ts'
import { SMS_CANCEL, SMS_SEND } from '../../flow/language/index.ts'
import type { Compilation } from '../../flow/load/index.ts'
import { type Left, talkRecorder } from '../../flow/talk/index.ts'
import { type Clock, type JsonObject, routeCode, USSD_PAGE } from '../../ussd/index.ts'
import { type Answers, isOwnCall } from './answers.ts'
import { replayed, stored } from './replay.ts'

export interface DesignerSms {
  atMs: number
  from: string
  text: string
  /** What the flow says of its moment; '' if it leaves at once. */
  when: string
  key: string
}

type Shown = Exclude<Want, { do: 'call' }>

interface PlayedEvent {
  event: FlowEvent
  /** Of a call: which one. */
  operation?: string
}

/** A dialogue, open or just ended. */
export interface Dialogue {
  name: string
  compilation: Compilation
  /** The flow that records what is played. */
  flow: CompiledFlow
  input: FlowInput
  /** Everything since the dial. */
  events: PlayedEvent[]
  snapshot: FlowSnapshot
  want: Shown
  /** The screens that were shown. */
  visited: string[]
}

export interface PhoneOptions {
  answers: Answers
  clock: Clock
  /** The service codes and their flows. */
  services(): { code: string; name: string; compilation: Compilation | undefined }[]
  onChange(): void
  /** A dialogue is over. */
  onOver(): void
}

/** How many SMS are kept, and how many events of a dialogue: after that many it is not played again. */
const INBOX_MAX = 50
const EVENTS_MAX = 500

export class DesignerPhone {
  msisdn = '67570000001'
  language: string | undefined
  /** What is shown. It stays after the end until it is dismissed. */
  dialogue: Dialogue | undefined
  /** The flow that was dialled last; '' at first. */
  dialledLast = ''
  isWaiting = false
  failed: string | null = null
  /** What the last change of a file did to the open dialogue. */
  said = ''
  readonly inbox: DesignerSms[] = []
  private readonly options: PhoneOptions
  private readonly recorder = talkRecorder()
  private left: Left | undefined
  /** The dialogue that the network lost. */
  private lost: Dialogue | undefined
  /** Grows with everything that is pressed: what a call answers after that is of no use. */
  private turn = 0
  /** The compilation that came while a call was open. */
  private owed: Compilation | undefined

  constructor(options: PhoneOptions) {
    this.options = options
  }

  /** What this phone played last, for a talk. */
  talk(): ReturnType<ReturnType<typeof talkRecorder>['talk']> {
    return this.recorder.talk(this.msisdn, this.left)
  }

  async dial(what: string): Promise<void> {
    const services = this.options.services()
    const found = routeCode(
      services.map(({ code, name }) => ({ code, flow: name })),
      what,
      '',
    )
    const service = services.find(({ code }) => code === found?.route.code)
    this.close()
    this.failed = null
    this.said = ''
    if (!found || !service) return this.fails(`no flow has the code ${what}: ${codesOf(services)}`)
    const { name, compilation } = service
    this.dialledLast = name
    if (!compilation) return this.fails(`flow ${name} has errors: correct them first`)
    const { languages } = compilation.flow
    const lost = this.lost?.compilation === compilation && !found.dialled.length ? this.lost : undefined
    this.lost = undefined
    const flow = this.recorder.watch(compilation.flow)
    const input: FlowInput = {
      msisdn: this.msisdn,
      code: what,
      line: 'talk',
      language: this.language && languages.includes(this.language) ? this.language : languages[0]!,
      dialled: found.dialled,
      page: USSD_PAGE,
      now: new Date(this.options.clock.today()).toISOString(),
      ...(lost && flow.resumable(lost.snapshot) ? { resume: lost.snapshot } : {}),
    }
    this.left = undefined
    await this.play({ name, compilation, flow, input, events: [], visited: [] }, () => flow.begin(input), null)
  }

  async answer(text: string): Promise<void> {
    const { dialogue } = this
    if (this.isWaiting || !dialogue || dialogue.want.do === 'end') return
    const event: FlowEvent = dialogue.want.do === 'notify' ? { type: 'ACK' } : { type: 'ANSWER', text }
    dialogue.events.push({ event })
    await this.play(dialogue, () => dialogue.snapshot, event)
  }

  /** `lost`: by the network, so that the next dial may resume it. */
  hangUp(how: Left): void {
    if (how === 'lost') this.lost = this.dialogue
    this.left = how
    this.close()
    this.failed = null
    this.options.onChange()
  }

  /** Puts the last screen away. */
  dismiss(): void {
    if (this.dialogue?.want.do === 'ask') return
    this.close()
    this.failed = null
    this.options.onChange()
  }

  use(msisdn: string, language: string | undefined): void {
    if (msisdn !== this.msisdn) this.lost = undefined
    if (msisdn !== this.msisdn && this.dialogue) this.hangUp('hang-up')
    this.msisdn = msisdn
    this.language = language
    this.options.onChange()
  }

  /** The flow has a new revision. */
  async changed(name: string, compilation: Compilation): Promise<void> {
    const { dialogue } = this
    if (dialogue?.name !== name || dialogue.compilation === compilation) return
    if (this.isWaiting) return void (this.owed = compilation)
    if (dialogue.want.do === 'end') return
    const turn = ++this.turn
    const flow = this.recorder.watch(compilation.flow)
    const { revision } = compilation.flow
    const goesOn = (why: string) => {
      this.said = `${why}: this dialogue goes on with ${dialogue.flow.revision}. Dial again for ${revision}.`
      this.options.onChange()
    }
    if (dialogue.input.resume) return goesOn('A dialogue that was resumed cannot be played again')
    if (dialogue.events.length > EVENTS_MAX) return goesOn('The dialogue is too long to be played again')
    const next: Dialogue = { ...dialogue, compilation, flow, events: [], visited: [] }
    const result = await replayed(next, dialogue.events, (want, at) => this.callFor(next, want, at))
    if (turn !== this.turn) return
    if (typeof result === 'string') return goesOn(result)
    this.dialogue = result
    const [before, now] = [dialogue.want.screen, result.want.screen]
    this.said =
      before === now
        ? `Now ${revision}: played again to the same screen.`
        : `Now ${revision}: the same keys lead to '${now}', and led to '${before}' before.`
    this.options.onChange()
  }

  private async play(
    dialogue: Omit<Dialogue, 'snapshot' | 'want'>,
    from: () => FlowSnapshot,
    event: FlowEvent | null,
  ): Promise<void> {
    const turn = ++this.turn
    this.isWaiting = true
    this.options.onChange()
    try {
      const played = await advance(dialogue.flow, from(), event, (want, _n, at) => this.callFor(dialogue, want, at))
      if (turn !== this.turn) return
      const snapshot = stored(played.snapshot)
      const visited = [...dialogue.visited, played.want.screen]
      this.dialogue = { ...dialogue, snapshot, want: played.want, visited }
      if (played.want.do === 'end') this.options.onOver()
    } catch (error) {
      if (turn !== this.turn) return
      this.dialogue = undefined
      this.failed = error instanceof FlowFault ? `The flow fails here. ${error.message}` : (error as Error).message
      this.options.onOver()
    }
    this.isWaiting = false
    const { owed } = this
    this.owed = undefined
    this.options.onChange()
    if (owed) await this.changed(dialogue.name, owed)
  }

  /** The daemon's own calls are done here: an SMS is in the inbox at once, a chosen language is that of the next dial. */
  private async callFor(
    { name, compilation, input, events }: Omit<Dialogue, 'snapshot' | 'want'>,
    want: CallWant,
    at: FlowSnapshot,
  ): Promise<CallOutcome> {
    const language = typeof at.context.language === 'string' ? at.context.language : input.language
    const own = isOwnCall(want)
    const outcome = own
      ? this.ownCall(name, want)
      : await this.options.answers.answer(want, { name, compilation, at, msisdn: input.msisdn, language })
    const done = want.keyed && outcome.key === undefined ? { ...outcome, key: `dev-${events.length}` } : outcome
    this.options.onChange()
    events.push({ event: outcomeEvent(done), operation: `${want.backend}.${want.operation}` })
    return done
  }

  private ownCall(name: string, { backend, operation, args }: CallWant): CallOutcome {
    const call = `${backend}.${operation}`
    if (call === SMS_SEND) this.keep(name, args)
    else if (call === SMS_CANCEL) {
      const at = this.inbox.findIndex(({ key }) => key !== '' && key === String(args.key))
      if (at >= 0) this.inbox.splice(at, 1)
    } else if (typeof args.language === 'string') this.language = args.language
    return { is: 'data', data: {} }
  }

  private keep(name: string, { text, at, key = '', 'before-of': of, 'before-by': by }: JsonObject): void {
    const before = of === undefined ? '' : `${String(by)} before ${String(of)}`
    const sms = { atMs: this.options.clock.now(), from: name, text: String(text), key: String(key) }
    const same = this.inbox.findIndex((one) => one.key !== '' && one.key === sms.key)
    if (same >= 0) this.inbox.splice(same, 1)
    this.inbox.push({ ...sms, when: at === undefined ? before : String(at) })
    if (this.inbox.length > INBOX_MAX) this.inbox.shift()
  }

  private close(): void {
    const wasOpen = this.isWaiting || (this.dialogue !== undefined && this.dialogue.want.do !== 'end')
    this.turn++
    this.isWaiting = false
    this.owed = undefined
    this.dialogue = undefined
    if (wasOpen) this.options.onOver()
  }

  private fails(why: string): void {
    this.failed = why
    this.options.onChange()
  }
}

function codesOf(services: readonly { code: string; name: string }[]): string {
  const all = services.map(({ code, name }) => `${code} is ${name}`)
  return all.length === 0 ? 'there is no flow file yet' : all.join(', ')
}
