/** `flow` and `return`: call a part, and return from it. They become other screens when the file is read. */
import { z } from 'zod'
import type { Scalar } from '../expression/index.ts'
import { handed, name, values } from '../terms/index.ts'
import type { WrittenKind } from './kind.ts'
import { target } from '../plan/index.ts'

const flowSchema = z
  .strictObject({
    flow: name.describe('The part: `pay` is the file `parts/pay.yaml`.'),
    with: handed
      .optional()
      .describe('The values to pass. `{path}` alone passes the value itself; a text may be in several languages.'),
    gives: z
      .record(name, name)
      .optional()
      .meta({ title: '`{ name: value returned }`' })
      .describe('Which of the returned values to keep, in `vars`.'),
    to: name.describe('The screen that comes after the part returned.'),
    exits: z
      .record(name, name)
      .optional()
      .meta({ title: '`{ return: screen }`' })
      .describe('Where returns of these names lead instead.'),
  })
  .describe('Runs the screens of a part, and comes back.')

/** A call of a part, after texts in several languages were separated. */
export type FlowScreen = Omit<z.infer<typeof flowSchema>, 'with'> & { kind: 'flow'; with?: Record<string, Scalar> }

export const flowKind = {
  schema: flowSchema,
  targets: (screen) => [
    ...Object.entries(screen.exits ?? {}).flatMap(([exit, to]) => target(to, 'exits', exit)),
    ...target(screen.to, 'to'),
  ],
  uses: (screen, tell) => tell.values(screen.with, 'with'),
} satisfies WrittenKind<FlowScreen>

const returnSchema = z
  .strictObject({
    return: name.describe('The name of this return.'),
    give: values.optional().describe('Values for the caller.'),
  })
  .describe('In a part: goes back to the caller.')

/** Returns from a part. */
export type ReturnScreen = z.infer<typeof returnSchema> & { kind: 'return' }

export const returnKind = {
  schema: returnSchema,
  targets: () => [],
  uses: (screen, tell) => tell.values(screen.give, 'give'),
} satisfies WrittenKind<ReturnScreen>
