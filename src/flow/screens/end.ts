/** Screens that nothing is asked on: `notify`, `end` and `exit`. A text that is too long for a page gets pages. */
import type { DialogueContext } from '../../../machines/dialogue.ts'
import type { EndScreen, NotifyScreen } from '../language/index.ts'
import { fitLine, type Want } from '../engine/index.ts'
import { ends, offering, type Offer } from './offer.ts'
import { GOODBYE, type Env, type Plan } from './plan.ts'
import type { SayText } from '../text/index.ts'

export type Ending = Extract<Want, { do: 'end' }>['reason']

export function endPlan(screen: EndScreen, env: Env): Plan {
  return closingPlan(env, env.text(screen.end), screen.exit ? 'exit' : 'completed')
}

/** An end with this text. What failed on the way here is the reason, whatever the screen says. */
export function closingPlan(env: Env, text: SayText, reason: Ending): Plan {
  const offer = (context: DialogueContext): Offer => ({
    title: (valueMax) => text({ context }, { valueMax, lines: true }),
    options: [],
    closing: true,
  })
  const offered = offering(env, offer, (context) => ({ ...context, wrong: 0, dialled: [] }))
  return {
    kind: reason === 'exit' ? 'exit' : 'end',
    targets: env.name === GOODBYE ? [] : [GOODBYE],
    ...offered,
    want: (context) => {
      const asked = offered.want(context) as Extract<Want, { do: 'ask' }>
      if (!ends(offer(context), context)) return asked
      return {
        do: 'end',
        text: asked.text,
        screen: env.name,
        reason: context.failed ? 'backend-failed' : reason,
      }
    },
  }
}

export function notifyPlan(screen: NotifyScreen, env: Env): Plan {
  const text = env.text(screen.notify)
  return {
    kind: 'notify',
    targets: [screen.to],
    answer: (context, event) =>
      event.type === 'ACK' || event.type === 'ANSWER'
        ? { to: screen.to, context: { ...context, notice: '' } }
        : undefined,
    want: (context) => ({
      do: 'notify',
      screen: env.name,
      text: fitLine((valueMax) => text({ context }, { valueMax, lines: true }), context.page, context.notice),
    }),
  }
}
