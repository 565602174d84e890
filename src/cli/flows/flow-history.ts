/** `flow history`: who decided what about a flow, when and why, and which file each daemon took. */
import type { FlowEventRow } from '../../watch/index.ts'
import { asJson, askAdmin, type AdminOptions } from '../admin.ts'
import type { Say } from '../arguments.ts'
import { tableOf } from '../table.ts'

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
  if (json) return say(asJson(events))
  if (events.length === 0) return say('nothing was decided about this flow, and no daemon took a file of it')
  for (const line of tableOf(HEAD, events.map(rowOf))) say(line)
}

const HEAD = ['AT', 'DID', 'REVISION', 'SHARE', 'BEFORE', 'BY', 'DAEMON', 'WHY, OR WHICH FILE']

/** Who decided and why; or which daemon took which file. */
function rowOf({ at, did, revision, before, share, by, reason, instance, file, hash }: Told): string[] {
  return [
    `${at.slice(0, 19).replace('T', ' ')}Z`,
    WORDS[did] ?? did,
    revision ?? '-',
    share === null ? '-' : `${share / HUNDREDTHS} %`,
    before === revision ? '-' : (before ?? '-'),
    did === 'file' ? '-' : by || '-',
    instance || '-',
    file === null ? reason : `${file} sha256 ${hash}`,
  ]
}

/** What earlier builds did is told by triggers of the database, which cannot tell a publish from a rollback. */
const WORDS: Readonly<Record<string, string>> = { serve: 'serves', 'canary-end': 'trial over', file: 'took file' }
