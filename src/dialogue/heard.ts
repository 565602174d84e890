/**
 * What a dialogue has heard before its last message: the network's step of each message, and a print of what it said.
 * It tells a late copy of an earlier key from a new key under a counter that went back. Pure.
 *
 * Four characters a message, the oldest first: the step in hex (80 is added if the counter was stalled; `--` if there
 * was no step), and 12 bits of a hash of the text. What may be a secret leaves no print (`**`): its step alone decides.
 */
import { fnv1a } from './key.ts'
import { hasAskedSecret } from './shown.ts'
import type { DialogueEntry } from './entry.ts'
import type { Answer } from './types.ts'

/** Steps have 7 bits and wrap. (SMPP v3.4 §5.3.2.43) */
export const STEPS = 128

/** How many messages are remembered: as many as a late copy may be behind, where each reply is one step. */
export const HEARD_MAX = 16

const OCTETS = 4
const STALLED = 0x80
const NO_STEP = '--'
const NO_PRINT = '**'
/** What a network counts from one message to the next: our reply is one step, and the next message another. */
const A_TURN = 2

/** What is remembered when this entry takes its next message. Empty: the network has no counter. */
export function heardWith(old: DialogueEntry, step: number | null): string {
  if (step === null) return ''
  const { heard = '', answer } = old
  return (heard + stepOf(answer) + (hasAskedSecret(old.snapshot) ? NO_PRINT : printOf(answer))).slice(
    -HEARD_MAX * OCTETS,
  )
}

/**
 * Whether a message was heard before the last one. Undefined: that is not known, because a daemon of an earlier release
 * has written the record.
 */
export function wasHeard(old: DialogueEntry, answer: Answer): boolean | undefined {
  const { heard = '' } = old
  if (heard.length !== Math.min(old.turn - 1, HEARD_MAX) * OCTETS) return undefined
  for (let at = 0; at < heard.length; at += OCTETS) {
    if (stepAt(heard, at).step !== answer.step) continue
    if (heard.startsWith(NO_PRINT, at + 2) || heard.startsWith(printOf(answer), at + 2)) return true
  }
  return false
}

/**
 * Whether the counter has been seen to count: two of its steps differ, or the first key came a turn after the begin. A
 * network that numbers the begin otherwise may repeat one step for all keys.
 */
export function hasCounted(old: DialogueEntry): boolean {
  const all = stepsOf(old)
  const isWhole = all.length === old.turn
  const [begin, first] = all
  if (isWhole && !first?.isStalled && begin?.step != null && first?.step === (begin.step + A_TURN) % STEPS) return true
  const keys = (isWhole ? all.slice(1) : all).filter((one) => one.step !== null)
  return keys.some(({ step }) => step !== keys[0]!.step)
}

/** Whether the counter has only counted on, as far as is known: it never stood still, and never went back. */
export function isSteady(old: DialogueEntry): boolean {
  const all = stepsOf(old)
  const keys = all.length === old.turn ? all.slice(1) : all
  return keys.every(({ step, isStalled }, n) => !isStalled && (n === 0 || isAhead(step, keys[n - 1]!.step)))
}

/** Whether a step is ahead of another; it may have wrapped. */
export function isAhead(step: number | null, of: number | null): boolean {
  if (step === null || of === null) return false
  const ahead = (step - of + STEPS) % STEPS
  return ahead > 0 && ahead <= STEPS / 2
}

interface Heard {
  step: number | null
  isStalled: boolean
}

/** The steps of all messages, the last one too. */
function stepsOf({ heard = '', answer }: DialogueEntry): Heard[] {
  const all = heard + stepOf(answer)
  return Array.from({ length: Math.ceil(all.length / OCTETS) }, (_, n) => stepAt(all, n * OCTETS))
}

function stepAt(heard: string, at: number): Heard {
  if (heard.startsWith(NO_STEP, at)) return { step: null, isStalled: false }
  const value = Number.parseInt(heard.slice(at, at + 2), 16)
  return { step: value % STALLED, isStalled: value >= STALLED }
}

function stepOf({ step, isStalled }: Answer): string {
  if (step === null) return NO_STEP
  return ((step % STEPS) + (isStalled ? STALLED : 0)).toString(16).padStart(2, '0')
}

/** Two characters. They are part of the stored format. */
function printOf({ kind, text }: Answer): string {
  const hash = fnv1a(`${kind} ${text}`)
  return DIGITS.charAt((hash >>> 6) % 64) + DIGITS.charAt(hash % 64)
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
