/** Seizes what is due. Each entry goes to one of the daemons that ask. */
import { recordsFor, type Recording } from './cdr.ts'
import type { Decider } from './decider.ts'
import { recordOf, tokenOf } from './entry.ts'
import { seize, type Seizing } from './outcome.ts'
import type { DialogueLimits, DialogueRegister, Overdue } from './types.ts'

export interface Sweeping {
  register: DialogueRegister
  decider: Decider
  limits: DialogueLimits
  recording?: Recording | undefined
}

export async function seizeDue(deps: Sweeping, limit: number, seizing: Seizing): Promise<Overdue[]> {
  const names = await deps.register.due(seizing.nowMs, limit)
  const seized = await Promise.allSettled(names.map((name) => seizeOne(deps, name, seizing)))
  const failed = seized.find((one) => one.status === 'rejected')
  // What was seized before the failure belongs to this caller.
  if (failed && seized.every((one) => one.status === 'rejected')) throw failed.reason
  return seized.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
}

async function seizeOne(
  { register, decider, limits, recording }: Sweeping,
  name: string,
  seizing: Seizing,
): Promise<Overdue[]> {
  const { nowMs } = seizing
  const now = await register.read(name, { nowMs, unreadable: 'leave' })
  if (now === null) await register.touch(name, null, null, nowMs)
  if (!now) return []
  const { is, entry, deadlineMs: dueMs } = seize(now.entry, seizing, limits)
  const stays = entry === now.entry
  if (stays && !(await register.touch(name, entry.version, dueMs, nowMs))) return []
  const records = recordsFor(recording, is === 'ended' ? entry : null)
  const claim = { from: now, entry, nowMs, dueMs, dueByMs: nowMs, records }
  const written = stays ? { held: now } : await decider.write(name, claim, 'leave')
  if (is === 'nothing' || !('held' in written)) return []
  const record = recordOf(entry)
  if (is !== 'abandoned') return [{ is, record }]
  const previous = entry.previous && recordOf(entry.previous)
  return [{ is, record, token: tokenOf(entry.version), previous, held: written.held }]
}
