/** The dental module's own settings, as in the configuration. */
import { z } from 'zod'
import type { ModuleDeps } from '../../src/plugin/index.ts'
import type { DentalSettings } from './settings.ts'
import { wordingsIn } from './texts.ts'

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
  smsFile: z
    .string()
    .transform((file, issue) => {
      try {
        return wordingsIn(file)
      } catch (error) {
        issue.addIssue({ code: 'custom', message: (error as Error).message })
        return z.NEVER
      }
    })
    .exactOptional()
    .describe('YAML file with the texts of its SMS, as samples/dental/sms.yaml has them'),
})

/** Reads them. Throws what `readSettings` throws; each problem has its place. */
export function dentalOptions({ readSettings }: Pick<ModuleDeps, 'readSettings'>): Partial<DentalSettings> {
  const { smsFile: wordings, ...rest } = readSettings(schema)
  return { ...rest, ...(wordings === undefined ? {} : { wordings }) }
}
