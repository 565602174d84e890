/**
 * Texts outside any dialogue. Nothing is stored of the message that they answer, so after the death of this process
 * nobody could send them. Therefore the message is acknowledged when its text leaves: in the same write, or after it.
 * If the text cannot leave soon, nothing is said, and the SMSC keeps the message.
 */
import type { Metrics } from '../base/index.ts'
import { STATUS } from '../smpp/pdu/index.ts'
import type { Clock, UssdMessage } from '../ussd/index.ts'
import type { Delivery } from './delivery.ts'
import type { Sent } from './reply.ts'
import type { From } from './steps.ts'

/** again: the text did not leave, and the SMSC was asked to deliver the message again. */
export type Said = Sent | 'again'

export interface Texts {
  /** Ends the network's dialogue with a text, and acknowledges its message. */
  say(text: string, message: UssdMessage, from: From): Promise<Said>
}

export interface TextsDeps {
  delivery: Pick<Delivery, 'say'>
  clock: Clock
  metrics: Pick<Metrics, 'count'>
}

/**
 * How long a text may wait for a slot of the window, or for a bind, before its message is given back. A slot is free
 * again within milliseconds, and SMSCs wait for seconds for the response.
 */
export const SAY_MS = 1_000

/**
 * How many texts of this daemon may wait for a slot: each keeps its request open. What a window of ten slots, each
 * 25 ms, takes in a second.
 */
export const WAITING_TEXTS_MAX = 400

export function createTexts(deps: TextsDeps): Texts {
  return new HeldTexts(deps)
}

class HeldTexts implements Texts {
  readonly #deps: TextsDeps
  #held = 0

  constructor(deps: TextsDeps) {
    this.#deps = deps
  }

  async say(text: string, { returnPath }: UssdMessage, from: From): Promise<Said> {
    const { delivery, clock } = this.#deps
    const { pdu, line, link } = from
    const { deliverResp } = line.dialect.habits
    if (line.waitMs(0) > SAY_MS) return this.#again(from, 'say_ms')
    if (this.#held >= WAITING_TEXTS_MAX) return this.#again(from, 'waiting_texts_max')
    let isHeld = true
    this.#held++
    const release = (acknowledge: boolean) => {
      if (isHeld) this.#held--
      if (isHeld && acknowledge) link.respond(pdu, STATUS.ESME_ROK)
      isHeld = false
    }
    const leaving = {
      byMs: clock.now() + SAY_MS,
      leaves: (on: string) => {
        if (deliverResp === 'immediate' && on === link.id) release(true)
      },
      left: () => {
        if (deliverResp !== 'after-submit-resp') release(true)
      },
    }
    const sent = await delivery.say({ action: 'end', text }, returnPath, line, link.id, leaving).catch((error) => {
      release(false)
      throw error
    })
    const isGivenBack = isHeld && (sent === 'lost' || sent === 'throttled')
    release(!isGivenBack)
    return isGivenBack ? this.#again(from, 'say_ms') : sent
  }

  #again({ pdu, link }: From, limit: string): Said {
    this.#deps.metrics.count('limits_total', { limit })
    link.respond(pdu, STATUS.ESME_RX_T_APPN)
    return 'again'
  }
}
