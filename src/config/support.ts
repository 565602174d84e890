/** What exact texts of dialogues (`support.transcriptDays`) need of the other settings. */
import type { Problem } from '../base/index.ts'
import type { Given } from './explain.ts'
import type { Settings } from './schema.ts'

export function supportProblems({ support, privacy, records }: Settings, where: Given['where']): Problem[] {
  if (support.transcriptDays === 0) return []
  const at = where(['support', 'transcriptDays'])
  const problems: Problem[] = []
  if (privacy.storeKeyFile === undefined)
    problems.push({
      where: at,
      what: 'support.transcriptDays keeps what subscribers read and typed, and there is no key to seal it with',
      remedy: 'set privacy.storeKeyFile (`ussd-connector store-key` makes the file), or support.transcriptDays: 0',
    })
  if (records.to !== 'postgres')
    problems.push({
      where: at,
      what: 'support.transcriptDays keeps texts beside call detail records in Postgres, and there are none (records.to)',
      remedy: 'set records.to: postgres, or support.transcriptDays: 0',
    })
  return problems
}
