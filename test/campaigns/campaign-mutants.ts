/**
 * R20: do the tests notice? One small change at a time to the parts that nothing may get past: each mutant gets the
 * nearest tests, in a tree and a process of its own. Stryker wants Node 22; see docs/WHY.md.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/base/package-root.ts'
import { seededChance } from '../../src/simulator/smsc/chaos.ts'
import { isEquivalent } from './mutants-equivalent.ts'
import { inParallel, workshop, type Fate, type Nearest, type Workshop } from './mutant-runner.ts'
import { CORE, TARGETS } from './mutant-targets.ts'
import { mutantsOf, type Mutant } from './mutants.ts'
import { told, type Campaign } from './outcome.ts'
import { ownPostgres } from './own-postgres.ts'
import { soleRedis } from './redis-fleet.ts'

/**
 * How many are tried, drawn by the seed, half of them of the core; all in the long run. Of 20 of the core, more than
 * three survive one time in 60 where 95 of 100 are noticed, one in 400 where 97 are. The other files have been mutated
 * for a short time only: what is wanted of them is to rise (docs/STATE.md).
 */
const MUTANTS = { ci: 40, bounded: 240, long: Infinity }
const SCORE_MIN = {
  ci: { core: 0.85, others: 0.55 },
  bounded: { core: 0.9, others: 0.65 },
  long: { core: 0.9, others: 0.65 },
}
const WORKERS = 2
/** A mutant whose tests take this much longer than without it hangs them, and they have noticed. */
const SLOWER_TIMES = 5
const SLOWER_MS = 3_000
/** A mutant that hung gets that much longer the second time: one that loops for ever must not hold the run for minutes. */
const HUNG_MS = 60_000

export const mutantsCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const files = Object.keys(TARGETS).filter((file) => file.includes(parts.of ?? ''))
  const all = files.flatMap((file) => mutantsOf(file, readFileSync(join(packageRoot, file), 'utf8')))
  const wanted = all.filter((mutant) => !isEquivalent(mutant))
  const how = parts.ci ? 'ci' : parts.mode
  const half = (parts.mutants ?? MUTANTS[how]) / 2
  const [core, others] = [wanted.filter(({ file }) => CORE.has(file)), wanted.filter(({ file }) => !CORE.has(file))]
  const chosen = [core, others].flatMap((some) => drawn(some, half, parts.seed))
  const nearest = [...new Set(chosen.map(({ file }) => TARGETS[file]!))]
  const postgres = await ownPostgres(true)
  const redis = nearest.some((one) => one.redis) ? await soleRedis() : undefined
  let shop: Workshop | undefined
  const fates = new Map<Mutant, Fate>()
  try {
    const redisUrl = redis?.place.url?.replace(/\/\d+$/, '')
    shop = await workshop(chosen, nearest, { postgresUrl: postgres.url, redisUrl })
    const [compiled, takes] = [shop.compiled, await measured(shop, nearest)]
    const takesMs = ({ file }: Mutant) => takes.get(TARGETS[file]!)!
    // The long ones first, or one worker ends long after the other.
    const queue = compiled.toSorted((a, b) => takesMs(b) - takesMs(a))
    await inParallel(WORKERS, queue, async (mutant) => {
      const msMax = takesMs(mutant) * SLOWER_TIMES + SLOWER_MS
      let { fate } = await shop!.tried(mutant, TARGETS[mutant.file]!, msMax)
      // It may have been the machine that hung: tests that pass late have not noticed.
      if (fate === 'hung') ({ fate } = await shop!.tried(mutant, TARGETS[mutant.file]!, msMax + HUNG_MS))
      fates.set(mutant, fate)
      if (fate === 'survived') parts.say(`     survived: ${nameOf(mutant)}`)
    })
  } finally {
    shop?.close()
    await postgres.close()
    await redis?.close()
  }
  const count = (fate: Fate, file?: string) =>
    [...fates].filter(([mutant, one]) => one === fate && (!file || mutant.file === file)).length
  const noticed = (file?: string) => count('killed', file) + count('hung', file)
  const scoreOf = (isCore: boolean) => {
    const some = [...fates].filter(([{ file }]) => CORE.has(file) === isCore)
    const score = some.filter(([, fate]) => fate !== 'survived').length / Math.max(1, some.length)
    return { score: some.length ? score : 1, said: `${(score * 100).toFixed(1)} % of ${some.length}` }
  }
  const [ofCore, ofOthers] = [scoreOf(true), scoreOf(false)]
  const least = SCORE_MIN[how]
  return [
    told(parts, startMs, {
      goal: 'R20',
      title: 'mutants of every file on the path of a message and of an SMS, each under its nearest tests',
      passed: ofCore.score >= least.core && ofOthers.score >= least.others,
      figure:
        `noticed: ${ofCore.said} mutants of the core (${least.core * 100} % wanted), ` +
        `${ofOthers.said} elsewhere (${least.others * 100} %); there are ${all.length}`,
      counts: {
        killed: count('killed'),
        hung: count('hung'),
        survived: count('survived'),
        doNotCompile: chosen.length - fates.size,
        equivalent: all.length - wanted.length,
        ...Object.fromEntries(
          [...new Set(chosen.map(({ file }) => file))].map((file) => [
            file,
            `${noticed(file)} of ${noticed(file) + count('survived', file)}`,
          ]),
        ),
      },
      failures: [...fates].filter(([, fate]) => fate === 'survived').map(([mutant]) => `survived: ${nameOf(mutant)}`),
    }),
  ]
}

function nameOf({ file, line, what }: Mutant): string {
  return `${file}:${line} ${what}`
}

/**
 * So many of all, over all files: those of a file in random order, file after file, and of that list each nth. A file has
 * its share, to one mutant.
 */
function drawn(mutants: readonly Mutant[], limit: number, seed: number): Mutant[] {
  const chance = seededChance(seed)
  const ranks = new Map(mutants.map((mutant) => [mutant, chance()]))
  const listed = Object.keys(TARGETS).flatMap((file) =>
    mutants.filter((mutant) => mutant.file === file).toSorted((a, b) => ranks.get(a)! - ranks.get(b)!),
  )
  const step = Math.max(1, listed.length / limit)
  const from = chance() * step
  return Array.from({ length: Math.min(limit, listed.length) }, (_, n) => listed[Math.floor(from + n * step)]!)
}

/** How long tests take without a mutant: milliseconds. */
async function measured(shop: Workshop, all: readonly Nearest[]): Promise<ReadonlyMap<Nearest, number>> {
  const takesMs = new Map<Nearest, number>()
  await inParallel(WORKERS, all, async (nearest) => void takesMs.set(nearest, (await shop.measure(nearest)).ms))
  return takesMs
}
