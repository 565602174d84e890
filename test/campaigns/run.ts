/** Runs fault campaigns and keeps their results (`npm run faults -- --help` says how). */
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packageRoot } from '../../src/base/package-root.ts'
import { missedBy, takeNoted } from './settings.ts'
import { certainty } from './judging/certain.ts'
import { CAMPAIGNS, type CampaignEntry } from './campaigns.ts'
import { startBeside } from '../support/beside.ts'
import { compile } from './staging/daemon-process.ts'
import { inParallel } from './mutants/runner.ts'
import { NUMBERS, type Outcome } from './judging/outcome.ts'
import { missedIn, owed, writeReport } from './judging/report.ts'

const RESULTS = join(packageRoot, 'test/campaigns/results')
/** Most campaigns wait for timers most of the time. (One at a time the short form takes 17 minutes, so many at a time 10.) */
const LANES_CI = 3
const text = { type: 'string' } as const
const numberOptions = Object.fromEntries(NUMBERS.map((name) => [name, text]))
const HELP = `npm run faults -- [options]

Without options: every campaign in its long form, hours. Results are kept in test/campaigns/results.

--bounded            all of them, minutes each
--ci                 all of them, short; fails on a goal that is missed or has no result, however busy the machine.
                     Its results, and those of a part (--of), are not kept
--only NAMES         these only, with commas: ${CAMPAIGNS.map(({ name }) => name).join(' ')}; none
--seed N             default 1
--kills N --minutes N --seeds N --pdus N --rounds N --mutants N
                     how much of it, for the campaigns that count in these: --only kill --kills 500 --minutes 12
--of PART            with --only mutants: files whose path has it (smpp/dialect), and who survived;
                     with --only planted: defects whose name has it (half-open), and what noticed them
--previous BUILD     with --only upgrade: a commit or tag, from that build to this one and back
--lanes N            so many campaigns at a time, each in a process of its own; default ${LANES_CI} with --ci, else 1
--as-built           the sources are not compiled first
--out FOLDER         results go there
--report             writes RELIABILITY.md anew; with --only none from the results that are kept
--help               this text`
const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    bounded: { type: 'boolean', default: false },
    ci: { type: 'boolean', default: false },
    previous: text,
    report: { type: 'boolean', default: false },
    only: text,
    of: text,
    lanes: text,
    seed: { type: 'string', default: '1' },
    'as-built': { type: 'boolean', default: false },
    out: text,
    ...numberOptions,
  },
})
if (values.help) {
  console.log(HELP)
  process.exit(0)
}
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const numbers = NUMBERS.filter((name) => values[name as keyof typeof values] !== undefined)
const given = Object.fromEntries(numbers.map((name) => [name, Number(values[name as keyof typeof values])]))
const mode = values.bounded || values.ci ? 'bounded' : 'long'
// A short run's figures, or those of a part, are not those that the report shows.
const out =
  values.out ?? (values.ci || values.of !== undefined ? mkdtempSync(join(tmpdir(), 'ussd-faults-ci-')) : RESULTS)

const chosen = choose(values.only)
if (!values['as-built'] && chosen.some((entry) => entry.compiled)) compile()
mkdirSync(out, { recursive: true })
const lanes = Math.min(chosen.length, lanesOf(values.lanes))
const children = new Set<ChildProcess>()
const failures: string[] = []
const took: string[] = []
if (lanes > 1) for (const signal of ['SIGINT', 'SIGTERM'] as const) endOn(signal)
await inParallel(lanes, chosen, async (entry) => {
  const startMs = performance.now()
  await (lanes > 1 ? playBeside(entry) : play(entry))
  took.push(`${entry.name} ${Math.round((performance.now() - startMs) / 1_000)}`)
})
if (values.ci) for (const goal of owed(chosen, out, values.only === undefined)) failures.push(`${goal} (no result)`)
if (values.report) writeReport(out, join(packageRoot, 'RELIABILITY.md'))
if (took.length > 1) say(`seconds: ${took.join(', ')}`)
if (failures.length) say(`missed: ${failures.join(', ')}`)
process.exit(failures.length ? 1 : 0)

/** Whoever ends us ends them, and nothing else begins. */
function endOn(signal: 'SIGINT' | 'SIGTERM'): void {
  process.once(signal, () => {
    for (const child of children) child.kill(signal)
    process.exit(128 + constants.signals[signal])
  })
}

/** In a process of its own, so that as many play at once; what it says comes when it is over, in one piece. */
async function playBeside(entry: CampaignEntry): Promise<void> {
  const words = [...wordsFor(entry), '--lanes', '1', '--as-built', '--out', out]
  if (values.of !== undefined) words.push('--of', values.of)
  const node = ['--import', 'tsx', import.meta.filename, ...words]
  const { child, tell, exited } = startBeside(node, { cwd: packageRoot, env: process.env })
  children.add(child)
  const code = await exited
  children.delete(child)
  tell((said) => void process.stdout.write(said))
  if (code === 0) return
  const missed = missedIn(out, entry)
  failures.push(...(missed.length ? missed : [`${entry.name} (ended with ${code})`]))
}

async function play(entry: CampaignEntry): Promise<void> {
  for (const outcome of await run(entry)) {
    if (!outcome.passed) failures.push(outcome.goal)
    say(
      `${outcome.passed ? 'pass' : 'FAIL'} ${outcome.goal} ${outcome.title}: ${outcome.figure} (${outcome.seconds} s)`,
    )
    say(`     ${JSON.stringify(outcome.counts)}`)
    for (const failure of outcome.failures) say(`     ${failure}`)
    keep(outcome, entry)
  }
}

function lanesOf(given: string | undefined): number {
  const count = Number(given ?? (values.ci ? LANES_CI : 1))
  if (Number.isInteger(count) && count > 0) return count
  throw new Error(`--lanes ${given}: how many campaigns at a time, 1 or more`)
}

function choose(only: string | undefined): CampaignEntry[] {
  const names = only === 'none' ? [] : (only?.split(',') ?? CAMPAIGNS.map((entry) => entry.name))
  const unknown = names.filter((name) => !CAMPAIGNS.some((entry) => entry.name === name))
  if (unknown.length)
    throw new Error(`no campaign ${unknown.join(', ')}: there are ${CAMPAIGNS.map((entry) => entry.name).join(', ')}`)
  return CAMPAIGNS.filter((entry) => names.includes(entry.name))
}

/**
 * A machine has neighbours. A figure of time that they may have spoilt is taken again, until it is certain
 * (certain.ts), and each try is shown; a broken promise (I1 to I8 of the checker) is one however busy the machine was.
 */
async function run(entry: CampaignEntry): Promise<Outcome[]> {
  const [kept, missed]: [Outcome[][], Outcome[][]] = [[], []]
  for (;;) {
    const outcomes = await runOnce(entry)
    const wrong = outcomes.filter(({ passed }) => !passed)
    const isBreach = wrong.some(({ failures }) => failures.some((failure) => /^I[1-8]\b/.test(failure)))
    ;(wrong.length ? missed : kept).push(outcomes)
    const is = certainty(kept.length, missed.length)
    if (!entry.timed || isBreach || !missed.length || is === 'missed') return outcomes
    if (is === 'kept') return kept.at(-1)!
    for (const { goal, figure, failures } of wrong)
      say(`again ${goal} (${kept.length} kept, ${missed.length} missed): ${figure} ${failures.join(' | ')}`)
  }
}

async function runOnce(entry: CampaignEntry): Promise<Outcome[]> {
  const seed = Number(values.seed)
  takeNoted()
  try {
    const campaign = await entry.load()
    const outcomes = await campaign({
      seed,
      mode,
      ci: values.ci,
      say,
      ...given,
      ...(values.previous ? { previous: values.previous } : {}),
      ...(values.of ? { of: values.of } : {}),
    })
    const changed = takeNoted()
    if (changed.length) say(`     changed settings: ${changed.join(', ')}`)
    const missed = missedBy(changed)
    if (missed.length) say(`     with these it misses: ${missed.join('; ')}`)
    return outcomes.map((outcome) => ({ ...outcome, changed }))
  } catch (error) {
    say((error as Error).stack ?? String(error))
    const failed = {
      passed: false,
      figure: 'did not finish',
      counts: {},
      failures: [(error as Error).message],
      seed,
      seconds: 0,
      mode,
    } satisfies Partial<Outcome>
    return entry.goals.map((goal) => ({ ...failed, goal, title: `the campaign '${entry.name}'` }))
  }
}

/** What starts this campaign alone, as this run does. */
function wordsFor({ name }: CampaignEntry): string[] {
  const words = ['--only', name, ...(values.ci ? ['--ci'] : values.bounded ? ['--bounded'] : []), '--seed', values.seed]
  if (values.previous !== undefined && name === 'upgrade') words.push('--previous', values.previous)
  for (const [option, value] of Object.entries(given)) words.push(`--${option}`, String(value))
  return words
}

function keep(outcome: Outcome, entry: CampaignEntry): void {
  const command = `npm run faults -- ${wordsFor(entry).join(' ')}`
  const kept = { ...outcome, command, date: new Date().toISOString().slice(0, 10) }
  writeFileSync(join(out, `${outcome.goal}.json`), `${JSON.stringify(kept, null, 2)}\n`)
}
