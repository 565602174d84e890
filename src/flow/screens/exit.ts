/** `exit`: the dialogue ends with the built-in `goodbye`. */
import { z } from 'zod'
import type { Scope } from '../expression/index.ts'
import { closingPlan } from '../plan/index.ts'
import type { ScreenKind } from './kind.ts'

const schema = z
  .strictObject({ exit: z.literal(true).describe('Always `true`.') })
  .describe('Ends the dialogue with the built-in `goodbye`.')

export type ExitScreen = z.infer<typeof schema> & { kind: 'exit' }

export const exitKind = {
  schema,
  does: 'end',
  targets: () => [],
  uses: () => {},
  caption: () => 'exit',
  pressed: () => '',
  plan: (_screen, env) =>
    closingPlan(
      env,
      Object.assign(({ context }: Scope) => env.word('goodbye', context), { reads: [] }),
      'exit',
    ),
} satisfies ScreenKind<ExitScreen>
