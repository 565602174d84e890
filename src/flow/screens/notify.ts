/** `notify`: shows a text without a question. */
import { z } from 'zod'
import { fitLine } from '../engine/index.ts'
import { text } from '../terms/index.ts'
import type { ScreenKind } from './kind.ts'
import { fitsPage, unpaged } from './measure.ts'
import type { Env, Plan } from './plan.ts'
import { target, to } from './routes.ts'

const schema = z
  .strictObject({ notify: text.describe('The text to show.'), to })
  .describe('Shows a text without a question; goes on once the handset has shown it.')

export type NotifyScreen = z.infer<typeof schema> & { kind: 'notify' }

export const notifyKind = {
  schema,
  does: 'tell',
  onePage: true,
  targets: (screen) => target(screen.to, 'to'),
  uses: (screen, tell) => tell.text('notify', screen.notify, 'notify'),
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
  const say = env.text(screen.notify)
  return {
    targets: [screen.to],
    answer: (context, event) =>
      event.type === 'ACK' || event.type === 'ANSWER'
        ? { to: screen.to, context: { ...context, notice: '' } }
        : undefined,
    want: (context) => ({
      do: 'notify',
      screen: env.name,
      text: fitLine((valueMax) => say({ context }, { valueMax, lines: true }), context.page, context.notice),
    }),
  }
}
