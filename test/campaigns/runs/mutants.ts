/**
 * R20: do the tests notice? One small change at a time to the parts that nothing may get past: each mutant gets the
 * nearest tests, in a tree and a process of its own. Stryker wants Node 22; see docs/WHY.md.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../../src/base/package-root.ts'
import { seededChance } from '../../../src/simulator/smsc/chaos.ts'
import { certainty, type Odds } from '../judging/certain.ts'
import { isEquivalent } from '../mutants/equivalent.ts'
import { inParallel, workshop, type Fate, type Nearest, type Workshop } from '../mutants/runner.ts'
import { CORE, TARGETS } from '../mutants/targets.ts'
import { mutantsOf, type Mutant } from '../mutants/mutants.ts'
import { told, type Campaign, type CampaignDeps } from '../judging/outcome.ts'
import { ownPostgres } from '../staging/own-postgres.ts'
import { soleRedis } from '../staging/redis-fleet.ts'

/** How many are tried, drawn by the seed, half of them of the core; all in the long run. */
const MUTANTS = { bounded: 240, long: Infinity }
/** The other files have been mutated for a short time only: what is wanted of them is to rise (docs/STATE.md). */
const SCORE_MIN = { core: 0.9, others: 0.65 }
/**
 * In CI a few are drawn, and more until the verdict is certain: of 100 mutants 92 of the core are noticed, and 72 of the
 * other files, by larger draws.
 */
export const SCORE = {
  core: { good: 0.92, bad: 0.6, trialsMax: 60, doubt: 'missed' },
  others: { good: 0.72, bad: 0.35, trialsMax: 60, doubt: 'missed' },
} as const satisfies Record<string, Odds>
type Part = keyof typeof SCORE
const PARTS = Object.keys(SCORE) as Part[]
/** How many of each part are tried before it is looked whether that is enough. */
const DRAWN = 12
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
  const draws = drawsOf(wanted, parts)
  const fates = new Map<Mutant, Fate>()
  const said = (part: Part) => scoreOf([...fates].filter(([mutant]) => partOf(mutant) === part))
  const isOpen = (part: Part) => parts.ci && certainty(said(part).noticed, said(part).survived, SCORE[part]) === 'open'
  await withWorkshop(draws.flat(), parts.say, async (shop) => {
    const compiled = new Set(shop.compiled)
    for (const [n, draw] of draws.entries()) {
      const some = draw.filter((mutant) => compiled.has(mutant) && (n === 0 || isOpen(partOf(mutant))))
      await tryAll(shop, some, fates, parts.say)
    }
  })
  const isNoticed = (part: Part) => {
    const { noticed, survived, score } = said(part)
    if (noticed + survived === 0) return true
    return parts.ci ? certainty(noticed, survived, SCORE[part]) === 'kept' : score >= SCORE_MIN[part]
  }
  const survivors = [...fates].filter(([, fate]) => fate === 'survived').map(([mutant]) => mutant)
  const count = (fate: Fate) => [...fates.values()].filter((one) => one === fate).length
  const tried = [...fates.keys()]
  return [
    told(parts, startMs, {
      goal: 'R20',
      title: 'mutants of every file on the path of a message and of an SMS, each under its nearest tests',
      passed: PARTS.every(isNoticed),
      figure: `noticed: ${said('core').text} mutants of the core, ${said('others').text} elsewhere; there are ${all.length}`,
      counts: {
        killed: count('killed'),
        hung: count('hung'),
        survived: count('survived'),
        equivalent: all.length - wanted.length,
        ...Object.fromEntries(
          [...new Set(tried.map(({ file }) => file))].map((file) => {
            const { noticed, survived } = scoreOf([...fates].filter(([mutant]) => mutant.file === file))
            return [file, `${noticed} of ${noticed + survived}`]
          }),
        ),
      },
      failures: survivors.map((mutant) => `survived: ${nameOf(mutant)}`),
    }),
  ]
}

function partOf({ file }: Mutant): Part {
  return CORE.has(file) ? 'core' : 'others'
}

function scoreOf(fates: readonly [Mutant, Fate][]) {
  const survived = fates.filter(([, fate]) => fate === 'survived').length
  const noticed = fates.length - survived
  const score = noticed / Math.max(1, fates.length)
  return { noticed, survived, score, text: `${(score * 100).toFixed(1)} % of ${fates.length}` }
}

/** One draw of all that are to be tried; in CI several, each over all files. */
function drawsOf(wanted: readonly Mutant[], { ci, mode, mutants, seed }: CampaignDeps): Mutant[][] {
  const inParts = PARTS.map((part) => wanted.filter((mutant) => partOf(mutant) === part))
  if (!ci || mutants) return [inParts.flatMap((some) => drawn(some, (mutants ?? MUTANTS[mode]) / 2, seed))]
  const [draws, taken] = [[] as Mutant[][], new Set<Mutant>()]
  for (let n = 0; n * DRAWN < SCORE.core.trialsMax; n++) {
    const draw = inParts.flatMap((some) =>
      drawn(
        some.filter((mutant) => !taken.has(mutant)),
        DRAWN,
        seed + n,
      ),
    )
    for (const mutant of draw) taken.add(mutant)
    draws.push(draw)
  }
  return draws
}

async function withWorkshop(
  mutants: readonly Mutant[],
  say: (line: string) => void,
  run: (shop: Workshop) => Promise<void>,
): Promise<void> {
  const nearest = nearestOf(mutants)
  const postgres = await ownPostgres({ isVolatile: true })
  const redis = nearest.some((one) => one.redis) ? await soleRedis() : undefined
  let shop: Workshop | undefined
  try {
    const redisUrl = redis?.place.url?.replace(/\/\d+$/, '')
    shop = await workshop(mutants, nearest, { postgresUrl: postgres.url, redisUrl, say })
    await run(shop)
  } finally {
    await postgres.close()
    await redis?.close()
    shop?.close()
  }
}

function nearestOf(mutants: readonly Mutant[]): Nearest[] {
  return [...new Set(mutants.map(({ file }) => TARGETS[file]!))]
}

async function tryAll(
  shop: Workshop,
  mutants: readonly Mutant[],
  fates: Map<Mutant, Fate>,
  say: (line: string) => void,
): Promise<void> {
  const takes = await measured(shop, nearestOf(mutants))
  const takesMs = ({ file }: Mutant) => takes.get(TARGETS[file]!)!
  // The long ones first, or one worker ends long after the other.
  const queue = mutants.toSorted((a, b) => takesMs(b) - takesMs(a))
  await inParallel(WORKERS, queue, async (mutant) => {
    const msMax = takesMs(mutant) * SLOWER_TIMES + SLOWER_MS
    let { fate } = await shop.tried(mutant, TARGETS[mutant.file]!, msMax)
    // It may have been the machine that hung: tests that pass late have not noticed.
    if (fate === 'hung') ({ fate } = await shop.tried(mutant, TARGETS[mutant.file]!, msMax + HUNG_MS))
    fates.set(mutant, fate)
    if (fate === 'survived') say(`     survived: ${nameOf(mutant)}`)
  })
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
