/** A minute of made traffic for the demo: some phones dial, press, think, and hang up, as subscribers do. */
import type { Phone, Smsc } from '../../simulator/index.ts'
import type { Chance, Clock } from '../../ussd/index.ts'

export interface DemoTraffic {
  /** Begins, or goes on for a whole minute from now. */
  begin(): void
  /** Until when, wall clock; 0: nobody dials. */
  untilMs(): number
}

export interface DemoTrafficDeps {
  smsc: Pick<Smsc, 'phone'>
  clock: Clock
  chance: Chance
  codes: readonly string[]
  /** Nobody dials any more. */
  signal: AbortSignal
}

const MINUTE_MS = 60_000
const PHONES = 40
/** Not those of the people on the page. */
const NUMBER_FIRST = 67_570_001_000
const KEYS = ['1', '1', '2', '2', '3', '4', '0', '9']
const KEYS_MAX = 7
const [THINK_MS, PAUSE_MS] = [2_500, 6_000]
/** Of a hundred turns, so many end with the red key. */
const HANG_UP = 0.06

export function demoTraffic({ smsc, clock, chance, codes, signal }: DemoTrafficDeps): DemoTraffic {
  let until = 0
  let running = 0
  const wait = (mostMs: number) => new Promise<void>((done) => clock.after(200 + chance() * mostMs, done))
  const one = <T>(of: readonly T[]): T => of[Math.floor(chance() * of.length)]!
  const isOn = () => !signal.aborted && clock.now() < until

  async function talk(phone: Phone): Promise<void> {
    let screen = await phone.dial(one(codes))
    for (let n = 0; screen.open && n < KEYS_MAX && !signal.aborted; n++) {
      await wait(THINK_MS)
      if (chance() < HANG_UP) break
      screen = await phone.answer(one(KEYS))
    }
    if (screen.open) phone.hangUp()
  }

  async function subscriber(n: number): Promise<void> {
    const phone = smsc.phone(String(NUMBER_FIRST + n))
    while (isOn()) {
      await wait(PAUSE_MS)
      // A screen that does not come is part of it.
      if (isOn()) await talk(phone).catch(() => phone.hangUp())
    }
    running--
  }

  return {
    untilMs: () => (isOn() ? until : 0),
    begin() {
      until = clock.now() + MINUTE_MS
      for (; running < PHONES; running++) void subscriber(running)
    },
  }
}
