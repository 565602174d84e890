/** The dental module's own settings, as they stand in the configuration. */
import { z } from 'zod'
import { ProblemsError } from '../../src/base/index.ts'
import type { DentalSettings } from './settings.ts'

const schema = z.strictObject({
  listCancelled: z.boolean().exactOptional().describe('show cancelled appointments in the list'),
  tailored: z.boolean().exactOptional().describe('type due next and last clinic first'),
  holdMs: z
    .number()
    .int()
    .min(1_000)
    .max(3_600_000)
    .exactOptional()
    .describe('a slot asked about is held this long; longer than a dialogue may last'),
})

/** Reads them; throws ProblemsError, each problem at `where`. */
export function dentalOptions(given: Record<string, unknown>, where: string): Partial<DentalSettings> {
  const read = schema.safeParse(given)
  if (read.success) return read.data
  throw new ProblemsError(
    where,
    read.error.issues.map((issue) => ({ where: [where, ...issue.path].join('.'), what: issue.message })),
  )
}
