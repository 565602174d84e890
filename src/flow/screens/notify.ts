/** `notify`: shows a text without a question. */
import { z } from 'zod'
import type { DialogueContext } from '../../../machines/dialogue.ts'
import { fitLine, pageFor } from '../engine/index.ts'
import { text } from '../terms/index.ts'
import type { ScreenKind } from './kind.ts'
import { fitsPage, unpaged, type Env, type Plan, target, to } from '../plan/index.ts'
import { linesOf, pickTextRows, rows, rowsOfText, usesOfRows } from './text-rows.ts'

const schema = z
  .strictObject({ notify: text.describe('The text to show.'), rows, to })
  .describe('Shows a text without a question; goes on once the handset has shown it.')

export type NotifyScreen = z.infer<typeof schema> & { kind: 'notify' }

export const notifyKind = {
  schema,
  does: 'tell',
  onePage: true,
  targets: (screen) => target(screen.to, 'to'),
  uses(screen, tell) {
    tell.text('notify', screen.notify, 'notify')
    usesOfRows(screen.rows, 'notify', tell)
  },
  rows: (screen) => rowsOfText(screen.rows, screen.notify),
  picks: (screen, zone) => pickTextRows(screen.rows, zone),
  caption: (screen, first) => first(screen.notify),
  pressed: () => '(shown)',
  overfull: ({ notify }, { say }) =>
    unpaged(
      { never: !fitsPage(say(notify, 'none')), likely: !fitsPage(say(notify, 'likely')) },
      { over: ' is longer than a page', thing: 'notification' },
    ),
  plan: notifyPlan,
} satisfies ScreenKind<NotifyScreen>

function notifyPlan(screen: NotifyScreen, env: Env): Plan {
  const text = env.text(screen.notify)
  const lines = linesOf(screen.rows, env)
  const say = (context: DialogueContext, valueMax: number | undefined) => {
    const filling = { valueMax, lines: true }
    return text({ context, rows: lines?.(context, filling) }, filling)
  }
  return {
    targets: [screen.to],
    answer: (context, event) =>
      event.type === 'ACK' || event.type === 'ANSWER'
        ? { to: screen.to, context: { ...context, notice: '' } }
        : undefined,
    want: (context) => ({
      do: 'notify',
      screen: env.name,
      text: fitLine((valueMax) => say(context, valueMax), pageFor(context), context.notice),
    }),
  }
}
