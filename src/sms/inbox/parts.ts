/**
 * Long SMS from subscribers, part by part. Parts arrive in any order, twice, at several daemons, or never. The
 * unfinished SMS of a subscriber are one value on a shelf that all daemons share. Each step here is a pure function of
 * that value.
 */
import { createHash } from 'node:crypto'

/** One part, as its sender describes it. */
export interface SmsPartIn {
  /** The line group on which it arrived: the links and daemons of a group share parts. */
  group: string
  msisdn: string
  to: string
  reference: number
  total: number
  sequence: number
  text: string
}

/** A text of which some parts have arrived. Survives JSON. */
interface Unfinished {
  to: string
  reference: number
  total: number
  sinceMs: number
  /** Keyed by sequence. After the text was handled, only the digests remain: enough to recognise a copy. */
  parts: Record<string, string>
  /** When it was handled. Null: not yet. */
  doneMs: number | null
}

/** The shelf of one subscriber. It has the MSISDN inside, for the log: its name may be hashed. */
export interface HeldDeps {
  msisdn: string
  group: string
  texts: readonly Unfinished[]
}

export interface PartLimits {
  /** The most parts of one text. */
  partsMax: number
  /** The most unfinished texts of one subscriber; the oldest is given up. */
  textsMax: number
  /** The most octets of all texts of one subscriber, those that were handled lately too. */
  octetsMax: number
  /** A text is given up if parts are missing by then. */
  keepMs: number
  /** The same part again, within this time after its text was handled, is a copy. */
  copyMs: number
}

/** The new value of the shelf (null: nothing), and the result of the change. */
export interface Changed<T> {
  held: HeldDeps | null
  /** When to look again, and how long that is from now. */
  dueMs: number
  liveMs: number
  result: T
}

export type PartKey = Pick<HeldDeps, 'group' | 'msisdn'>

/** The port of the store. Rejects with StoreError. What `change` returned is durable when it resolves. */
export interface PartShelf {
  /** Reads, changes and writes back atomically; `change` may be called several times. */
  change<T>(key: PartKey, change: (held: HeldDeps | null) => Changed<T>): Promise<T>
  /** The same for values that are due, for at most `limit` subscribers. */
  changeDue<T>(nowMs: number, limit: number, change: (held: HeldDeps) => Changed<T>): Promise<T[]>
  find(key: PartKey): Promise<HeldDeps | null>
  /** Returns how many values were removed. */
  erase(msisdn: string): Promise<number>
}

/** Why texts were given up: they expired, another text took their reference, they were too many or too large. */
export interface GivenUp {
  expired: number
  replaced: number
  over: number
  large: number
}

/**
 * part: parts are missing · repeat: a copy · whole: complete, perhaps not for the first time · too-many, too-large: not
 * kept.
 */
export interface Added {
  is: 'part' | 'repeat' | 'whole' | 'too-many' | 'too-large'
  text: string
  gaveUp: GivenUp
}

/** Adds one part to those that have arrived. Pure. */
export function addPart(held: HeldDeps | null, part: SmsPartIn, nowMs: number, limits: PartLimits): Changed<Added> {
  const { kept, expired } = young(held, nowMs, limits)
  const gaveUp = { expired, replaced: 0, over: 0, large: 0 }
  const left = (texts: readonly Unfinished[], is: Added['is'], text = ''): Changed<Added> => ({
    ...changed(part, texts, nowMs, limits),
    result: { is, text, gaveUp },
  })
  if (part.total > limits.partsMax) return left(kept, 'too-many')
  const same = kept.find((text) => isSame(text, part))
  const known = same?.parts[part.sequence]
  if (same && known !== undefined && known === (same.doneMs === null ? part.text : digest(part.text))) {
    return isWhole(same) && same.doneMs === null ? left(kept, 'whole', joined(same)) : left(kept, 'repeat')
  }
  // Another text takes its place: references repeat, after 256 texts if they have one octet.
  const goesOn = same && same.doneMs === null && known === undefined
  if (same && !goesOn && same.doneMs === null) gaveUp.replaced++
  const { to, reference, total, sequence, text } = part
  const grown: Unfinished = {
    ...(goesOn ? same : { to, reference, total, sinceMs: nowMs, doneMs: null }),
    parts: { ...(goesOn ? same.parts : {}), [sequence]: text },
  }
  const others = kept.filter((one) => one !== same)
  const open = others.filter((one) => one.doneMs === null)
  const over = goesOn
    ? []
    : open.toSorted((a, b) => a.sinceMs - b.sinceMs).slice(0, Math.max(0, open.length + 1 - limits.textsMax))
  gaveUp.over = over.length
  const rest = within(
    others.filter((one) => !over.includes(one)),
    limits.octetsMax - octetsOf(grown),
  )
  gaveUp.large = open.length - over.length - rest.filter((one) => one.doneMs === null).length
  if (octetsOf(grown) > limits.octetsMax) {
    gaveUp.large++
    return left(rest, 'too-large')
  }
  const texts = [...rest, grown]
  return isWhole(grown) ? left(texts, 'whole', joined(grown)) : left(texts, 'part')
}

/** Records that a complete text was handled. Pure. */
export function endText(held: HeldDeps | null, part: SmsPartIn, nowMs: number, limits: PartLimits): Changed<void> {
  const texts = (held?.texts ?? []).map((text): Unfinished => {
    if (!isSame(text, part) || text.doneMs !== null || !isWhole(text)) return text
    const parts = Object.fromEntries(Object.entries(text.parts).map(([sequence, one]) => [sequence, digest(one)]))
    return { ...text, parts, doneMs: nowMs }
  })
  return { ...changed(part, texts, nowMs, limits), result: undefined }
}

/** Removes what has expired. Pure. */
export function expireTexts(held: HeldDeps, nowMs: number, limits: PartLimits): Changed<PartKey & { expired: number }> {
  const { kept, expired } = young(held, nowMs, limits)
  const { msisdn, group } = held
  return { ...changed(held, kept, nowMs, limits), result: { msisdn, group, expired } }
}

function changed(
  { msisdn, group }: PartKey,
  texts: readonly Unfinished[],
  nowMs: number,
  limits: PartLimits,
): Omit<Changed<void>, 'result'> {
  if (!texts.length) return { held: null, dueMs: 0, liveMs: 0 }
  const dueMs = Math.min(...texts.map((text) => overMs(text, limits)))
  return { held: { msisdn, group, texts }, dueMs, liveMs: Math.max(0, dueMs - nowMs) }
}

function young(held: HeldDeps | null, nowMs: number, limits: PartLimits): { kept: Unfinished[]; expired: number } {
  const all = held?.texts ?? []
  const kept = all.filter((text) => nowMs < overMs(text, limits))
  const over = all.filter((text) => text.doneMs === null && nowMs >= overMs(text, limits))
  return { kept, expired: over.length }
}

/** What a text costs besides its parts, and each part: names and signs in the store. */
const TEXT_OCTETS = 128
const PART_OCTETS = 16

function octetsOf({ to, parts }: Unfinished): number {
  const each = Object.values(parts).map((text) => PART_OCTETS + Buffer.byteLength(text))
  return each.reduce((sum, octets) => sum + octets, TEXT_OCTETS + Buffer.byteLength(to))
}

/** Of those texts the newest that fit; those that were handled go first: they only tell copies. */
function within(texts: readonly Unfinished[], octetsMax: number): readonly Unfinished[] {
  let left = octetsMax
  const rank = ({ doneMs, sinceMs }: Unfinished) => (doneMs === null ? [1, sinceMs] : [0, doneMs])
  const byWorth = texts.toSorted((a, b) => {
    const [[openA = 0, atA = 0], [openB = 0, atB = 0]] = [rank(a), rank(b)]
    return openB - openA || atB - atA
  })
  const kept = new Set<Unfinished>()
  for (const text of byWorth) {
    left -= octetsOf(text)
    if (left < 0) break
    kept.add(text)
  }
  return texts.filter((text) => kept.has(text))
}

function overMs({ sinceMs, doneMs }: Unfinished, { keepMs, copyMs }: PartLimits): number {
  return doneMs === null ? sinceMs + keepMs : doneMs + copyMs
}

function isSame(text: Unfinished, { to, reference, total }: SmsPartIn): boolean {
  return text.to === to && text.reference === reference && text.total === total
}

function isWhole({ parts, total }: Unfinished): boolean {
  return Object.keys(parts).length === total
}

function joined({ parts, total }: Unfinished): string {
  return Array.from({ length: total }, (_, i) => parts[i + 1] ?? '').join('')
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22)
}
