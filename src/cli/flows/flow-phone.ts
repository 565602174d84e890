/** A phone on which a flow is played in this process: no simulator, no daemon, no store. */
import {
  advance,
  WORD_CODE,
  type CallOutcome,
  type CallWant,
  type CompiledFlow,
  type FlowEvent,
  type FlowSnapshot,
  type Want,
} from '../../flow/engine/index.ts'
import type { Left } from '../../flow/talk/index.ts'
import { SMS_SEND } from '../../flow/language/index.ts'
import { frame, type TerminalPhone, type TerminalView } from '../../simulator/index.ts'
import { routeCode, alphabetOf, count, fits, USSD_PAGE } from '../../ussd/index.ts'

export interface FlowPhoneOptions {
  /** The service code. What is dialled behind it are answers. */
  code: string
  msisdn: string
  language: string
  now: string
  isTty: boolean
  say(text: string): void
  call(want: CallWant, language: string): Promise<CallOutcome>
}

/** Typed in place of an answer. `:lost` means that the network lost the dialogue: the phone dials again at once. */
const LOST = ':lost'
const HANG_UP = ':hang up'

export class FlowPhone implements TerminalPhone {
  /** How the dialogue was left if it did not end. */
  left: Left | undefined
  private readonly flow: CompiledFlow
  private readonly options: FlowPhoneOptions
  private readonly inbox: TerminalView['inbox'] = []
  private snapshot: FlowSnapshot | undefined
  private want: Exclude<Want, { do: 'call' }> | undefined
  private failed: string | null = null
  private dialled: string

  constructor(flow: CompiledFlow, options: FlowPhoneOptions) {
    this.flow = flow
    this.options = options
    this.dialled = options.code
  }

  async look(): Promise<TerminalView> {
    const screen = this.want === undefined ? null : screenOf(this.want)
    return { screen, failed: this.failed, inbox: [...this.inbox] }
  }

  async post(act: Parameters<TerminalPhone['post']>[0], body: object): Promise<TerminalView> {
    try {
      if (act === 'dial') await this.dial((body as { code: string }).code)
      else if (act === 'answer') await this.answer((body as { text: string }).text)
      else if (act === 'hang-up') await this.answer(HANG_UP)
    } catch (error) {
      this.failed = (error as Error).message
    }
    return this.look()
  }

  private async dial(what: string, lost?: FlowSnapshot): Promise<void> {
    const { code, msisdn, language, now } = this.options
    const found = what.startsWith(WORD_CODE) ? { dialled: [] } : routeCode([{ code }], what, '')
    if (!found) return void (this.failed = `${what} must begin with ${code}`)
    this.dialled = what
    const begun = this.flow.begin({
      msisdn,
      code: what,
      line: 'talk',
      language,
      dialled: found.dialled,
      page: USSD_PAGE,
      now,
      ...(lost && this.flow.resumable(lost) ? { resume: lost } : {}),
    })
    await this.play(begun, null)
  }

  private async answer(text: string): Promise<void> {
    if (text === LOST) return this.dial(this.dialled, this.snapshot)
    if (text !== HANG_UP) return this.play(this.snapshot!, { type: 'ANSWER', text })
    this.left = 'hang-up'
    this.want = undefined
  }

  private async play(from: FlowSnapshot, event: FlowEvent | null): Promise<void> {
    const spoken = typeof from.context.language === 'string' ? from.context.language : this.options.language
    const played = await advance(this.flow, stored(from), event, (called) => this.call(called, spoken))
    this.snapshot = stored(played.snapshot)
    this.want = played.want
    if (this.want.do !== 'notify') return
    this.options.say(frame(this.want.text, this.options.isTty))
    await this.play(this.snapshot, { type: 'ACK' })
  }

  /** An SMS that the flow sends is in the inbox at once. */
  private async call(called: CallWant, language: string): Promise<CallOutcome> {
    const outcome = await this.options.call(called, language)
    if (`${called.backend}.${called.operation}` === SMS_SEND && outcome.is === 'data')
      this.inbox.push({ from: this.flow.name, text: String(called.args.text) })
    return outcome
  }
}

function screenOf({ text, do: does }: Exclude<Want, { do: 'call' }>): TerminalView['screen'] {
  return { text, open: does === 'ask', over: !fits(text, USSD_PAGE), units: count(text, alphabetOf(text)) }
}

const stored = (snapshot: FlowSnapshot) => JSON.parse(JSON.stringify(snapshot)) as FlowSnapshot
