/** The ordered end of a daemon: it finishes every message that it acknowledged before its binds go. */
import type { Gateway } from '../gateway/index.ts'
import type { Clock } from '../ussd/index.ts'

/** What of `stopMs` is kept for unbind and its response. An SMSC that is well answers within milliseconds. */
const UNBIND = { share: 0.25, mostMs: 2_000 }

/** Wall-clock milliseconds: until when replies are awaited, and when the binds are gone. */
export function stopTimes(nowMs: number, stopMs: number): { repliesMs: number; goneMs: number } {
  const goneMs = nowMs + stopMs
  return { repliesMs: goneMs - Math.min(stopMs * UNBIND.share, UNBIND.mostMs), goneMs }
}

/**
 * How often to check whether everything is done: often, because under load there are only short moments without a turn.
 */
const LOOK_MS = 20

type Drained = Pick<Gateway, 'drain' | 'turnsUnderWay' | 'requestsUnderWay'>

/**
 * No new dialogues from now on. Resolves when no request runs and no reply is owed, at the latest at `untilMs`. It does
 * not wait for resting dialogues: they continue at the next key, after the restart or on another daemon.
 */
export async function drain(gateway: Drained, clock: Clock, untilMs: number): Promise<void> {
  gateway.drain()
  while (clock.now() < untilMs) {
    if (gateway.requestsUnderWay() === 0 && gateway.turnsUnderWay() === 0) return
    await new Promise<void>((done) => clock.after(LOOK_MS, done))
  }
}
