/**
 * Flows that a word by SMS starts: played to their end, without the subscriber. Such a flow asks nothing, and no call
 * that changes something is made: the sender of an SMS proves nothing, and has confirmed nothing. `check --config`
 * refuses flows that could; here it is held.
 */
import type { Backend } from '../../backend/index.ts'
import { dialogueInLog } from '../../base/index.ts'
import { playTurn, type DialogueRecord, type TurnDeps } from '../../dialogue/index.ts'
import { WORD_CODE } from '../../flow/engine/index.ts'
import type { Lines } from '../lines/index.ts'
import type { Runtime } from '../runtime.ts'
import { USSD_PAGE } from '../../ussd/index.ts'

export interface WordFlowDeps extends Pick<TurnDeps, 'flows' | 'chosenLanguage'> {
  backend(name: string): Backend | undefined
  lines: Pick<Lines, 'get'>
}

export interface WordAsked {
  /** As the settings have it. */
  word: string
  flow: string
  msisdn: string
  line: string
}

/** SMSCs wait some ten seconds for the response; the answer is stored before it. */
const PLAY_MS_MAX = 5_000

/** Never rejects: `texts.busy` if the flow has no text. */
export function wordPlayer(runtime: Runtime, deps: WordFlowDeps): (asked: WordAsked) => Promise<string> {
  const { settings, clock, log } = runtime
  return async (asked) => {
    const record = recordOf(runtime, deps, asked)
    const { flow } = asked
    const give = (why: string) => {
      log.warn(
        { flow, why, ...dialogueInLog(record) },
        'a flow that a word by SMS started has no answer: the busy text is sent',
      )
      return settings.texts.busy
    }
    try {
      const played = await playTurn(
        record,
        { flow, dialled: [], lost: null },
        { deadlineMs: clock.now() + Math.min(settings.dialogue.turnMs, PLAY_MS_MAX) },
        {
          flows: deps.flows,
          ...(deps.chosenLanguage ? { chosenLanguage: deps.chosenLanguage } : {}),
          clock,
          log,
          language: settings.dialogue.language,
          backend: (name) => changingNothing(deps.backend(name), runtime, flow),
          page: deps.lines.get(asked.line)?.dialect.page ?? USSD_PAGE,
        },
      )
      if (!played) return give('there is no such flow')
      return played.ended === null ? give('it asks a question') : played.reply.text
    } catch (error) {
      return give((error as Error).name)
    }
  }
}

/** The same back end, without calls that change something. */
function changingNothing(
  backend: Backend | undefined,
  { log, metrics }: Pick<Runtime, 'log' | 'metrics'>,
  flow: string,
): Backend | undefined {
  return (
    backend && {
      name: backend.name,
      async call(operation, args, context) {
        if (!context.once) return backend.call(operation, args, context)
        const said = { backend: backend.name, operation }
        metrics.count('backend_calls_total', { ...said, result: 'refused-call' })
        log.warn(
          { ...said, flow, ...dialogueInLog(context) },
          'a flow that a word by SMS started makes no call that changes something',
        )
        return { is: 'failed', why: 'refused-call', detail: 'by SMS' }
      },
    }
  )
}

/** It is never stored. */
function recordOf({ clock, mint }: Runtime, { lines }: WordFlowDeps, asked: WordAsked): DialogueRecord {
  const { msisdn, line, word } = asked
  return {
    key: { group: lines.get(line)?.group ?? line, msisdn },
    epoch: mint.epoch(),
    status: 'taken',
    network: '',
    turn: 1,
    revision: '',
    code: `${WORD_CODE}${word}`,
    line,
    snapshot: null,
    answer: { kind: 'begin', text: '', step: null },
    reply: null,
    returnPath: { from: [1, 1, msisdn], to: [0, 1, ''], serviceType: '', carrier: '' },
    openedMs: clock.now(),
    touchedMs: clock.now(),
    ended: null,
  }
}
