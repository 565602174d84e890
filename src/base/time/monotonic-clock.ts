/**
 * A clock that never goes back, for durations within this process. When the wall clock is set back, this clock stops
 * for a moment and then continues. Without it, a pause of a second would last an hour after the wall clock was set back
 * by an hour. It does not give the time of day: use the wall clock for what is stored or compared with other machines.
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
