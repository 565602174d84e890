/** The PIN module's own settings, as in the configuration. */
import { z } from 'zod'
import { ProblemsError } from '../../base/index.ts'
import { PIN_DEFAULTS, type PinSettings } from './module.ts'

const schema = z.strictObject({
  digits: z
    .strictObject({ min: z.int().min(4).max(12), max: z.int().min(4).max(12) })
    .optional()
    .describe('digits of a PIN; somebody can guess fewer than four in an afternoon'),
  tries: z.int().min(1).max(10).optional().describe('wrong tries in a row that lock the PIN'),
  lockMs: z
    .int()
    .min(60_000)
    .max(7 * 86_400_000)
    .optional()
    .describe('how long the PIN stays locked; it then opens by itself. Each further lock in a row is twice as long'),
  lockMaxMs: z
    .int()
    .min(60_000)
    .max(30 * 86_400_000)
    .optional()
    .describe('the longest lock'),
})

/** Reads them. Throws ProblemsError; each problem is at `where`. */
export function pinOptions(given: Record<string, unknown>, where: string): PinSettings {
  const read = schema.safeParse(given)
  if (!read.success) {
    throw new ProblemsError(
      where,
      read.error.issues.map((issue) => ({ where: [where, ...issue.path].join('.'), what: issue.message })),
    )
  }
  return {
    digits: read.data.digits ?? PIN_DEFAULTS.digits,
    tries: read.data.tries ?? PIN_DEFAULTS.tries,
    lockMs: read.data.lockMs ?? PIN_DEFAULTS.lockMs,
    lockMaxMs: read.data.lockMaxMs ?? PIN_DEFAULTS.lockMaxMs,
  }
}
