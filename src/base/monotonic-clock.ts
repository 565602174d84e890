/**
 * Time that never goes back, for spans within this process: while the wall clock is set back it stands for a moment,
 * and goes on from there. Without it a pause of a second lasts an hour when the clock is set back by one. It is no time
 * of day: what is written down, or compared with another machine's, is by the clock itself.
 */
export function monotonicClock(clock: { now(): number }): () => number {
  let aheadMs = 0
  let lastMs = clock.now()
  return () => {
    const nowMs = clock.now() + aheadMs
    if (nowMs < lastMs) aheadMs += lastMs - nowMs
    else lastMs = nowMs
    return lastMs
  }
}
