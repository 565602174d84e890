/** `end`: a text with which the dialogue ends. */
import { z } from 'zod'
import { text } from '../terms/index.ts'
import { closingPlan, fitsPage } from '../plan/index.ts'
import type { ScreenKind } from './kind.ts'
import { linesOf, pickTextRows, rows, rowsOfText, usesOfRows } from './text-rows.ts'

const schema = z
  .strictObject({
    end: text.describe('The last text of the dialogue.'),
    rows,
    exit: z.boolean().default(false).describe('Counts the dialogue as left, not as completed.'),
  })
  .describe('Ends the dialogue with a text.')

export type EndScreen = z.infer<typeof schema> & { kind: 'end' }

export const endKind = {
  schema,
  does: 'end',
  targets: () => [],
  uses(screen, tell) {
    tell.text('closing', screen.end, 'end')
    usesOfRows(screen.rows, 'closing', tell)
  },
  rows: (screen) => rowsOfText(screen.rows, screen.end),
  picks: (screen, zone) => pickTextRows(screen.rows, zone),
  caption: (screen, first) => first(screen.end),
  pressed: () => '',
  overfull: ({ end }, { say }) =>
    fitsPage(say(end, 'likely')) ? [] : [{ severity: 'warning', what: ' takes more than one page' }],
  plan: (screen, env) =>
    closingPlan(env, env.text(screen.end), screen.exit ? 'exit' : 'completed', linesOf(screen.rows, env)),
} satisfies ScreenKind<EndScreen>
