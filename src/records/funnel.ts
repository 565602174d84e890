/**
 * The funnel of flows (docs/RECORDS.md): what the records of dialogues add to the sums of their screens, and how sums
 * are read. Pure. No number of a subscriber is in a sum.
 */
import { type Counters, isoOf } from '../base/index.ts'
import { type CallRecord, type PathStep, stepsOf } from '../dialogue/index.ts'

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
  /** By their five minutes, then by revision: no key is put together for each record. */
  const sums = new Map<number, Map<string, ScreenSums>>()
  let folded = 0
  for (const [n, record] of records.entries()) {
    if (record.kind !== 'dialogue' || record.channel === 'test' || record.flow === '') continue
    const atMs = floorTo(record.endedMs, FIVE_MINUTES * SECOND_MS)
    let revisions = sums.get(atMs)
    if (!revisions) sums.set(atMs, (revisions = new Map()))
    let screens = revisions.get(record.flow)
    if (!screens) revisions.set(record.flow, (screens = new ScreenSums(record.flow, atMs)))
    folded += screens.add(record, n)
  }
  const fine = [...sums.values()].flatMap((revisions) => [...revisions.values()].flatMap((screens) => screens.rows()))
  return { rows: [...fine, ...[HOUR, DAY].flatMap((span) => wider(fine, span))], folded }
}

/** The sum of a screen. `last`: the dialogue that came to it last, which counts once. */
interface ScreenSum {
  row: FunnelRow
  last: number
}

/** How often a step was taken, of those that are the same to the second. */
interface StepSum {
  screen: ScreenSum
  key: string
  taken: number
}

/** The sums of the screens of one revision, in five minutes. */
class ScreenSums {
  readonly #sums = new Map<string, ScreenSum>()
  /** By the step itself, because paths share them. */
  readonly #steps = new Map<PathStep, StepSum>()
  readonly #revision: string
  readonly #atMs: number

  constructor(revision: string, atMs: number) {
    this.#revision = revision
    this.#atMs = atMs
  }

  rows(): FunnelRow[] {
    for (const [{ isAck, seconds }, { screen, key, taken }] of this.#steps) {
      count(screen.row.chosen, key, taken)
      if (!isAck) screen.row.times[timeSlot(seconds)]! += taken
    }
    this.#steps.clear()
    return [...this.#sums.values()].map(({ row }) => row)
  }

  /** Adds the `n`th record. Answers how many of its choices were counted together with others. */
  add({ path, screen: last, reason }: CallRecord, n: number): number {
    const { steps, isCut } = stepsOf(path)
    const whole = reached(this.#sumOf(''), n, 0)
    count(whole.ended, reason)
    if (isCut) whole.cut++
    let folded = 0
    for (let place = 0; place < steps.length; place++) {
      const step = steps[place]!
      let sum = this.#steps.get(step)
      if (!sum) this.#steps.set(step, (sum = { screen: this.#sumOf(step.screen), key: keyOf(step), taken: 0 }))
      sum.taken++
      reached(sum.screen, n, place)
      if (sum.key === OTHERS) folded++
    }
    if (last !== '') count(reached(this.#sumOf(last), n, steps.length).ended, reason)
    return folded
  }

  #sumOf(screen: string): ScreenSum {
    let sum = this.#sums.get(screen)
    if (!sum)
      this.#sums.set(screen, (sum = { row: emptyRow(FIVE_MINUTES, this.#revision, screen, this.#atMs), last: -1 }))
    return sum
  }
}

/** The `n`th record came to a screen after so many steps. */
function reached(sum: ScreenSum, n: number, place: number): FunnelRow {
  const { row } = sum
  if (sum.last !== n) {
    row.reached++
    row.place += place
    sum.last = n
  }
  return row
}

function count(sums: Record<string, number>, key: string, more = 1): void {
  sums[key] = (sums[key] ?? 0) + more
}

function keyOf({ key, isAck }: PathStep): string {
  if (isAck) return 'ack'
  return key === null ? '*' : key.length > KEY_CHARS_MAX ? OTHERS : key
}

/** The same in wider sums. Of a batch of records there are few rows. */
function wider(rows: readonly FunnelRow[], span: number): FunnelRow[] {
  const sums = new Map<string, FunnelRow>()
  for (const row of rows) {
    const atMs = floorTo(Date.parse(row.at), span * SECOND_MS)
    const key = `${atMs} ${row.revision} ${row.screen}`
    const sum = sums.get(key) ?? emptyRow(span, row.revision, row.screen, atMs)
    sums.set(key, sum)
    sum.reached += row.reached
    sum.place += row.place
    sum.cut += row.cut
    for (const [slot, n] of row.times.entries()) sum.times[slot]! += n
    for (const [reason, n] of Object.entries(row.ended)) count(sum.ended, reason, n)
    for (const [key, n] of Object.entries(row.chosen)) count(sum.chosen, key, n)
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

function timeSlot(seconds: number): number {
  const slot = ANSWERED_WITHIN.findIndex((most) => seconds <= most)
  return slot < 0 ? ANSWERED_WITHIN.length : slot
}

/** A dialogue is in the sums of the moment at which it ended. */
function emptyRow(span: number, revision: string, screen: string, atMs: number): FunnelRow {
  return {
    flow: flowOfRevision(revision),
    span,
    at: isoOf(atMs),
    revision,
    screen,
    reached: 0,
    place: 0,
    times: Array.from({ length: ANSWERED_WITHIN.length + 1 }, () => 0),
    ended: {},
    chosen: {},
    cut: 0,
  }
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
