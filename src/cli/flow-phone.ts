/** A phone on which a flow is played in this process: no simulator, no daemon, no store. */
import {
  advance,
  type CallOutcome,
  type CallWant,
  type CompiledFlow,
  type FlowEvent,
  type FlowSnapshot,
  type Want,
} from '../flow/engine/index.ts'
import type { Left } from '../flow/talk/index.ts'
import { SMS_SEND } from '../flow/language/index.ts'
import { frame, type TerminalPhone, type TerminalView } from '../simulator/index.ts'
import { routeCode, alphabetOf, count, fits, USSD_PAGE } from '../ussd/index.ts'

export interface FlowPhoneOptions {
  /** The service code: what is dialled behind it are answers. */
  code: string
  msisdn: string
  language: string
  now: string
  isTty: boolean
  say(text: string): void
  call(want: CallWant, language: string): Promise<CallOutcome>
}

/** What may be typed instead of an answer. */
const LOST = ':lost'
const HANG_UP = ':hang up'

/**
 * `left`: how the dialogue was left, if it did not end. A line `:lost` is the network's doing: it dials again at once.
 */
export function flowPhone(
  flow: CompiledFlow,
  options: FlowPhoneOptions,
): { phone: TerminalPhone; left(): Left | undefined } {
  const { code, msisdn, language, now, say, isTty } = options
  const inbox: TerminalView['inbox'] = []
  let snapshot: FlowSnapshot | undefined
  let want: Exclude<Want, { do: 'call' }> | undefined
  let left: Left | undefined
  let failed: string | null = null
  let dialled = code

  const view = (): TerminalView => ({ screen: want === undefined ? null : screenOf(want), failed, inbox: [...inbox] })

  async function play(from: FlowSnapshot, event: FlowEvent | null): Promise<void> {
    const spoken = typeof from.context.language === 'string' ? from.context.language : language
    const played = await advance(flow, stored(from), event, async (called) => {
      const outcome = await options.call(called, spoken)
      if (`${called.backend}.${called.operation}` === SMS_SEND && outcome.is === 'data')
        inbox.push({ from: flow.name, text: String(called.args.text) })
      return outcome
    })
    snapshot = stored(played.snapshot)
    want = played.want
    if (want.do !== 'notify') return
    say(frame(want.text, isTty))
    await play(snapshot, { type: 'ACK' })
  }

  async function dial(what: string, lost?: FlowSnapshot): Promise<void> {
    const found = routeCode([{ code }], what, '')
    if (!found) return void (failed = `${what} must begin with ${code}`)
    dialled = what
    await play(
      flow.begin({
        msisdn,
        code: what,
        line: 'talk',
        language,
        dialled: found.dialled,
        page: USSD_PAGE,
        now,
        ...(lost && flow.resumable(lost) ? { resume: lost } : {}),
      }),
      null,
    )
  }

  async function answer(text: string): Promise<void> {
    if (text === LOST) return dial(dialled, snapshot)
    if (text !== HANG_UP) return play(snapshot!, { type: 'ANSWER', text })
    left = 'hang-up'
    want = undefined
  }

  return {
    left: () => left,
    phone: {
      look: () => Promise.resolve(view()),
      async post(act, body) {
        try {
          if (act === 'dial') await dial((body as { code: string }).code)
          else if (act === 'answer') await answer((body as { text: string }).text)
          else if (act === 'hang-up') await answer(HANG_UP)
        } catch (error) {
          failed = (error as Error).message
        }
        return view()
      },
    },
  }
}

function screenOf({ text, do: does }: Exclude<Want, { do: 'call' }>): TerminalView['screen'] {
  return { text, open: does === 'ask', over: !fits(text, USSD_PAGE), units: count(text, alphabetOf(text)) }
}

const stored = (snapshot: FlowSnapshot) => JSON.parse(JSON.stringify(snapshot)) as FlowSnapshot
