/**
 * Networks whose turn counter does not do what SMPP v3.4 §5.3.2.43 expects of it, and networks that deliver a key once
 * more: the same PDU with another sequence number, up to seconds later. Whatever they do, a copy confirms nothing, and
 * no key of the subscriber is lost.
 */
import { STEPS } from '../../../src/dialogue/heard.ts'
import type { NetworkCoding, NetworkDialogue, NetworkRequest } from '../../../src/simulator/network/coding.ts'
import { standardCoding } from '../../../src/simulator/network/standard.ts'
import type { Phone } from '../../../src/simulator/phone/phone.ts'
import type { Smsc } from '../../../src/simulator/smsc/smsc.ts'
import type { Chance } from '../../../src/ussd/vocabulary.ts'

/**
 * echoes: says the step of our last reply · counts: and counts on from there · wraps: the same, from shortly before 127
 * on · stalls: now and then says its own last step again · goes-back: now and then counts back, as after a restart ·
 * stands-still: always says the same step.
 */
export type Counting = 'echoes' | 'counts' | 'wraps' | 'stalls' | 'goes-back' | 'stands-still'

export const COUNTINGS: readonly Counting[] = ['echoes', 'counts', 'wraps', 'stalls', 'goes-back', 'stands-still']

/** How a key was counted. */
type Manner = 'counted' | 'stalled' | 'back'

/** What the network has said in one dialogue. */
interface Told {
  step: number
  keys: Set<string>
  hasCounted: boolean
}

const keyOf = (step: number, typed: string) => `${step % STEPS} ${typed}`

export interface CountingDeps {
  chance: Chance
  /** How the network of this subscriber counts. */
  of(msisdn: string): Counting
  /** Runs it so many milliseconds from now. */
  after(ms: number, run: () => void): void
}

export interface Counters {
  coding: NetworkCoding
  counts: Record<Manner | 'copies' | 'lateCopies', number>
  /** To be called with the SMSC that has this coding. */
  watch(smsc: Smsc): void
  /** The phone, with a network that now and then delivers a key again after its screen. */
  copying(phone: Phone): Phone
  /** How many copies are still to come, or not answered yet. */
  owed(): number
}

/** Of the keys that may, so many do. */
const STALLS = 0.5
const GOES_BACK = 0.4
/** Fewer copies where the counter only goes back while none is under way. */
const COPIED: Readonly<Record<Counting, number>> = {
  echoes: 0,
  counts: 0.3,
  wraps: 0.3,
  stalls: 0.3,
  'goes-back': 0.15,
  'stands-still': 0,
}
/** A copy comes so much later than the screen: before the next key, and behind several. */
const COPY_MS = 5_000
const BACK = [1, 60] as const
/** Before a step that wraps, there is one that does not. */
const NEAR_WRAP = 117

export function countersOf({ chance, of, after }: CountingDeps): Counters {
  const standard = standardCoding()
  const counts = { counted: 0, stalled: 0, back: 0, copies: 0, lateCopies: 0 }
  const told = new WeakMap<NetworkDialogue, Told>()
  const lastKey = new Map<string, { request: NetworkRequest; mayBeCopied: boolean }>()
  /** Copies that are still to be sent. */
  const owed = new Map<string, number>()
  let smsc: Smsc | undefined

  /** Behind a key that went back, a copy of an earlier one may read as a key: so none is under way. */
  const isQuiet = (msisdn: string) => (owed.get(msisdn) ?? 0) === 0 && smsc!.deliveries.underWay(msisdn) === 0

  function countedStep(dialogue: NetworkDialogue, typed: string): { step: number; manner: Manner } {
    const { msisdn } = dialogue
    const replied = dialogue.carrier[1]! >> 1
    const { step: own, keys } = told.get(dialogue)!
    const counting = of(msisdn)
    /** The same key with the same step as before is the same PDU: nothing in the world tells it from a copy. */
    const isNew = (step: number) => !keys.has(keyOf(step, typed))
    if (counting === 'stands-still') return { step: own, manner: 'stalled' }
    if (counting === 'stalls' && isNew(own) && chance() < STALLS) return { step: own, manner: 'stalled' }
    if (counting === 'echoes') return { step: replied, manner: 'counted' }
    if (counting === 'goes-back' && isQuiet(msisdn) && chance() < GOES_BACK) {
      const step = own + STEPS - BACK[0] - Math.floor(chance() * (BACK[1] - BACK[0]))
      if (isNew(step)) return { step, manner: 'back' }
    }
    return { step: replied + 1, manner: 'counted' }
  }

  const coding: NetworkCoding = {
    ...standard,
    open(opening) {
      const dialogue = standard.open(opening)
      const step = of(opening.msisdn) === 'wraps' ? NEAR_WRAP + Math.floor(chance() * 10) : 0
      dialogue.carrier[1] = step << 1
      told.set(dialogue, { step, keys: new Set(), hasCounted: false })
      return dialogue
    },
    say(event, dialogue, typed) {
      if (event !== 'input') return standard.say(event, dialogue, typed)
      const { step, manner } = countedStep(dialogue, typed)
      const so = told.get(dialogue)!
      const isStalled = manner === 'stalled'
      // Of a counter that has not counted yet, a copy cannot be told.
      const mayBeCopied = !isStalled || (so.hasCounted && of(dialogue.msisdn) === 'stalls')
      so.step = step % STEPS
      so.keys.add(keyOf(step, typed))
      so.hasCounted ||= !isStalled
      counts[manner]++
      const carrier = Buffer.of(dialogue.carrier[0]!, (step % STEPS) << 1)
      const spoken = standard.say(event, { ...dialogue, carrier }, typed)!
      const request: NetworkRequest = mayBeCopied ? spoken : { ...spoken, once: true }
      lastKey.set(dialogue.msisdn, { request, mayBeCopied })
      return request
    },
  }

  function copyLater(msisdn: string, request: NetworkRequest): void {
    owed.set(msisdn, (owed.get(msisdn) ?? 0) + 1)
    const over = () => void owed.set(msisdn, owed.get(msisdn)! - 1)
    const key = lastKey.get(msisdn)
    after(chance() * COPY_MS, () => {
      counts.copies++
      if (lastKey.get(msisdn) !== key) counts.lateCopies++
      const copy = { systemId: '', msisdn, lane: 'ussd' as const, event: 'copy', attempts: 0 }
      smsc!.deliveries.send({ ...request, ...copy, done: over })
    })
  }

  return {
    coding,
    counts,
    watch: (of) => void (smsc = of),
    owed: () => [...owed.values()].reduce((sum, one) => sum + one, 0),
    copying(phone) {
      const answer = phone.answer.bind(phone)
      phone.answer = async (...given) => {
        const screen = await answer(...given)
        const last = lastKey.get(phone.msisdn)
        if (last?.mayBeCopied && chance() < COPIED[of(phone.msisdn)]) copyLater(phone.msisdn, last.request)
        return screen
      }
      return phone
    },
  }
}
