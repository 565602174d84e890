/** Erases a subscriber for the admin server and the desk: what is told of it, and what the audit keeps. */
import { maskMsisdn, subscriberHash } from '../base/index.ts'
import { auditedErasure, type Erased, ErasureStoppedError, type ErasureStop } from '../privacy/index.ts'
import { withoutNumbers } from './notes.ts'

export interface EraseAsked {
  keepOptOut: boolean
  /** Who has it done, and why. */
  by: string
  note: string
}

/** `audit`: with the hash of the number, and no digit of it. */
export type ErasureTold = { subscriber: string; audit: object } & (
  | { is: 'done'; erased: Erased }
  | { is: 'stopped'; at: ErasureStop; isBegun: boolean }
)

export interface ErasingDeps {
  /** That of the log. */
  key: Buffer
  /** Removes everything about a subscriber. Rejects with ErasureStoppedError. */
  erase(msisdn: string, how: { keepOptOut: boolean; by: string }): Promise<Erased>
}

export function subscriberErasing({ key, erase }: ErasingDeps) {
  return {
    async eraseSubscriber(msisdn: string, { note, ...how }: EraseAsked): Promise<ErasureTold> {
      const subscriber = subscriberHash(key, msisdn)
      const why = { subscriber, note: withoutNumbers(note) }
      try {
        const erased = await erase(msisdn, how)
        // A module's own words may have the number.
        const masked = (text: string) => text.replaceAll(msisdn, maskMsisdn(msisdn))
        const failed = erased.failed.map((one) => ({ backend: one.backend, why: masked(one.why) }))
        const audit = { ...why, ...auditedErasure(erased) }
        return { is: 'done', subscriber, erased: { ...erased, failed }, audit }
      } catch (error) {
        if (!(error instanceof ErasureStoppedError)) throw error
        const { at, isBegun } = error
        return { is: 'stopped', subscriber, at, isBegun, audit: { ...why, after: 'stopped', at, isBegun } }
      }
    },
  }
}
