/**
 * A subscriber who walks the dental service by what stands on the display, and keeps a diary: what was confirmed, what
 * was asked, what showed that belongs to somebody else or to nobody.
 */
import type { HandsetScreen } from '../../../src/simulator/network/network.ts'
import type { Phone } from '../../../src/simulator/phone/phone.ts'
import type { Chance } from '../../../src/ussd/vocabulary.ts'
import { nameOf } from './stage.ts'

export interface Diary {
  dialogues: number
  steps: number
  /** Confirm was pressed on a question about this clinic (a clinic has one slot). */
  pressed: { msisdn: string; clinic: string }[]
  /** A screen said that it is booked. */
  confirmed: { msisdn: string; clinic: string }[]
  /** A screen said that the slot was taken, after Confirm was pressed. */
  refused: { msisdn: string; clinic: string }[]
  /** Nothing came, though the SMSC had the message acknowledged; with the phone's story. */
  hung: string[]
  /** Another dialogue's name or slot was shown. */
  foreign: string[]
  /** A screen that does not follow from what was pressed. */
  odd: string[]
  /** Dialogues that ended with a text of apology. */
  apologies: number
  /** Messages that the SMSC could not deliver: no daemon was there. */
  undelivered: number
  /**
   * Keys that were answered with the screen that stood, and pressed again. The daemon that had sent it died before it
   * could write that down, so the same key, once more, read as a copy. See docs/LIFECYCLE.md.
   */
  pressedAgain: number
  /** Milliseconds from a key to its screen. */
  waitsMs: number[]
}

export function newDiary(): Diary {
  return {
    dialogues: 0,
    steps: 0,
    pressed: [],
    confirmed: [],
    refused: [],
    hung: [],
    foreign: [],
    odd: [],
    apologies: 0,
    undelivered: 0,
    pressedAgain: 0,
    waitsMs: [],
  }
}

export interface Habits {
  /** How likely a dialogue is to be for booking; else for looking. */
  books: number
  /** How likely the subscriber hangs up at a step. */
  hangsUp: number
  /** How likely the subscriber dials anew in the middle. */
  redials: number
  /**
   * Once all is over, dials once more and leaves by Exit: a hang-up may have been lost, and its dialogue would be open
   * until it is idle for too long.
   */
  takesLeave?: boolean
}

/** Looks, and leaves by Exit. */
export const LEAVES: Habits = { books: 0, hangsUp: 0, redials: 0 }

export const HABITS: Habits = { books: 0.75, hangsUp: 0.01, redials: 0.01 }

type Kind =
  | 'main'
  | 'types'
  | 'slots'
  | 'full'
  | 'confirm'
  | 'booked'
  | 'mine'
  | 'none'
  | 'resume'
  | 'end'
  | 'apology'
  | 'other'

const KINDS: readonly (readonly [Kind, RegExp])[] = [
  ['resume', /^Welcome back/],
  ['main', /^Welcome, /],
  ['types', /^Select Appointment Type/],
  ['slots', /Available Checkup Slots/],
  ['full', /^(Sorry, [^\n]*\n)?No Checkup slots/],
  ['confirm', /^Book Checkup at /],
  ['booked', /^Appointment confirmed/],
  ['mine', /^Your Dental Appointments/],
  ['none', /^No appointments found/],
  ['end', /^Thank you/],
  ['apology', /busy|expired|try again later/i],
]

/** What may follow a key on a screen. An apology always may, and is counted. */
const FOLLOWS: Record<string, readonly Kind[]> = {
  dial: ['main', 'resume'],
  resume: ['main', 'types', 'slots', 'full', 'confirm', 'booked', 'mine', 'none', 'resume'],
  main: ['types', 'mine', 'none', 'end'],
  types: ['slots', 'full'],
  slots: ['confirm', 'slots', 'full'],
  full: ['main', 'types'],
  confirm: ['booked', 'slots', 'full'],
  booked: ['main'],
  mine: ['main', 'mine'],
  none: ['types', 'end'],
}

/** What a booking that failed is told, above what is free. */
const REFUSED = /^Sorry, that slot was just taken/

const STEPS_MAX = 14

/** One dialogue, from dialling to its end. `thumbs`: what the subscriber waits for before each key. Never rejects. */
export async function converse(
  phone: Phone,
  diary: Diary,
  chance: Chance,
  habits = HABITS,
  nowMs: () => number = () => performance.now(),
  thumbs?: () => Promise<void>,
): Promise<void> {
  diary.dialogues++
  const walk: Walk = {
    phone,
    diary,
    chance,
    books: chance() < habits.books,
    asked: null,
    clinic: null,
    isResumed: false,
    done: false,
  }
  if (thumbs) await thumbs()
  let screen = await timed(walk, nowMs, () => phone.dial('*123#'))
  let from: string = 'dial'
  for (let step = 0; screen && step < STEPS_MAX; step++) {
    diary.steps++
    const kind = kindOf(screen.text)
    judge(walk, from, kind, screen)
    if (!screen.open) return
    if (chance() < habits.hangsUp) return phone.hangUp()
    if (chance() < habits.redials) return converse(phone, diary, chance, habits, nowMs, thumbs)
    const key = keyFor(walk, kind, screen.text)
    if (key === null) return phone.hangUp()
    from = kind
    if (thumbs) await thumbs()
    const { repeats } = phone
    const press = () => phone.answer(key)
    screen = await timed(walk, nowMs, press, () => {
      if (phone.repeats === repeats || from === 'confirm') return false
      diary.pressedAgain++
      return true
    })
  }
  if (screen) phone.hangUp()
}

interface Walk {
  phone: Phone
  diary: Diary
  chance: Chance
  books: boolean
  /** The clinic of the slot that was chosen, for the question to come. */
  asked: string | null
  /** The clinic of the question that Confirm was pressed on. */
  clinic: string | null
  isResumed: boolean
  done: boolean
}

async function timed(
  walk: Walk,
  nowMs: () => number,
  run: () => Promise<HandsetScreen>,
  /** No screen came: whether it is tried once more. */
  isTriedAgain = () => false,
): Promise<HandsetScreen | null> {
  const { diary, phone } = walk
  const startMs = nowMs()
  try {
    const screen = await run()
    diary.waitsMs.push(nowMs() - startMs)
    return screen
  } catch (error) {
    const why = (error as Error).message
    // A daemon that is leaving puts off; any other refusal of a good message is a fault.
    if (/not delivered|RX_T_APPN/.test(why)) diary.undelivered++
    else if (/no dialogue is open/.test(why)) return null // a last text came in between
    else if (isTriedAgain()) return timed(walk, nowMs, run)
    else diary.hung.push(`${phone.msisdn} ${why.slice(-1_500)}`)
    return null
  }
}

function kindOf(text: string): Kind {
  return KINDS.find(([, pattern]) => pattern.test(text))?.[0] ?? 'other'
}

function judge(walk: Walk, from: string, kind: Kind, screen: HandsetScreen): void {
  const { diary, phone } = walk
  const { text } = screen
  const said = () => `${phone.msisdn} after ${from}: ${JSON.stringify(text)}\n  ${phone.story.slice(-14).join('\n  ')}`
  if (kind === 'apology') return void diary.apologies++
  const isRefusal = from === 'confirm' && REFUSED.test(text)
  // Free slots without a word about the one that was confirmed: the key met an earlier screen.
  const isBehind = from === 'confirm' && (kind === 'slots' || kind === 'full') && !isRefusal
  if (isBehind || !FOLLOWS[from]!.includes(kind)) diary.odd.push(said())
  const name = /^Welcome, (\w+)!/.exec(text)?.[1]
  if (name !== undefined && name !== nameOf(phone.msisdn)) diary.foreign.push(said())
  if (from === 'resume') walk.isResumed = true
  if (kind === 'confirm') {
    const clinic = clinicOf(text)
    if (!walk.isResumed && clinic !== walk.asked) diary.foreign.push(said())
    walk.clinic = clinic
  }
  if (kind === 'booked' && from === 'confirm') diary.confirmed.push({ msisdn: phone.msisdn, clinic: walk.clinic! })
  if (isRefusal) diary.refused.push({ msisdn: phone.msisdn, clinic: walk.clinic! })
  if (kind === 'mine') {
    const own = new Set(diary.pressed.filter((one) => one.msisdn === phone.msisdn).map((one) => one.clinic))
    if ([...text.matchAll(/C\d{5}/g)].some(([clinic]) => !own.has(clinic))) diary.foreign.push(said())
  }
}

function keyFor(walk: Walk, kind: Kind, text: string): string | null {
  const { chance } = walk
  switch (kind) {
    case 'resume':
      return chance() < 0.7 ? '1' : '2'
    case 'main':
      return walk.done ? '4' : walk.books ? '2' : ((walk.done = true), '1')
    case 'types':
      return '1'
    case 'slots':
      return slotKey(walk, text)
    case 'full':
      return ((walk.done = true), '2')
    case 'confirm':
      walk.diary.pressed.push({ msisdn: walk.phone.msisdn, clinic: walk.clinic! })
      return '1'
    case 'booked':
      return ((walk.done = true), '1')
    case 'mine':
      return keyOf(text, 'Back')
    case 'none':
      return keyOf(text, 'Exit')
    default:
      return null
  }
}

function slotKey(walk: Walk, text: string): string | null {
  const rows = [...text.matchAll(/^(\d+)\. (C\d{5}) /gm)]
  const row = rows[Math.floor(walk.chance() * rows.length)]
  if (!row) return null
  walk.asked = row[2]!
  walk.isResumed = false
  return row[1]!
}

function clinicOf(text: string): string | null {
  return /C\d{5}/.exec(text)?.[0] ?? null
}

function keyOf(text: string, label: string): string | null {
  return [...text.matchAll(/^(\d+)\. (.*)$/gm)].findLast(([, , found]) => found === label)?.[1] ?? null
}
