/**
 * R15: subscribers walk the dental service while its files are replaced by broken ones, again and again. Each is
 * refused with its place, what was in force stays, and no dialogue notices. Now and then the good file returns.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ProblemsError } from '../../../src/base/errors.ts'
import { compileFlow } from '../../../src/flow/load/compile.ts'
import { sourceOf } from '../../../src/flow/read/loader.ts'
import { packageRoot } from '../../../src/base/package-root.ts'
import { seededChance } from '../../../src/simulator/smsc/chaos.ts'
import { aftermath } from '../judging/aftermath.ts'
import { paceOf } from '../settings.ts'
import { certainHarm } from '../judging/certain.ts'
import { figuresOf, metricsOf } from '../staging/daemon-process.ts'
import { fenced, type Fenced } from '../staging/fenced.ts'
import { FLOW_MUTATORS, type Files } from '../flow-mutators.ts'
import { reached, sleep, told, type Campaign } from '../judging/outcome.ts'
import { openFixture } from '../staging/fixture.ts'
import { stretchesOf } from '../judging/stretches.ts'

const MUTATIONS = { ci: 30, bounded: 100, long: 1_000 }
const WALKERS = 6
/** Every so many the good files are put back for one look. */
const MENDED_EVERY = 25
const REFUSED_MS = 30_000
/** Files are looked at every tenth of a second, or every two; by then they have been. */
const RELOAD_MS = 100
const LOOKED_AT_MS = { short: 1_000, defaults: 5_000 }

export const flowsCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const wanted = parts.rounds ?? MUTATIONS[parts.ci ? 'ci' : parts.mode]
  const chance = seededChance(parts.seed)
  const [folder, scratch] = [mkdtempSync(join(tmpdir(), 'ussd-flows-')), mkdtempSync(join(tmpdir(), 'ussd-broken-'))]
  const good = filesOf(join(packageRoot, 'flows'))
  lay(folder, good)
  const scene = await openFixture({ seed: parts.seed, pace: paceOf(parts), smsc: { screenMs: 30_000 } })
  const fence = await fenced(scene, (settings) => {
    settings.flows.dir = folder
    if (scene.stage.pace === 'short') settings.flows.reloadMs = RELOAD_MS
  })
  const failures: string[] = []
  const by: Record<string, number> = {}
  let [mutations, harmless, mended] = [0, 0, 0]
  const seen = { stallMs: 0 }
  try {
    const revision = await inForce(fence)
    const walking = scene.walkers(WALKERS)
    const names = Object.keys(FLOW_MUTATORS)
    const stretches = stretchesOf(() => metricsOf(fence.adminPort))
    let [last, told_] = ['', 0]
    for (let round = 0; mutations < wanted && round < wanted * 4; round++) {
      const name = names[round % names.length]!
      const files = FLOW_MUTATORS[name]!(good, chance)
      const print = printOf(files)
      if (print === last || !(await isBroken(scratch, files))) {
        harmless++
        continue
      }
      last = print
      mutations++
      by[name] = (by[name] ?? 0) + 1
      // A machine that stops for half a second makes Redis late, and a subscriber is told so.
      const harm = await certainHarm(async (trial) => {
        if (trial > 0) {
          lay(folder, good)
          await sleep(LOOKED_AT_MS[scene.stage.pace])
        }
        const found = await refusal(fence, { revision, seen }, () => lay(folder, files))
        found.push(...(await stretches()))
        const apologies = scene.diary.apologies - told_
        told_ = scene.diary.apologies
        return apologies ? [...found, `${apologies} apologies meanwhile: ${whyOf(fence)}`] : found
      })
      failures.push(...harm.map((what) => `${name} (${round}): ${what}`))
      if (mutations % MENDED_EVERY !== 0) continue
      lay(folder, good)
      await sleep(LOOKED_AT_MS[scene.stage.pace])
      last = ''
      mended++
    }
    lay(folder, good)
    await walking.stop()
    if ((await inForce(fence)) !== revision) failures.push('the good file is not in force at the end')
    if (mutations < wanted) failures.push(`only ${mutations} of ${wanted} mutations were broken ones`)
    const { diary } = scene
    for (const what of ['hung', 'odd', 'foreign'] as const)
      failures.push(...diary[what].map((story) => `${what}: ${story}`))
    failures.push(...(await aftermath(fence)))
    const hurt = diary.hung.length + diary.odd.length + diary.foreign.length + diary.apologies
    return [
      told(parts, startMs, {
        goal: 'R15',
        title: 'broken flow files put in place of the good ones, subscribers walking',
        failures,
        passed: failures.length === 0,
        figure: `${mutations} broken files refused, each with its place; ${hurt} of ${diary.dialogues} dialogues hurt`,
        counts: {
          mutations,
          kinds: Object.keys(by).length,
          harmless,
          mended,
          dialogues: diary.dialogues,
          steps: diary.steps,
          hurt,
          'longest stall ms': Math.round(seen.stallMs),
          'resident MB': Math.round(figuresOf(fence.daemon.pid).rssMb),
        },
      }),
    ]
  } finally {
    await fence.stop()
    await scene.close()
    for (const path of [folder, scratch]) rmSync(path, { recursive: true, force: true })
  }
}

function filesOf(folder: string): Map<string, Buffer> {
  return new Map(
    readdirSync(folder)
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => [name, readFileSync(join(folder, name))]),
  )
}

/** Makes the folder hold these files and no others, as a careless copy does: one after the other, in place. */
function lay(folder: string, files: Files): void {
  for (const name of readdirSync(folder)) if (!files.has(name)) rmSync(join(folder, name))
  for (const [name, octets] of files) {
    const path = join(folder, name)
    if (!readdirSync(folder).includes(name) || !readFileSync(path).equals(octets)) writeFileSync(path, octets)
  }
}

function printOf(files: Files): string {
  return [...files].map(([name, octets]) => `${name} ${octets.toString('latin1')}`).join('\n')
}

/** By the same check as `ussd-connector check`: what is still a good flow is no mutation. */
async function isBroken(scratch: string, files: Files): Promise<boolean> {
  lay(scratch, files)
  try {
    return compileFlow(await sourceOf(scratch, 'dental'), ['dental']).flow.name !== 'dental'
  } catch (error) {
    if (error instanceof ProblemsError || /octets: too long/.test((error as Error).message)) return true
    throw error
  }
}

/** Lays broken files; answers what is wrong with how they are refused. */
async function refusal(
  fence: Fenced,
  { revision, seen }: { revision: string; seen: { stallMs: number } },
  put: () => void,
): Promise<string[]> {
  const wrong: string[] = []
  const problem = await refusedBy(fence, seen, put)
  if (!problem) wrong.push('not refused')
  else if (!/\.ya?ml:\d+:\d+$/.test(problem)) wrong.push(`its place is ${problem}`)
  if ((await inForce(fence)) !== revision) wrong.push('another revision came into force')
  return wrong
}

/** Lays the files and waits for the refusal; answers where the first problem is, or undefined if none came. */
async function refusedBy(fence: Fenced, seen: { stallMs: number }, put: () => void): Promise<string | undefined> {
  const refusals = async () => {
    const metrics = await metricsOf(fence.adminPort)
    seen.stallMs = Math.max(
      seen.stallMs,
      1_000 * Number(/^nodejs_eventloop_lag_max_seconds (\S+)/m.exec(metrics)?.[1] ?? 0),
    )
    return Number(/^flow_reloads_total\{flow="dental",result="refused"\} (\d+)/m.exec(metrics)?.[1] ?? 0)
  }
  const before = await refusals()
  put()
  if (!(await reached(async () => (await refusals()) > before, REFUSED_MS))) return undefined
  return fence.daemon.log().findLast((line) => line.msg === 'flow problem' && line.level === 'error')?.where as
    | string
    | undefined
}

/** What the daemon itself says went wrong, other than with files; the newest. */
function whyOf(fence: Fenced): string {
  const errors = fence.daemon.log().filter((line) => line.level === 'error' && !String(line.msg).startsWith('flow '))
  const last = errors.at(-1)
  return `${errors.length} errors${last ? `, ${String(last.msg)}: ${JSON.stringify(last.err ?? {}).slice(0, 300)}` : ''}`
}

async function inForce(fence: Fenced): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${fence.adminPort}/ready`)
  const { flows } = (await answer.json()) as { flows: { name: string; revision: string }[] }
  return flows.find((flow) => flow.name === 'dental')?.revision ?? ''
}
