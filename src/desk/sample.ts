/**
 * What all open pages see: one look at this daemon a second, and what the others last wrote of themselves. However many
 * pages are open, there is one look, without a statement.
 */
import type { DaemonRates, DaemonState, InstanceRow } from '../admin/index.ts'
import type { Fleet } from '../fleet/index.ts'
import type { LineEvents } from '../watch/index.ts'
import type { Clock } from '../ussd/index.ts'
import { type LineOutage, outagesOf } from './outages.ts'

export interface Sample {
  atMs: number
  /** This daemon first; the others are as old as their `ageMs`. */
  instances: InstanceRow[]
  /** Of the whole fleet, the oldest first. */
  rates: readonly DaemonRates[]
  outages: Outages
}

/** Of the last 24 hours, of all lines. */
export interface Outages {
  list: readonly LineOutage[]
  /** False: there are more events than are read, and the oldest are missing. */
  isWhole: boolean
}

export interface SamplerDeps {
  fleet: Pick<Fleet<DaemonState>, 'name' | 'known' | 'own'>
  state(): Promise<DaemonState>
  own: Pick<InstanceRow, 'version' | 'node' | 'admin' | 'startedAt'>
  lineEvents: Pick<LineEvents, 'within'>
  clock: Clock
}

export interface Sampler {
  now(): Promise<Sample>
  /** Somebody changed something: the next page shows it, without waiting for the second to be over. */
  changed(): void
  stop(): void
}

export const LOOK_EACH_MS = 1_000
/** Rates are kept by this, for ten minutes. */
const RATES_EACH_MS = 5_000
const RATES_MAX = 121
const OUTAGES_EACH_MS = 10_000
const OUTAGES_FROM_MS = 86_400_000
/** Binds of a large fleet that flap for hours: above it, the strip says that its older part is not complete. */
const EVENTS_READ_MAX = 5_000

export function createSampler({ fleet, state, own, lineEvents, clock }: SamplerDeps): Sampler {
  let last: Promise<Sample> | undefined
  let lastMs = -Infinity
  let outages: Outages = { list: [], isWhole: true }
  let outagesMs = -Infinity
  let ownMs = -Infinity
  const rates: DaemonRates[] = []
  let cancel = (): void => undefined

  async function readOutages(nowMs: number): Promise<Outages> {
    if (nowMs - outagesMs < OUTAGES_EACH_MS) return outages
    outagesMs = nowMs
    const asked = { line: null, fromMs: nowMs - OUTAGES_FROM_MS, untilMs: nowMs, before: null, most: EVENTS_READ_MAX }
    // While Postgres is unreachable: as last read.
    const events = await lineEvents.within(asked).catch(() => undefined)
    if (events) outages = { list: outagesOf(events, asked.fromMs), isWhole: events.length < EVENTS_READ_MAX }
    return outages
  }

  const others = () => fleet.known().filter(({ name }) => name !== fleet.name)

  /** Its rates are since the last look. If nobody has looked for a while, those of the heartbeat say what is so now. */
  async function stateNow(atMs: number): Promise<DaemonState> {
    const isFirst = Math.abs(atMs - ownMs) > RATES_EACH_MS
    ownMs = atMs
    const [now, beat] = [await state(), fleet.own()]
    return isFirst && beat ? withRates(now, beat) : now
  }

  async function instancesOf(atMs: number): Promise<InstanceRow[]> {
    const now: InstanceRow = { name: fleet.name, ...own, ageMs: 0, isGone: false, state: await stateNow(atMs) }
    return [now, ...others()]
  }

  async function look(atMs: number): Promise<Sample> {
    const [instances, down] = await Promise.all([instancesOf(atMs), readOutages(atMs)])
    return { atMs, instances, rates, outages: down }
  }

  /** Also while nobody looks: the first page that is opened shows the last ten minutes. As the heartbeats have them. */
  function keepRates(): void {
    const now = fleet.own()
    rates.push(ratesOf([...(now ? [{ isGone: false, state: now }] : []), ...others()]))
    if (rates.length > RATES_MAX) rates.shift()
    cancel = clock.after(RATES_EACH_MS, keepRates)
  }

  cancel = clock.after(RATES_EACH_MS, keepRates)
  return {
    now() {
      const nowMs = clock.now()
      if (last && Math.abs(nowMs - lastMs) < LOOK_EACH_MS) return last
      lastMs = nowMs
      return (last = look(nowMs))
    },
    changed: () => void (lastMs = -Infinity),
    stop: () => cancel(),
  }
}

function withRates(state: DaemonState, { rates, lines }: DaemonState): DaemonState {
  const over = new Map(lines.map(({ name, traffic }) => [name, traffic]))
  const whole = state.lines.map((line) => {
    const traffic = over.get(line.name)
    return traffic && line.traffic ? { ...line, traffic } : line
  })
  return { ...state, rates, lines: whole }
}

/** Of those that live, in all. */
export function ratesOf(instances: readonly Pick<InstanceRow, 'isGone' | 'state'>[]): DaemonRates {
  const live = instances.filter(({ isGone }) => !isGone)
  const sum = (of: keyof DaemonRates) => live.reduce((all, { state }) => all + state.rates[of], 0)
  return { dials: sum('dials'), turns: sum('turns'), sms: sum('sms') }
}
