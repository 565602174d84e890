/** What a page or a terminal shows of a phone. */
import type { Phone } from '../phone/index.ts'

export interface PhoneView {
  /** Increases with each view. A page gets the same view from its stream and in answers, in any order. */
  serial: number
  msisdn: string
  screen: Phone['screen']
  waiting: boolean
  failed: string | null
  repeats: number
  inbox: { from: string; text: string; atMs: number; parts: number }[]
}

export type ViewOf = (phone: Phone) => PhoneView

export function viewer(): ViewOf {
  let serial = 0
  return (phone) => {
    const { msisdn, screen, waiting, failed, repeats } = phone
    const inbox = phone.inbox.slice(-100).map(({ from, text, atMs, parts }) => ({ from, text, atMs, parts }))
    return { serial: ++serial, msisdn, screen, waiting, failed, repeats, inbox }
  }
}
