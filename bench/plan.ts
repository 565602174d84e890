/** What is run, and in which order: systems alternate, so that a busy minute of the machine spoils one run of each. */
import type { Asked } from './arguments.ts'
import { isKannelInstalled, kannelSystem, type KannelSystem } from './kannel/system.ts'
import { measure, type Measured, type Run } from './measure.ts'
import type { Scenario } from './scenarios.ts'
import { daemonSystem, rawSystem, type System } from './systems.ts'

/** Until the code is compiled; on a busy machine not longer than so. */
const WARM_UP = { concurrent: 500, turns: 20_000, seconds: 15 }
const WARM_UP_FAULTS = 0.1
/** Closed loop with so many phones: as fast as the system is. */
const SATURATING = 500
/** Of saturation. */
export const SHARES = [
  { share: 1 / 3, load: '1/3 of saturation' },
  { share: 2 / 3, load: '2/3 of saturation' },
  { share: 0.9, load: '9/10 of saturation' },
] as const
export const AT_KANNELS = "2/3 of Kannel's saturation"

export interface Outcome {
  measured: Measured[]
  /** Octets of a dialogue in Redis. */
  recordOctets: number
  kannel: 'not asked for' | 'not installed' | 'with Nagle' | 'without Nagle'
}

export async function playScenario(scenario: Scenario, asked: Asked, tell: (one: Measured) => void): Promise<Outcome> {
  const daemon = await daemonSystem('daemon', {
    scenario,
    isProbed: asked.allocations || asked.profileDir !== undefined,
  })
  const systems: System[] = [daemon]
  await warmUp(daemon, scenario)
  const recordOctets = await daemon.recordOctets()
  if (asked.before !== undefined) systems.push(await daemonSystem('before', { scenario, build: asked.before.root }))
  const isWalk = scenario.name === 'walk'
  if (isWalk && asked.raw) systems.push(await rawSystem(recordOctets))
  const kannel = isWalk && asked.kannel && isKannelInstalled() ? await kannelSystem(recordOctets) : undefined
  if (kannel) systems.push(kannel)
  for (const system of systems.slice(1)) await warmUp(system, scenario)
  const measured: Measured[] = []
  for (let round = 0; round < asked.rounds; round++) {
    for await (const one of playRound(scenario, asked, systems, round)) {
      measured.push(one)
      tell(one)
    }
  }
  return { measured, recordOctets, kannel: kannelWords(isWalk && asked.kannel, kannel) }
}

function kannelWords(isAsked: boolean, kannel: KannelSystem | undefined): Outcome['kannel'] {
  if (!isAsked) return 'not asked for'
  if (kannel === undefined) return 'not installed'
  return kannel.isNoDelay ? 'without Nagle' : 'with Nagle'
}

/** Throws for a system that does not serve: its figures would be those of failing. */
async function warmUp(system: System, { name }: Scenario): Promise<void> {
  const { turns, lost, refused, wrong } = await system.walk({ scenario: name, ...WARM_UP })
  // On a busy machine a back end may be late while nothing is compiled yet.
  if (lost + refused + wrong < turns * WARM_UP_FAULTS) return
  const faults = `${lost} lost, ${refused} refused, ${wrong} wrong screens`
  throw new Error(`${system.name} does not serve ${name}: of ${turns} turns ${faults}`)
}

async function* playRound(
  scenario: Scenario,
  asked: Asked,
  systems: readonly System[],
  round: number,
): AsyncIterable<Measured> {
  const run = { scenario: scenario.name, seconds: asked.seconds, round, profileDir: asked.profileDir }
  /** Who comes first changes, too. */
  const inTurn = round % 2 ? systems.toReversed() : systems
  const saturation = new Map<string, number>()
  for (const concurrent of asked.concurrent) {
    for (const system of inTurn) {
      if (system.name === 'before' && asked.isWhole && concurrent !== SATURATING) continue
      const one = await measure(system, { ...run, concurrent, load: phonesWords(concurrent) })
      if (concurrent === SATURATING) saturation.set(system.name, one.perSecond)
      yield one
    }
  }
  if (!asked.open) return
  for (const system of inTurn) {
    if (system.name === 'before') continue
    const most = saturation.get(system.name)
    if (most === undefined) throw new Error(`--open: --concurrent must have ${SATURATING}, which is saturation`)
    for (const { load, perSecond } of ratesOf(system, most, saturation.get('Kannel'))) {
      const open: Run = { ...run, load, perSecond, concurrent: scenario.phones, seed: round + 1 }
      yield await measure(system, open)
    }
  }
}

function ratesOf({ name }: System, most: number, kannels: number | undefined): { load: string; perSecond: number }[] {
  const own = SHARES.map(({ share, load }) => ({ load, perSecond: most * share }))
  // What a turn of Node itself costs when it is not busy: the daemon's is compared with that.
  if (name === 'raw loop') return own.slice(0, 1)
  if (name !== 'daemon' || kannels === undefined) return own
  return [...own, { load: AT_KANNELS, perSecond: (kannels * 2) / 3 }]
}

export function phonesWords(concurrent: number): string {
  return concurrent === 1 ? '1 phone' : `${concurrent} phones`
}
