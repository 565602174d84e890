/** `flow` and `return`: into a part, and out of it. They become other screens when the file is read. */
import { z } from 'zod'
import type { Scalar } from '../expression/index.ts'
import { handed, name, values } from '../terms/index.ts'
import type { WrittenKind } from './kind.ts'
import { target } from './routes.ts'

const flowSchema = z
  .strictObject({
    flow: name.describe('The part: `pay` is the file `parts/pay.yaml`.'),
    with: handed
      .optional()
      .describe('What it takes. `{path}` alone hands on the value itself; a text may be in each language.'),
    gives: z
      .record(name, name)
      .optional()
      .meta({ title: '`{ name: value returned }`' })
      .describe('What is kept of the values that it returns, in `vars`.'),
    to: name.describe('The screen that comes after it has returned.'),
    exits: z
      .record(name, name)
      .optional()
      .meta({ title: '`{ return: screen }`' })
      .describe('Where returns by these names lead instead.'),
  })
  .describe('Goes through the screens of a part, with names of their own, and comes back.')

/** Calls a part; texts in several languages have been taken apart. */
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
    return: name.describe('The name of this way out.'),
    give: values.optional().describe('Values for whoever called.'),
  })
  .describe('In a part: goes back to what called it.')

/** Leads out of a part. */
export type ReturnScreen = z.infer<typeof returnSchema> & { kind: 'return' }

export const returnKind = {
  schema: returnSchema,
  targets: () => [],
  uses: (screen, tell) => tell.values(screen.give, 'give'),
} satisfies WrittenKind<ReturnScreen>
