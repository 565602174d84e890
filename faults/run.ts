/**
 * Runs fault campaigns and keeps their results:
 *
 *   npm run faults -- --bounded            all of them, minutes
 *   npm run faults -- --only kill --kills 500 --minutes 12
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packageRoot } from '../src/root.ts'
import { killCampaign } from './campaign-kill.ts'
import { storesCampaign } from './campaign-stores.ts'
import { compile } from './daemon-process.ts'
import type { Campaign, Outcome } from './outcome.ts'
import { writeReport } from './report.ts'

const CAMPAIGNS: Record<string, Campaign> = {
  stores: storesCampaign,
  kill: killCampaign,
}

const { values } = parseArgs({
  options: {
    bounded: { type: 'boolean', default: false }, report: { type: 'boolean', default: false }, only: { type: 'string' }, seed: { type: 'string', default: '1' },
    'as-built': { type: 'boolean', default: false }, kills: { type: 'string' }, minutes: { type: 'string' }, out: { type: 'string', default: join(packageRoot, 'faults/results') },
  },
})
const say = (text: string): void => void process.stdout.write(`${text}\n`)
const names = values.only?.split(',') ?? Object.keys(CAMPAIGNS)
const unknown = names.filter((name) => !CAMPAIGNS[name])
if (unknown.length) throw new Error(`no campaign ${unknown.join(', ')}: there are ${Object.keys(CAMPAIGNS).join(', ')}`)

if (!values['as-built']) compile()
mkdirSync(values.out, { recursive: true })
let failed = 0
for (const name of names) {
  for (const outcome of await run(name)) {
    if (!outcome.passed) failed++
    say(`${outcome.passed ? 'pass' : 'FAIL'} ${outcome.goal} ${outcome.title}: ${outcome.figure} (${outcome.seconds} s)`)
    say(`     ${JSON.stringify(outcome.counts)}`)
    for (const failure of outcome.failures) say(`     ${failure}`)
    keep(outcome, name)
  }
}
if (values.report) writeReport(values.out, join(packageRoot, 'RELIABILITY.md'))
process.exit(failed ? 1 : 0)

async function run(name: string): Promise<Outcome[]> {
  const seed = Number(values.seed)
  const mode = values.bounded ? 'bounded' : 'long'
  const given = { ...(values.kills ? { kills: Number(values.kills) } : {}), ...(values.minutes ? { minutes: Number(values.minutes) } : {}) }
  try {
    return await CAMPAIGNS[name]!({ seed, mode, say, ...given })
  } catch (error) {
    say((error as Error).stack ?? String(error))
    return [{ goal: name, title: 'the campaign itself', passed: false, figure: 'did not finish', counts: {}, failures: [(error as Error).message], seed, seconds: 0, mode }]
  }
}

function keep(outcome: Outcome, campaign: string): void {
  const words = ['--only', campaign, ...(values.bounded ? ['--bounded'] : []), '--seed', values.seed]
  if (values.kills) words.push('--kills', values.kills)
  if (values.minutes) words.push('--minutes', values.minutes)
  const command = `npm run faults -- ${words.join(' ')}`
  const kept = { ...outcome, command, date: new Date().toISOString().slice(0, 10) }
  writeFileSync(join(values.out, `${outcome.goal}.json`), `${JSON.stringify(kept, null, 2)}\n`)
}
