/**
 * The funnel of flows (docs/RECORDS.md): what the records of dialogues add to the sums of their screens, and how sums
 * are read. Pure. No number of a subscriber is in a sum.
 */
import type { Counters } from '../base/index.ts'
import { type CallRecord, stepsOf } from '../dialogue/index.ts'

/** The widths of sums, in seconds: a question over months adds days, and finer sums at its ends. */
const [FIVE_MINUTES, HOUR, DAY] = [300, 3_600, 86_400] as const
export const FUNNEL_SPANS = [FIVE_MINUTES, HOUR, DAY] as const

/** How long sums of five minutes are kept: a release is watched within days. Older ends of a range are full hours. */
export const FINE_DAYS = 14

const SECOND_MS = 1_000
const DAY_MS = DAY * SECOND_MS

/** Answers are counted by how long they took: up to so many seconds each, and longer. */
export const ANSWERED_WITHIN = [1, 2, 3, 5, 8, 12, 20, 30, 45, 60, 90, 120] as const

/**
 * Choices with more characters are counted together: some 130 keys a screen are told apart, and no screen of a handset
 * has as many lines.
 */
const KEY_CHARS_MAX = 2
/** What stands for the others. */
const OTHERS = '+'
export { OTHERS as OTHER_KEYS }

/** What some records add to one sum. */
export interface FunnelRow {
  flow: string
  span: number
  at: string
  revision: string
  /** '' : the dialogues themselves. */
  screen: string
  reached: number
  place: number
  times: number[]
  ended: Record<string, number>
  chosen: Record<string, number>
  cut: number
}

/** What records say of a screen, for a metric. */
export interface ScreenTold {
  flow: string
  screen: string
  reached: number
  /** Dialogues that ended here, and not as the flow ends them. */
  left: number
}

export interface FunnelAdded {
  rows: FunnelRow[]
  /** Choices that were counted together with others. */
  folded: number
}

/** `dental@9f2c01ab77de` is flow `dental`. */
export function flowOfRevision(revision: string): string {
  return revision.split('@')[0]!
}

/** What these records add. Test dials, and what is not a dialogue on a flow, add nothing. */
export function funnelRows(records: readonly CallRecord[]): FunnelAdded {
  const sums = new Map<string, FunnelRow>()
  let folded = 0
  for (const record of records) {
    if (record.kind !== 'dialogue' || record.channel === 'test' || record.flow === '') continue
    const { screens, isCut } = screensOf(record)
    const at = (screen: string) => rowAt(sums, FIVE_MINUTES, { revision: record.flow, screen }, record.endedMs)
    const whole = at('')
    whole.reached++
    whole.ended[record.reason] = (whole.ended[record.reason] ?? 0) + 1
    if (isCut) whole.cut++
    for (const [screen, seen] of screens) {
      addSeen(at(screen), seen, record)
      for (const { key } of seen.answers) if (key === OTHERS) folded++
    }
  }
  const fine = [...sums.values()]
  return { rows: [...fine, ...[HOUR, DAY].flatMap((span) => wider(fine, span))], folded }
}

/** The same in wider sums. Of a batch of records there are few rows. */
function wider(rows: readonly FunnelRow[], span: number): FunnelRow[] {
  const sums = new Map<string, FunnelRow>()
  for (const row of rows) {
    const sum = rowAt(sums, span, row, Date.parse(row.at))
    sum.reached += row.reached
    sum.place += row.place
    sum.cut += row.cut
    for (const [slot, n] of row.times.entries()) sum.times[slot]! += n
    for (const [reason, n] of Object.entries(row.ended)) sum.ended[reason] = (sum.ended[reason] ?? 0) + n
    for (const [key, n] of Object.entries(row.chosen)) sum.chosen[key] = (sum.chosen[key] ?? 0) + n
  }
  return [...sums.values()]
}

/** Ends that a flow chooses. */
const CHOSEN_ENDS: ReadonlySet<string> = new Set(['completed', 'exit', 'answer-later'])

/** The screens of rows, each once. */
export function screensTold(rows: readonly FunnelRow[]): ScreenTold[] {
  const told = new Map<string, ScreenTold>()
  for (const { flow, screen, span, reached, ended } of rows) {
    if (span !== DAY || screen === '') continue
    const one = told.get(`${flow} ${screen}`) ?? { flow, screen, reached: 0, left: 0 }
    told.set(`${flow} ${screen}`, one)
    one.reached += reached
    for (const [reason, n] of Object.entries(ended)) if (!CHOSEN_ENDS.has(reason)) one.left += n
  }
  return [...told.values()]
}

/** Screens that /metrics tells apart: those of a dozen flows of usual size. Prometheus keeps each for months. */
export const SCREENS_TOLD_MAX = 300

/** Counts screens; those over the limit together, as `+`. */
export function screenCounting(counters: Counters): (told: readonly ScreenTold[]) => void {
  const known = new Set<string>()
  const labelOf = ({ flow, screen }: ScreenTold): { flow: string; screen: string } => {
    if (known.has(`${flow} ${screen}`)) return { flow, screen }
    if (known.size < SCREENS_TOLD_MAX) {
      known.add(`${flow} ${screen}`)
      return { flow, screen }
    }
    counters.count('limits_total', { limit: 'funnel_screens_told_max' })
    return { flow: OTHERS, screen: OTHERS }
  }
  return (told) => {
    for (const one of told) {
      const labels = labelOf(one)
      counters.count('flow_screens_total', { ...labels, what: 'reached' }, one.reached)
      if (one.left > 0) counters.count('flow_screens_total', { ...labels, what: 'left' }, one.left)
    }
  }
}

interface Seen {
  /** How many steps came before it the first time. */
  place: number
  answers: { key: string; seconds: number | null }[]
}

/** The screens that a dialogue reached, with its answers. A screen that it saw again has more answers. */
function screensOf({ path, screen: last }: CallRecord): { screens: Map<string, Seen>; isCut: boolean } {
  const { steps, isCut } = stepsOf(path)
  const screens = new Map<string, Seen>()
  const at = (screen: string, place: number): Seen => {
    const seen = screens.get(screen) ?? { place, answers: [] }
    screens.set(screen, seen)
    return seen
  }
  for (const [place, { screen, key, isAck, seconds }] of steps.entries()) {
    const chosen = isAck ? 'ack' : key === null ? '*' : key.length > KEY_CHARS_MAX ? OTHERS : key
    at(screen, place).answers.push({ key: chosen, seconds: isAck ? null : seconds })
  }
  if (last !== '') at(last, steps.length)
  return { screens, isCut }
}

function addSeen(row: FunnelRow, { place, answers }: Seen, { screen, reason }: CallRecord): void {
  row.reached++
  row.place += place
  for (const { key, seconds } of answers) {
    row.chosen[key] = (row.chosen[key] ?? 0) + 1
    if (seconds !== null) row.times[timeSlot(seconds)]!++
  }
  if (row.screen === screen) row.ended[reason] = (row.ended[reason] ?? 0) + 1
}

function timeSlot(seconds: number): number {
  const slot = ANSWERED_WITHIN.findIndex((most) => seconds <= most)
  return slot < 0 ? ANSWERED_WITHIN.length : slot
}

/** A dialogue is in the sums of the moment at which it ended. */
function rowAt(
  rows: Map<string, FunnelRow>,
  span: number,
  { revision, screen }: Pick<FunnelRow, 'revision' | 'screen'>,
  endedMs: number,
): FunnelRow {
  const atMs = floorTo(endedMs, span * SECOND_MS)
  const key = `${atMs} ${revision} ${screen}`
  const known = rows.get(key)
  if (known) return known
  const row: FunnelRow = {
    flow: flowOfRevision(revision),
    span,
    at: new Date(atMs).toISOString(),
    revision,
    screen,
    reached: 0,
    place: 0,
    times: Array.from({ length: ANSWERED_WITHIN.length + 1 }, () => 0),
    ended: {},
    chosen: {},
    cut: 0,
  }
  rows.set(key, row)
  return row
}

/** Which sums make up a range. */
export interface FunnelPiece {
  span: number
  fromMs: number
  toMs: number
}

export interface FunnelRange {
  sinceMs: number
  untilMs: number
}

/** The range as sums have it: full five minutes, and full hours where those are gone. */
export function rangeOfSums({ sinceMs, untilMs }: FunnelRange, nowMs: number): FunnelRange {
  const grain = (ms: number) => (ms < nowMs - FINE_DAYS * DAY_MS ? HOUR : FIVE_MINUTES) * SECOND_MS
  return { sinceMs: floorTo(sinceMs, grain(sinceMs)), untilMs: -floorTo(-untilMs, grain(untilMs)) }
}

/** As few sums as can be: days, and hours and five minutes at the ends. */
export function piecesOf(
  { sinceMs, untilMs }: FunnelRange,
  [span, ...finer]: readonly number[] = FUNNEL_SPANS.toReversed(),
): FunnelPiece[] {
  if (span === undefined || sinceMs >= untilMs) return []
  const widthMs = span * SECOND_MS
  const [fromMs, toMs] = [-floorTo(-sinceMs, widthMs), floorTo(untilMs, widthMs)]
  if (fromMs >= toMs) return piecesOf({ sinceMs, untilMs }, finer)
  return [
    ...piecesOf({ sinceMs, untilMs: fromMs }, finer),
    { span, fromMs, toMs },
    ...piecesOf({ sinceMs: toMs, untilMs }, finer),
  ]
}

function floorTo(ms: number, widthMs: number): number {
  return Math.floor(ms / widthMs) * widthMs
}

/** Within how many seconds this share of the answers came. Null: there are none, or it took longer than two minutes. */
export function answeredWithin(times: readonly number[], share: number): number | null {
  const all = times.reduce((sum, n) => sum + n, 0)
  if (all === 0) return null
  let sum = 0
  for (const [slot, n] of times.entries()) {
    sum += n
    if (sum >= share * all) return ANSWERED_WITHIN[slot] ?? null
  }
  return null
}
