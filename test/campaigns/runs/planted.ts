/**
 * P1: is each planted defect noticed, by the test that is named for it? The tests run in copies of the tree, without a
 * defect first; then with one at a time. The cores with a defect of the simulation are played beside them.
 */
import { DEFECTS, planFor } from '../../simulation/broken.ts'
import { play } from '../../simulation/history.ts'
import { inParallel, workshop, type Nearest, type Verdict, type Workshop } from '../mutants/runner.ts'
import type { Mutant } from '../mutants/mutants.ts'
import { told, type Campaign } from '../judging/outcome.ts'
import { ownPostgres } from '../staging/own-postgres.ts'
import { PLANTED, planted, type PlantedDefect } from '../mutants/planted-defects.ts'
import { soleRedis } from '../staging/redis-fleet.ts'

const WORKERS = 2
/** For the first run of a test. Half of it is the test's own time-out, which may be how it notices a defect. */
const TEST_MS_MAX = 60_000
/** A run that had to be ended says nothing of the defect: the machine may have had much else to do. */
const TEST_TRIES = 3
/** Seeds of the simulation that may notice a defect of it. */
const SEEDS_MAX = 20

interface Result {
  name: string
  /** The titles of what noticed it. */
  by: string[]
  /** The named tests that did not fail. */
  missing: string[]
}

export const plantedCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const chosen = PLANTED.filter(({ name }) => name.includes(parts.of ?? ''))
  const sources = new Map(chosen.map((defect) => [defect, planted(defect)]))
  const [postgres, redis] = [await ownPostgres({ isVolatile: true }), await soleRedis()]
  let shop: Workshop | undefined
  const found = new Map<PlantedDefect, Result>()
  try {
    const detectors = chosen.flatMap(({ noticedBy }) => noticedBy)
    const redisUrl = redis.place.url?.replace(/\/\d+$/, '')
    shop = await workshop([...sources.values()], detectors, { postgresUrl: postgres.url, redisUrl, say: parts.say })
    const passed = await passing(shop, detectors)
    await inParallel(WORKERS, chosen, async (defect) => {
      found.set(defect, await tried(shop!, defect, sources.get(defect)!, passed))
    })
  } finally {
    await postgres.close()
    await redis.close()
    shop?.close()
  }
  const results = chosen.map((defect) => found.get(defect)!)
  for (const defect of DEFECTS.filter(({ what }) => what.includes(parts.of ?? '')))
    results.push(await simulated(defect))
  const missed = results.filter(({ by, missing }) => missing.length || !by.length)
  return [
    told(parts, startMs, {
      goal: 'P1',
      title: 'defects planted in copies of the sources, and in the simulated core',
      passed: missed.length === 0 && results.length > 0,
      figure: `${results.length - missed.length} of ${results.length} planted defects noticed`,
      counts: Object.fromEntries(results.map(({ name, by }) => [`${name}:`, by.join(', and ') || 'by nothing'])),
      failures: missed.map(({ name, missing }) => `not noticed: ${name}, by ${missing.join(' | ')}`),
    }),
  ]
}

/** The titles of the tests that pass without a defect. Tests of one kind run together: a start costs a second. */
async function passing(shop: Workshop, detectors: readonly (Nearest & { only: string })[]): Promise<string[]> {
  const passed: string[] = []
  await inParallel(WORKERS, ['postgres', 'redis', undefined] as const, async (server) => {
    const ofKind = detectors.filter((one) => serverOf(one) === server)
    if (ofKind.length === 0) return
    const tests = [...new Set(ofKind.flatMap((one) => one.tests))]
    const only = [...new Set(ofKind.map((one) => one.only))]
    passed.push(...(await shop.measure({ tests, only, ...(server ? { [server]: true } : {}) })).passed)
  })
  return passed
}

function serverOf({ postgres, redis }: Nearest): 'postgres' | 'redis' | undefined {
  return postgres ? 'postgres' : redis ? 'redis' : undefined
}

async function tried(
  shop: Workshop,
  { name, noticedBy }: PlantedDefect,
  source: Mutant,
  passed: readonly string[],
): Promise<Result> {
  const result: Result = { name, by: [], missing: [] }
  for (const detector of noticedBy) {
    const isThere = shop.compiled.includes(source) && passed.some((title) => title.endsWith(detector.only))
    const verdict = isThere ? await untilOver(shop, source, detector) : undefined
    if (verdict?.by?.includes(detector.only)) result.by.push(`'${detector.only}' of ${detector.tests.join()}`)
    else
      result.missing.push(isThere ? detector.only : `${detector.only} (no such test, or the defect does not compile)`)
  }
  return result
}

async function untilOver(shop: Workshop, source: Mutant, detector: Nearest): Promise<Verdict> {
  for (let tries = 1; ; tries++) {
    const verdict = await shop.tried(source, detector, tries * TEST_MS_MAX)
    if (verdict.fate !== 'hung' || tries === TEST_TRIES) return verdict
  }
}

async function simulated(defect: (typeof DEFECTS)[number]): Promise<Result> {
  const { what, near, invariants, sabotage } = defect
  for (let seed = near; seed < near + SEEDS_MAX; seed++) {
    const { breaches } = await play(planFor(defect, seed), { sabotage: sabotage() })
    const found = breaches.find(({ invariant }) => invariants.includes(invariant))
    if (found)
      return { name: `simulated: ${what}`, by: [`${found.invariant} of the simulation, seed ${seed}`], missing: [] }
  }
  return { name: `simulated: ${what}`, by: [], missing: [`the simulation, seeds ${near} to ${near + SEEDS_MAX - 1}`] }
}
