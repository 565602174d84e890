/** The schema of `branch`: by conditions on what is known, or on the rows of a list. */
import { z } from 'zod'
import { condition, name, path } from './schema-terms.ts'

const arm = z
  .strictObject({ if: condition, to: name.describe('The screen that comes next.') })
  .meta({ title: '`{ if, to }`' })

export const branch = z
  .strictObject({
    branch: z
      .array(arm)
      .min(1)
      .describe('The first whose condition holds is taken; with `over`, the first that holds for some row.'),
    else: name.describe('The screen that comes next when no condition holds.'),
    over: path.optional().describe('Rows that the conditions are about: `row.…` are the fields of one.'),
    as: name
      .optional()
      .describe(
        "With `over`: the first row that it holds for is `chosen.<as>` from then on. Without it: the screen's name.",
      ),
    keep: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('With `over`: fields of the row that are kept. Without it: all of them.'),
    empty: name
      .optional()
      .describe('With `over`: the screen that comes next when there are no rows. Without it: that of `else`.'),
  })
  .describe('Shows nothing; leads on by conditions.')
