/**
 * R20: do the tests notice? One small change at a time to the parts that nothing may get past: each mutant gets the
 * nearest tests, in a tree and a process of its own. Stryker wants Node 22; see docs/WHY.md.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/base/package-root.ts'
import { seededChance } from '../../src/simulator/smsc/chaos.ts'
import { isEquivalent } from './mutants-equivalent.ts'
import { workshop, type Fate, type Nearest, type Workshop } from './mutant-runner.ts'
import { mutantsOf, type Mutant } from './mutants.ts'
import { told, type Campaign } from './outcome.ts'
import { ownPostgres } from './own-postgres.ts'

/** What is changed, and the tests that stand nearest. */
export const TARGETS: Readonly<Record<string, Nearest>> = {
  'src/smpp/pdu/framer.ts': { tests: ['test/smpp/pdu/framer.test.ts'] },
  'src/dialogue/turn.ts': { tests: ['test/dialogue/turn.test.ts', 'test/dialogue/held.test.ts'] },
  'src/dialogue/classify.ts': { tests: ['test/store/journal/memory.test.ts', 'test/dialogue/dialogues.test.ts'] },
  'src/dialogue/decider.ts': { tests: ['test/dialogue/dialogues.test.ts', 'test/store/journal/memory.test.ts'] },
  'src/dialogue/hearing.ts': { tests: ['test/dialogue/dialogues.test.ts', 'test/store/journal/memory.test.ts'] },
  'src/dialogue/outcome.ts': { tests: ['test/dialogue/outcome.test.ts', 'test/store/journal/memory.test.ts'] },
  'src/dialogue/entry.ts': { tests: ['test/dialogue/outcome.test.ts', 'test/store/journal/memory.test.ts'] },
  'src/sms/outbox/statements.ts': { tests: ['test/sms/outbox/statements.test.ts'], postgres: true },
  'src/sms/outbox/dispatch.ts': {
    tests: ['settle', 'poll', 'receipts', 'dispatch'].map((name) => `test/sms/outbox/${name}.test.ts`),
    postgres: true,
  },
}
/**
 * How many are tried, drawn by the seed; all in the long run. Of 40, more than six survive one time in 300 where 95 of
 * 100 are noticed, one in 6 000 where 97 are: what CI fails on is no chance of the draw.
 */
const MUTANTS = { ci: 40, bounded: 240, long: Infinity }
const SCORE_MIN = { ci: 0.85, bounded: 0.9, long: 0.9 }
const WORKERS = 2
/** A mutant whose tests take this much longer than without it hangs them, and they have noticed. */
const SLOWER_TIMES = 5
const SLOWER_MS = 3_000

export const mutantsCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const all = Object.keys(TARGETS).flatMap((file) => mutantsOf(file, readFileSync(join(packageRoot, file), 'utf8')))
  const wanted = all.filter((mutant) => !isEquivalent(mutant))
  const how = parts.ci ? 'ci' : parts.mode
  const chosen = drawn(wanted, parts.mutants ?? MUTANTS[how], parts.seed)
  const postgres = await ownPostgres(true)
  let shop: Workshop | undefined
  const fates = new Map<Mutant, Fate>()
  try {
    shop = await workshop(chosen, Object.values(TARGETS), postgres.url)
    const [compiled, takesMs] = [shop.compiled, await measured(shop)]
    // The long ones first, or one worker ends long after the other.
    const queue = compiled.toSorted((a, b) => takesMs.get(b.file)! - takesMs.get(a.file)!)
    await inParallel(queue, async (mutant) => {
      const msMax = takesMs.get(mutant.file)! * SLOWER_TIMES + SLOWER_MS
      let fate = await shop!.tried(mutant, TARGETS[mutant.file]!, msMax)
      // It may have been the machine that hung: tests that pass late have not noticed.
      if (fate === 'hung') fate = await shop!.tried(mutant, TARGETS[mutant.file]!, msMax * SLOWER_TIMES)
      fates.set(mutant, fate)
      if (fate === 'survived') parts.say(`     survived: ${nameOf(mutant)}`)
    })
  } finally {
    shop?.close()
    await postgres.close()
  }
  const count = (fate: Fate, file?: string) =>
    [...fates].filter(([mutant, one]) => one === fate && (!file || mutant.file === file)).length
  const noticed = (file?: string) => count('killed', file) + count('hung', file)
  const score = noticed() / Math.max(1, fates.size)
  return [
    told(parts, startMs, {
      goal: 'R20',
      title: 'mutants of framer, turn, take and rest, outbox and dispatch, each under its nearest tests',
      passed: score >= SCORE_MIN[how],
      figure: `${(score * 100).toFixed(1)} % of ${fates.size} mutants noticed (of ${all.length} that there are), ${SCORE_MIN[how] * 100} % wanted`,
      counts: {
        killed: count('killed'),
        hung: count('hung'),
        survived: count('survived'),
        doNotCompile: chosen.length - fates.size,
        equivalent: all.length - wanted.length,
        ...Object.fromEntries(
          Object.keys(TARGETS).map((file) => [file, `${noticed(file)} of ${noticed(file) + count('survived', file)}`]),
        ),
      },
      failures: [...fates].filter(([, fate]) => fate === 'survived').map(([mutant]) => `survived: ${nameOf(mutant)}`),
    }),
  ]
}

function nameOf({ file, line, what }: Mutant): string {
  return `${file}:${line} ${what}`
}

/** Of each file its share, and one at least. */
function drawn(mutants: readonly Mutant[], limit: number, seed: number): Mutant[] {
  const chance = seededChance(seed)
  return Object.keys(TARGETS).flatMap((file) => {
    const ranked = mutants.filter((mutant) => mutant.file === file).map((mutant) => ({ mutant, rank: chance() }))
    const share = Math.max(1, Math.round((limit * ranked.length) / mutants.length))
    return ranked
      .toSorted((a, b) => a.rank - b.rank)
      .slice(0, share)
      .map(({ mutant }) => mutant)
  })
}

/** How long the tests of each file take without a mutant: milliseconds. */
async function measured(shop: Workshop): Promise<ReadonlyMap<string, number>> {
  const takesMs = new Map<string, number>()
  await inParallel(
    Object.entries(TARGETS),
    async ([file, nearest]) => void takesMs.set(file, await shop.measure(nearest)),
  )
  return takesMs
}

async function inParallel<T>(all: readonly T[], run: (one: T) => Promise<void>): Promise<void> {
  const queue = [...all]
  await Promise.all(
    Array.from({ length: WORKERS }, async () => {
      for (let one; (one = queue.shift()) !== undefined;) await run(one)
    }),
  )
}
