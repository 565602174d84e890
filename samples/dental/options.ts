/** The dental module's own settings, as they stand in the configuration. */
import { z } from 'zod'
import type { ModuleDeps } from '../../src/plugin/index.ts'
import type { DentalSettings } from './settings.ts'

const schema = z.strictObject({
  listCancelled: z.boolean().exactOptional().describe('show cancelled appointments in the list'),
  tailored: z
    .boolean()
    .exactOptional()
    .describe('show the appointment type that is due next, and the last clinic, first'),
  holdMs: z
    .number()
    .int()
    .min(1_000)
    .max(3_600_000)
    .exactOptional()
    .describe('how long a slot is held while the subscriber decides; longer than a dialogue may last'),
})

/** Reads them; throws what `readSettings` throws, each problem at its place. */
export function dentalOptions({ readSettings }: Pick<ModuleDeps, 'readSettings'>): Partial<DentalSettings> {
  return readSettings(schema)
}
