/** The path of a call detail record, read: `main:1/4>sure:2/11` is two steps (docs/RECORDS.md). Pure. */
import { remembered } from '../base/index.ts'
import type { CallMade } from './calls-made.ts'

export interface PathStep {
  screen: string
  /** The key of the choice; null: it was typed, or no menu knew it. */
  key: string | null
  /** The network acknowledged a notification. */
  isAck?: true
  /** For how long the subscriber was waited for. */
  seconds: number
}

const SECONDS = /^\d+$/

/** A flow of twenty screens has some hundred steps, each with the usual seconds. Nothing that was typed is in one. */
const STEPS_MAX = 4_000
const stepOf = remembered<PathStep | null>(STEPS_MAX)

/** `isCut`: there were more steps than a record keeps. The steps are shared: nobody changes one. */
export function stepsOf(path: string): { steps: PathStep[]; isCut: boolean } {
  const parts = path === '' ? [] : path.split('>')
  const isCut = parts.at(-1) === '+'
  const steps: PathStep[] = []
  for (const part of parts) {
    const step = stepOf(part, stepIn)
    if (step) steps.push(step)
  }
  return { steps, isCut }
}

function stepIn(part: string): PathStep | null {
  const colon = part.indexOf(':')
  const slash = part.indexOf('/', colon)
  if (colon < 1 || slash < 0) return null
  const seconds = part.slice(slash + 1)
  if (!SECONDS.test(seconds)) return null
  const [screen, heard] = [part.slice(0, colon), part.slice(colon + 1, slash)]
  if (heard === 'ack') return { screen, key: null, seconds: Number(seconds), isAck: true }
  return { screen, key: heard === '*' ? null : heard, seconds: Number(seconds) }
}

export interface PathMoment {
  /** Since the dialogue began. */
  atMs: number
  /** It follows from seconds that are rounded. */
  isAbout: boolean
}

/** A path has whole seconds. */
const ROUNDED_MS = 500

/**
 * When each screen was answered: to the millisecond where a call of a back end followed at once, else by the seconds of
 * the path since then. A call that came much later was made again by another daemon, and tells nothing of the key.
 */
export function momentsOf(steps: readonly PathStep[], calls: readonly CallMade[]): PathMoment[] {
  let atMs = 0
  let slackMs = 0
  return steps.map(({ seconds }, i) => {
    const shownMs = Math.max(atMs, ...calls.filter(({ turn }) => turn === i + 1).map((call) => call.atMs + call.ms))
    const aboutMs = shownMs + seconds * 1_000
    slackMs += ROUNDED_MS
    const next = calls.find(({ turn, n }) => turn === i + 2 && n === 0)
    const isTold = next !== undefined && Math.abs(next.atMs - aboutMs) <= slackMs + TURN_MS
    atMs = isTold ? next.atMs : aboutMs
    if (isTold) slackMs = 0
    return { atMs, isAbout: !isTold }
  })
}

/** Between a key and the call that follows: the store, and a look at what the subscriber chose. */
const TURN_MS = 250
