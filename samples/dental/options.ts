/** The dental module's own settings, as they stand in the configuration. */
import { z } from 'zod'
import type { ModuleDeps } from '../../src/plugin/index.ts'
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

/** Reads them; throws what `readSettings` throws, each problem at its place. */
export function dentalOptions({ readSettings }: Pick<ModuleDeps, 'readSettings'>): Partial<DentalSettings> {
  return readSettings(schema)
}
