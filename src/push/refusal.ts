/** What it means when an SMSC refuses USSD that we begin. Pure. */
import type { StatusPolicy } from '../ussd/index.ts'

/**
 * absent: the handset is off, out of coverage or busy with something else, or the network does not say · later: the
 * network is too busy now · unsupported: the network does not let us begin, or not in this way · bad-number: it will
 * never accept this subscriber's number.
 */
export type PushRefusal = 'absent' | 'later' | 'unsupported' | 'bad-number'

export function pushRefusalOf({ push, whose }: Pick<StatusPolicy, 'push' | 'whose'>): PushRefusal {
  if (push === 'never') return whose === 'subscriber' ? 'bad-number' : 'unsupported'
  return push === 'later' ? 'absent' : 'later'
}
