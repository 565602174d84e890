/**
 * R13: histories by the hundred, each of its seed; one that breaks an invariant is shrunk and told as a plan that can
 * be kept.
 */
import {
  FAILURES_MAX,
  told as outcomeOf,
  type Campaign,
  type CampaignDeps,
  type Outcome,
} from '../campaigns/judging/outcome.ts'
import { noteSettings } from '../campaigns/settings.ts'
import { play, type Told } from './history.ts'
import { planOf, sayFault, type Fault, type Plan } from './plan.ts'
import { SETTINGS } from './stage.ts'
import { shrink } from './shrink.ts'

/** CI's share, a run by hand, a night. */
const SEEDS = { ci: 60, bounded: 500, long: 100_000 } as const
const SAY_EVERY = 250

interface Found {
  plan: Plan
  told: Told
}

export const simulationCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  noteSettings(SETTINGS)
  const count = parts.seeds ?? SEEDS[parts.ci ? 'ci' : parts.mode]
  let excused = 0
  const sums = { dialogues: 0, bookings: 0, sms: 0, events: 0, virtualMs: 0 }
  const faults = new Map<Fault['is'], number>()
  const counters = { stalled: 0, back: 0, copies: 0, lateCopies: 0 }
  const found: Found[] = []
  for (let n = 0; n < count && found.length < FAILURES_MAX; n++) {
    const plan = planOf(parts.seed + n)
    const told = await play(plan)
    for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += told[name]
    for (const name of Object.keys(counters) as (keyof typeof counters)[]) counters[name] += told.counters[name]
    excused += told.excused.length
    for (const { is } of plan.faults) faults.set(is, (faults.get(is) ?? 0) + 1)
    if (told.breaches.length) found.push(await smallest(plan, told, parts))
    if ((n + 1) % SAY_EVERY === 0) parts.say(`${n + 1} histories, ${found.length} broken`)
  }
  return [outcome({ parts, startMs, count, found, excused, faults, counters, sums })]
}

async function smallest(plan: Plan, told: Told, { say }: CampaignDeps): Promise<Found> {
  const { invariant } = told.breaches[0]!
  say(`seed ${plan.seed} breaks ${invariant}: shrinking`)
  const isBroken = async (smaller: Plan) => (await play(smaller)).breaches.some((one) => one.invariant === invariant)
  const { plan: least, tries } = await shrink(plan, isBroken)
  say(`  ${least.daemons} daemons, ${least.walkers} subscribers, after ${tries} histories:`)
  for (const fault of least.faults) say(`  ${sayFault(fault)}`)
  say(`  keep it as test/simulation/seeds/<what-it-shows>.json: ${JSON.stringify(least)}`)
  return { plan: least, told: await play(least) }
}

interface Run {
  parts: CampaignDeps
  startMs: number
  count: number
  found: Found[]
  /** Breaches that may be: see Told. */
  excused: number
  faults: ReadonlyMap<Fault['is'], number>
  counters: Omit<Told['counters'], 'counted'>
  sums: { dialogues: number; bookings: number; sms: number; events: number; virtualMs: number }
}

function outcome({ parts, startMs, count, found, excused, faults, counters, sums }: Run): Outcome {
  const { virtualMs, ...counts } = sums
  const seconds = (performance.now() - startMs) / 1000
  return outcomeOf(parts, startMs, {
    goal: 'R13',
    title:
      'daemons, stores, SMSC and subscribers under a virtual clock, each history of its seed; counters that stall, go back, stand still and wrap; keys copied up to 5 s later',
    passed: found.length === 0 && sums.dialogues > 0,
    figure: `${found.length} of ${count} histories broken; ${sums.dialogues} dialogues, ${(virtualMs / 3_600_000).toFixed(1)} virtual hours`,
    counts: {
      seeds: count,
      excused,
      ...counts,
      seedsPerSecond: Math.round((count / seconds) * 10) / 10,
      'keys whose counter stalled': counters.stalled,
      'keys whose counter went back': counters.back,
      'copies of keys': counters.copies,
      'copies behind a later key': counters.lateCopies,
      ...Object.fromEntries([...faults].toSorted().map(([is, n]) => [`fault ${is}`, n])),
    },
    failures: found.map(({ plan, told }) => {
      const { invariant, what } = told.breaches[0]!
      return `seed ${plan.seed}: ${invariant} ${what.split('\n')[0]} | ${plan.faults.map(sayFault).join('; ')}`
    }),
  })
}
