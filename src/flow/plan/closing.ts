/** The last page of a dialogue. A text that is too long for one page gets several. */
import type { DialogueContext } from '../../../machines/dialogue.ts'
import type { Want } from '../engine/index.ts'
import type { SayText } from '../text/index.ts'
import { ends, offering, type Offer } from './offer.ts'
import { GOODBYE, type Env, type Plan } from './plan.ts'
import type { RowLines } from './rows.ts'

export type Ending = Extract<Want, { do: 'end' }>['reason']

/**
 * Ends the dialogue with this text. If something failed on the way here, that is the reason of the end, whatever the
 * screen says.
 */
export function closingPlan(env: Env, text: SayText, reason: Ending, rows?: RowLines): Plan {
  const offer = (context: DialogueContext): Offer => ({
    title: (valueMax) => {
      const filling = { valueMax, lines: true }
      return text({ context, rows: rows?.(context, filling) }, filling)
    },
    lines: rows !== undefined,
    options: [],
    closing: true,
  })
  const reads = [...text.reads, ...(rows?.reads ?? [])]
  const offered = offering(env, offer, (context) => ({ ...context, wrong: 0, dialled: [] }), reads)
  return {
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
