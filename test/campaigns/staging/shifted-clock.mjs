/**
 * Loaded before a daemon of the campaign `clocks` (`--import`): its wall clock is off by the milliseconds that the file
 * of USSD_TEST_CLOCK_FILE says, which may change while it runs. Timers and performance.now() go on as they do, as on a
 * machine whose clock is wrong, or is set.
 */
import { readFileSync } from 'node:fs'

const file = process.env.USSD_TEST_CLOCK_FILE
const LOOK_MS = 20
const RealDate = Date
let offMs = 0

const look = () => {
  try {
    offMs = Number(readFileSync(file, 'utf8')) || 0
  } catch {
    // It is being written.
  }
}
const now = () => RealDate.now() + offMs

if (file) {
  look()
  setInterval(look, LOOK_MS).unref()
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, given, made) => Reflect.construct(target, given.length ? given : [now()], made),
    apply: () => new RealDate(now()).toString(),
    get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  })
}
