/** `flow history`: who decided what about a flow, when and why, and which file each daemon took. */
import type { FlowEventRow } from '../../watch/index.ts'
import { askAdmin, type AdminOptions } from '../admin.ts'
import type { Say } from '../arguments.ts'

export interface HistoryOptions extends AdminOptions {
  last?: number
  json?: boolean
}

/** As JSON has it. */
type Told = Omit<FlowEventRow, 'at'> & { at: string }

const HUNDREDTHS = 100

export async function historyOfFlow(name: string, { last, json, ...options }: HistoryOptions, say: Say): Promise<void> {
  const query = last === undefined ? '' : `?last=${last}`
  const path = `/v1/flows/${encodeURIComponent(name)}/history${query}`
  const { events } = await askAdmin<{ events: Told[] }>(options, 'GET', path)
  if (json) return say(JSON.stringify(events, null, 2))
  if (events.length === 0) return say('nothing was decided about this flow, and no daemon took a file of it')
  for (const event of events) say(lineOf(event))
}

/** When, what, which revision in place of which, by whom, why. */
function lineOf({ at, did, revision, before, share, by, reason, instance, file, hash }: Told): string {
  const on = share === null ? '' : ` to ${share / HUNDREDTHS} %`
  const was = before === null || before === revision ? '' : ` (before: ${before})`
  const what = `${(WORDS[did] ?? did).padEnd(12)} ${revision ?? '-'}${on}${was}`
  const where = file === null ? [] : [`${file} sha256 ${hash}`]
  const who = did === 'file' ? [instance] : [`by ${by || '-'}${reason ? `: ${reason}` : ''}`]
  return [`${at.slice(0, 19).replace('T', ' ')}Z`, what, ...who, ...where].join('  ')
}

/** What earlier builds did is told by triggers of the database, which cannot tell a publish from a rollback. */
const WORDS: Readonly<Record<string, string>> = { serve: 'serves', 'canary-end': 'trial over', file: 'took file' }
