/**
 * What builds before the first release left in Redis: `prefix:{b<n>}:d:…` were dialogues, `prefix:{b<n>}:due` their
 * deadlines, in a form that is no longer read.
 */
import { BUCKETS } from '../../dialogue/index.ts'
import { UsageError } from '../../base/index.ts'
import type { Client } from './servers.ts'

/** How many names of one bucket are checked: a live dialogue is among the last that become due. */
const NAMES_MAX = 100

/**
 * Throws UsageError while such a dialogue is alive. Removes deadlines of dialogues that are gone. If Redis does not
 * answer, it is not asked again: a start does not wait for it.
 */
export async function refuseEarlierDialogues(client: Client, prefix: string): Promise<void> {
  const buckets = Array.from({ length: BUCKETS }, (_, n) => `${prefix}:{b${n}}`)
  const living = await Promise.all(buckets.map((bucket) => livesIn(client, bucket))).catch((): boolean[] => [])
  if (!living.includes(true)) return
  throw new UsageError(
    `Redis has open dialogues of a build before the first release, in keys ${prefix}:{b…}:d:…: stop its daemons, ` +
      'then wait until their dialogues have ended (dialogue.totalMs), or delete those keys',
  )
}

async function livesIn(client: Client, bucket: string): Promise<boolean> {
  const names = await client.zrevrange(`${bucket}:due`, 0, NAMES_MAX - 1)
  if (names.length === 0) return false
  const found = await Promise.all(names.map((name) => client.exists(`${bucket}:d:${name}`)))
  if (found.includes(1)) return true
  await client.del(`${bucket}:due`)
  return false
}
