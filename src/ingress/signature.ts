/** Checks signed requests: one is good for five minutes, and once. */
import { timingSafeEqual } from 'node:crypto'
import { signatureOf, type SignedRequest } from '../base/index.ts'

/** How far the clock of a caller may be off, and how long a request may take. */
export const SIGNED_MS = 300_000
/** Used signatures of one caller: 160 requests a second for ten minutes; some 10 MB. */
const SIGNATURES_MAX = 100_000

export type SignatureVerdict = 'good' | 'signature' | 'stale' | 'replay'

export interface SignatureCheck {
  check(request: SignedRequest, signature: string, nowMs: number): SignatureVerdict
}

export function createSignatureCheck(key: string, signaturesMax = SIGNATURES_MAX): SignatureCheck {
  const used = usedSignatures(signaturesMax)
  return {
    check(request, signature, nowMs) {
      const signedMs = readTime(request.timestamp)
      if (signedMs === undefined || Math.abs(nowMs - signedMs) > SIGNED_MS) return 'stale'
      const right = signatureOf(key, request)
      const given = Buffer.from(/^[0-9a-f]{64}$/i.test(signature) ? signature : '', 'hex')
      // Also for a signature of another form: the time must not show how much of it is right.
      const isRight = timingSafeEqual(right, given.length === right.length ? given : Buffer.alloc(right.length))
      return isRight && given.length === right.length
        ? used.use(right.toString('base64'), signedMs, nowMs)
        : 'signature'
    },
  }
}

function readTime(written: string): number | undefined {
  if (/^\d{10}$/.test(written)) return Number(written) * 1_000
  return /^\d{13}$/.test(written) ? Number(written) : undefined
}

const SLOT_MS = 10_000

/**
 * Signatures by the time when they were made. If there are too many, the oldest slot goes, and with it the right to
 * use anything as old as that: the window gets shorter, but nothing is taken twice.
 */
function usedSignatures(max: number) {
  const slots = new Map<number, Set<string>>()
  let count = 0
  let floor = -Infinity
  const drop = (slot: number) => {
    count -= slots.get(slot)?.size ?? 0
    slots.delete(slot)
  }
  return {
    use(signature: string, signedMs: number, nowMs: number): SignatureVerdict {
      const slot = Math.floor(signedMs / SLOT_MS)
      if (slot <= floor) return 'stale'
      for (const old of slots.keys()) if ((old + 1) * SLOT_MS < nowMs - SIGNED_MS) drop(old)
      const inSlot = slots.get(slot) ?? new Set<string>()
      if (inSlot.has(signature)) return 'replay'
      slots.set(slot, inSlot.add(signature))
      count++
      if (count > max) {
        const oldest = Math.min(...slots.keys())
        drop(oldest)
        floor = Math.max(floor, oldest)
      }
      return 'good'
    },
  }
}
