/** How long an SMS waits before it is tried again. Pure. */
import type { Chance } from '../../ussd/index.ts'

/** By then the SMSC has asked for patience for a good quarter of an hour or more. */
export const TRIES_MAX = 20
/** ESME_RMSGQFUL: the subscriber's queue is full, and no hurry empties it. (SMPP v3.4 §5.1.3) */
const QUEUE_FULL = 0x14
const QUEUE_FULL_MS = [30_000, 180_000] as const
const FIRST_MS = 1_000
const LAST_MS = 60_000
/** Not written at all: as soon as the bind is likely to be back. */
const UNSENT_MS = [1_000, 5_000] as const

/** After a temporary status. `tries` counts from 1. */
export function laterMs(status: number, tries: number, chance: Chance): number {
  if (status === QUEUE_FULL) return between(QUEUE_FULL_MS, chance)
  return between([0.5, 1], chance) * Math.min(LAST_MS, FIRST_MS * 2 ** Math.min(tries, 16))
}

export function unsentMs(chance: Chance): number {
  return between(UNSENT_MS, chance)
}

function between([least, most]: readonly [number, number], chance: Chance): number {
  return least + (most - least) * chance()
}
