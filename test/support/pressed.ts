/** A key of a subscriber who presses it again where the machine stood still. */
import type { HandsetScreen } from '../../src/simulator/network/network.ts'
import type { Phone } from '../../src/simulator/phone/phone.ts'

/** After so long without another screen, who has the one before still there presses again. */
const AGAIN_MS = 5_000

/**
 * The screen after a key. The screen before it may come again: lost with its link, in ng-node under a number by chance,
 * which the simulator takes for no repeat. If nothing else comes, the daemon stood still for a second, and where no
 * counter tells, the key gets the current screen: who pressed it presses again. If nothing comes at all, the machine is
 * slow, and the key is still under way.
 */
export async function pressed(phone: Phone, key: string, before: string, again = 2): Promise<HandsetScreen> {
  const { repeats } = phone
  const other = async (first: Promise<HandsetScreen>, withinMs?: number) => {
    let screen = await first
    while (screen.text === before) {
      isShown = true
      screen = await phone.next(withinMs)
    }
    return screen
  }
  let isShown = false
  if (again === 0) return other(phone.answer(key))
  try {
    return await other(phone.answer(key, { withinMs: AGAIN_MS }), AGAIN_MS)
  } catch {
    return isShown || phone.repeats > repeats ? pressed(phone, key, before, again - 1) : other(phone.next())
  }
}
