/**
 * The way of a dialogue through its screens, as it is carried in its entry: `main:1/4>sure:2/11` (docs/RECORDS.md). Short
 * and bounded, because it is written with each turn.
 */
import { type CallMade, withCalls } from './calls-made.ts'
import type { JsonObject } from '../ussd/index.ts'
import { type ExactStep, type TurnTexts, withTexts } from './exact-texts.ts'
import type { Answer, DialogueRecord } from './types.ts'

export interface Track {
  /** The screens that were answered. */
  path: string
  /** How long the subscriber was waited for. */
  waitMs: number
  /** How long back ends were waited for. */
  backendMs: number
  /** The calls of back ends: calls-made.ts. Absent: none. */
  calls?: string
  /** Exact texts: exact-texts.ts. Absent: they are not kept. */
  texts?: TurnTexts[]
}

/** What a played turn tells of its answer. */
export interface Step {
  /** The key of the choice that the answer was. Absent: it was typed. */
  choice?: string | undefined
  backendMs: number
  /** The calls that it made. Absent: none. */
  calls?: CallMade[]
  /** Absent: exact texts are not kept. */
  exact?: ExactStep
  /** What the SMS is for who leaves the dialogue on the screen to which it led. Absent: there is none. */
  ifLeft?: JsonObject
}

/** Some forty screens: longer dialogues are lost subscribers, and the record is written with each turn. */
export const PATH_CHARS_MAX = 400
const CUT = '>+'
/** What stands for an answer until the turn tells what it was, and for what was typed. */
const TYPED = '*'
/** Keys of choices; anything else is told from no menu. */
const KEY = /^[0-9#]{1,4}$/

export const NO_TRACK: Track = { path: '', waitMs: 0, backendMs: 0 }

/** The track after an answer to the screen on which the dialogue rested for so long. */
export function answeredAfter(track: Track, screen: string, kind: Answer['kind'], waitedMs: number): Track {
  const waitMs = Math.max(0, waitedMs)
  const heard = kind === 'notify-ack' ? 'ack' : TYPED
  const step = `${screen}:${heard}/${Math.round(waitMs / 1_000)}`
  return { ...track, path: withStep(track.path, step), waitMs: track.waitMs + waitMs }
}

/** The track after the turn was played: now it is known what the answer was. */
export function playedStep(track: Track, step: Step, turn = 0, shown = ''): Track {
  const { choice, backendMs, calls = [], exact } = step
  const path = choice !== undefined && KEY.test(choice) ? withChoice(track.path, choice) : track.path
  const played: Track = { path, waitMs: track.waitMs, backendMs: track.backendMs + Math.max(0, backendMs) }
  const called = calls.length === 0 ? track.calls : withCalls(track.calls ?? '', calls)
  const texts = exact ? withTexts(track.texts ?? [], turn, exact, shown) : track.texts
  if (called !== undefined) played.calls = called
  if (texts !== undefined) played.texts = texts
  return played
}

/** The screen on which a dialogue rests, or with which it ended; '' before its first. */
export function screenOf({ snapshot }: Pick<DialogueRecord, 'snapshot'>): string {
  return typeof snapshot?.value === 'string' ? snapshot.value : ''
}

function withStep(path: string, step: string): string {
  if (path === '') return step
  if (path.length + 1 + step.length + CUT.length <= PATH_CHARS_MAX) return `${path}>${step}`
  return path.endsWith(CUT) ? path : path + CUT
}

function withChoice(path: string, choice: string): string {
  const last = path.lastIndexOf('>') + 1
  const at = path.indexOf(`:${TYPED}/`, last)
  return at < 0 ? path : `${path.slice(0, at + 1)}${choice}${path.slice(at + 2)}`
}
