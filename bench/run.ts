/**
 * The bench: dialogue turns through the installed daemon, from an SMSC in another process, dialogues in a Redis with an
 * append-only file; beside it what it is compared with. `npm run bench -- --help` says what there is. Figures of one
 * run, on one machine, compare with each other only.
 */
import { writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { askedOf, FLAT, type Asked } from './arguments.ts'
import { playFlat } from './flat.ts'
import type { Measured } from './measure.ts'
import { playScenario, type Outcome } from './plan.ts'
import { isLeaving, leave, leaveOnSignals, stopCrews } from './processes.ts'
import { flatTable, lineOf, ratioTable, report, runTable } from './report.ts'
import { SCENARIOS } from './scenarios.ts'
import { playDue } from './sms-due.ts'
import { playLane } from './sms-lane.ts'

/** A whole bench takes half of it. */
const LIMIT_MS = 1_800_000

async function main(): Promise<void> {
  const asked = askedOf(process.argv.slice(2))
  if (typeof asked === 'string') return console.log(asked)
  const limit = setTimeout(() => {
    console.error(`not done after ${LIMIT_MS / 60_000} minutes: the machine is too busy to measure anything`)
    leave(1)
  }, LIMIT_MS)
  leaveOnSignals()
  try {
    const say = (line: string) => console.error(line)
    const { due } = asked
    await (due !== undefined ? playDue({ ...asked, due }, say) : asked.sms ? playLane(asked, say) : play(asked))
  } finally {
    clearTimeout(limit)
    await stopCrews()
  }
}

async function play(asked: Asked): Promise<void> {
  const loadBefore = loadavg()[0]!
  const outcomes: Outcome[] = []
  for (const scenario of SCENARIOS.filter(({ name }) => asked.only.includes(name))) {
    const outcome = await tried(scenario.name, () => playScenario(scenario, asked, tell))
    if (outcome) outcomes.push(outcome)
  }
  const flat = asked.only.includes(FLAT) ? ((await tried(FLAT, () => playFlat(asked, tell))) ?? []) : []
  const isComplete = process.exitCode === undefined
  const measured = outcomes.flatMap((outcome) => outcome.measured)
  if (measured.length > 0) console.log(`${runTable(measured)}\n`)
  if (flat.length > 0) console.log(`${flatTable(flat)}\n`)
  console.log(ratioTable(measured, flat))
  if (asked.isWhole && isComplete)
    writeFileSync(new URL('RESULTS.md', import.meta.url), report({ outcomes, flat, asked, loadBefore }))
  if (![...measured, ...flat.flatMap(({ runs }) => runs)].some(isFaulty)) return
  console.error('the daemon lost, refused or spoilt turns: what such turns cost says nothing')
  process.exitCode = 1
}

function tell(one: Measured): void {
  console.error(lineOf(one))
}

/** One that fails does not take the figures of the others with it. */
async function tried<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (isLeaving()) throw error
    console.error(`${name}: ${(error as Error).message}`)
    process.exitCode = 1
    return undefined
  } finally {
    await stopCrews()
  }
}

/** An open loop near saturation may find every phone waiting; nothing may be lost or wrong. */
function isFaulty({ system, faults }: Measured): boolean {
  return system === 'daemon' && faults.lost + faults.refused + faults.wrong > 0
}

main().catch((error: Error) => {
  if (isLeaving()) return
  console.error(error.message)
  process.exitCode = 1
})
