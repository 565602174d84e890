/**
 * The settings of the daemons of a campaign. Long runs have the product's defaults, short ones have deadlines scaled
 * down, so that each is met many times in a minute. What differs from the defaults is found by comparing, not by
 * asking: a campaign that changes a setting says here why, and what a run with it would miss.
 */
import { parse, stringify } from 'yaml'
import { parseSettings } from '../../src/config/load.ts'
import type { Settings } from '../../src/config/schema.ts'
import type { CampaignDeps } from './judging/outcome.ts'

/** defaults: but for what no run can do without. */
export type Pace = 'defaults' | 'short'

export function paceOf({ ci }: Pick<CampaignDeps, 'ci'>): Pace {
  return ci ? 'short' : 'defaults'
}

interface Reason {
  why: string
  /** What a run with it does not see. */
  misses: string
}

const EACH_DEADLINE = 'each deadline is met many times in a minute'
const FAST_KEYS = 'phones press a key as soon as they have a screen'
const OUTLIVES = 'on a slow machine a dialogue must outlive the start of a daemon'
/** Of a setting that hides nothing. */
const NOTHING = 'nothing'
const BOUND_AGAIN = 'a link is lost many times in a minute'

/** By setting; the part before the last dot stands for all below it. */
export const REASONS: Readonly<Record<string, Reason>> = {
  'flows.reloadMs': { why: 'flows do not change, or must be seen to change soon', misses: 'a reload by itself' },
  'reminders.leads': { why: 'a booking has one reminder, or none, to be counted', misses: 'a second lead' },
  'reminders.quietHours': { why: 'a run may fall into the night', misses: 'quiet hours (R14 has them)' },
  'reminders.pollMs': { why: EACH_DEADLINE, misses: 'an SMS that waits a second for the next look' },
  'reminders.leaseMs': { why: EACH_DEADLINE, misses: 'an SMS that is settled later than 3 s' },
  'reminders.ambiguousGraceMs': { why: EACH_DEADLINE, misses: 'a receipt that comes after more than 1.5 s' },
  'dialogue.leaseMs': { why: EACH_DEADLINE, misses: 'what happens in the 3 s until a turn is taken over' },
  'dialogue.sweepMs': { why: EACH_DEADLINE, misses: 'what is due for half a second' },
  'dialogue.confirmMs': { why: EACH_DEADLINE, misses: 'a response that comes between 1.5 and 12 s' },
  'dialogue.idleMs': { why: `${EACH_DEADLINE}, or ${OUTLIVES}`, misses: 'a dialogue that is idle for a minute' },
  'dialogue.totalMs': { why: `${EACH_DEADLINE}, or ${OUTLIVES}`, misses: 'a dialogue that ends at three minutes' },
  'dialogue.tombstoneMs': { why: 'one-octet numbers come round in seconds', misses: 'copies that come after 5 s' },
  'dialogue.resumeMs': { why: 'no key may be left in the end', misses: 'a dialogue that is resumed later' },
  'dialogue.turnMs': { why: EACH_DEADLINE, misses: 'a turn that takes between 4 and 8 s' },
  'dialogue.openMax': { why: 'the flood must reach it', misses: 'the limit as it is shipped' },
  'dialogue.perSubscriber': { why: FAST_KEYS, misses: 'the rate of one subscriber (R12 has it)' },
  'lines[].sms': { why: 'more is booked in a minute than in a day', misses: 'SMS that wait for the rate of the line' },
  'lines[].timers': { why: BOUND_AGAIN, misses: 'what happens while a lost link waits to be bound again' },
  'lines[].links': { why: 'two daemons in one', misses: 'one link alone' },
  'postgres.poolMax': { why: 'several daemons share a small server', misses: 'ten connections at work' },
  'records.files': { why: 'files are cut every few seconds', misses: 'files of five minutes' },
  'records.to': { why: 'records for files alone are a way of their own', misses: NOTHING },
  'texts.overload': { why: 'too many callers is told from a fault', misses: NOTHING },
  'log.level': { why: 'the log is evidence', misses: NOTHING },
  stopMs: { why: 'daemons are stopped many times', misses: 'replies that are owed for more than 5 s' },
  'push.freeText': { why: 'a marked text must go all the way', misses: 'texts that a template must allow' },
  'late.waitMs': { why: 'what waits must be found in the dump', misses: 'the end of the wait' },
}
/** Where things are, and what is served: no run can do without. */
const PLACES =
  /^(lines\[\]\.(name|smsc|sms\.source|group)|services|backends|apps|door|flows\.dir|redis|postgres(\.(url|passwordFile|embedded))?$|data|admin|privacy|metrics|trace\.dropDir|records\.files\.(dir|feeds))\b/

const NEEDED = `
reminders: { leads: ["24h"], quietHours: null }
`
const SHORT = `
flows: { reloadMs: 0 }
dialogue: { tombstoneMs: 5000, leaseMs: 600, sweepMs: 100, confirmMs: 1500, idleMs: 8000, totalMs: 60000, turnMs: 4000,
  perSubscriber: { perSecond: 10000, burst: 10000 } }
reminders: { pollMs: 100, leaseMs: 3000, ambiguousGraceMs: 1500 }
postgres: { poolMax: 5 }
stopMs: 5000
`
const SHORT_LINE = `
sms: { perSecond: 500 }
timers: { enquireMs: 1000, enquireRespMs: 500, responseMs: 2000, reconnectMs: 100, reconnectMaxMs: 1000 }
`

/** No more than a settings file must have. */
const DEFAULTS = `
lines: [{ name: a, smsc: { host: 127.0.0.1, port: 1, systemId: a, password: b }, sms: { source: "1" } }]
services: [{ code: "*1#", flow: a }]
redis: embedded
postgres: { url: "postgres://a" }
`

type Tree = Record<string, unknown>

/** The settings file of a daemon: the places, and what this pace changes. */
export function sourceAt(pace: Pace, places: Tree & { lines: readonly Tree[] }): string {
  const changes = [NEEDED, ...(pace === 'short' ? [SHORT] : [])].map((text) => parse(text) as Tree)
  const line = pace === 'short' ? (parse(SHORT_LINE) as Tree) : {}
  const whole = [places, ...changes].reduce((all, one) => merged(all, one), {})
  return stringify({ ...whole, lines: places.lines.map((one) => merged(one, line)) })
}

function merged(a: Tree, b: Tree): Tree {
  const out: Tree = { ...a }
  for (const [name, value] of Object.entries(b))
    out[name] = isTree(value) && isTree(out[name]) ? merged(out[name], value) : value
  return out
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** By setting: what differs from the defaults, but for places. Throws where nobody says why. */
export function changedSettings(settings: Settings): Map<string, string> {
  const { settings: plain } = parseSettings(DEFAULTS, 'defaults', {})
  const [is, was] = [leavesOf(settings), leavesOf(plain)]
  const changed = new Map<string, string>()
  for (const [path, value] of is) {
    if (PLACES.test(path) || was.get(path) === value) continue
    if (!reasonFor(path)) throw new Error(`a campaign changes ${path}: say why in test/campaigns/settings.ts`)
    changed.set(path, value)
  }
  return changed
}

export function reasonFor(path: string): (Reason & { of: string }) | undefined {
  for (let of = path; of; of = of.slice(0, Math.max(0, of.lastIndexOf('.')))) {
    const reason = REASONS[of]
    if (reason) return { ...reason, of }
  }
  return undefined
}

/** Values by path; those of all lines under one. */
function leavesOf(value: unknown, path = ''): Map<string, string> {
  if (path === 'lines') return new Map((value as unknown[]).flatMap((one) => [...leavesOf(one, 'lines[]')]))
  if (!isTree(value)) return new Map(value === undefined ? [] : [[path, JSON.stringify(value)]])
  return new Map(
    Object.entries(value).flatMap(([name, below]) => [...leavesOf(below, path ? `${path}.${name}` : name)]),
  )
}

/** What a run does not see that had these settings: `dialogue.leaseMs 600`. */
export function missedBy(changed: readonly string[]): string[] {
  const misses = changed.map((one) => reasonFor(one.split(' ', 1)[0]!)?.misses ?? '')
  return [...new Set(misses)].filter((what) => what !== '' && what !== NOTHING)
}

const noted = new Map<string, string>()

/** Whatever daemon of a campaign is told. */
export function noteSettings(settings: Settings): void {
  for (const [path, value] of changedSettings(settings)) noted.set(path, value)
}

/** What was noted since the last call: `dialogue.leaseMs 600`. */
export function takeNoted(): string[] {
  const all = [...noted].map(([path, value]) => `${path} ${value}`).toSorted()
  noted.clear()
  return all
}
