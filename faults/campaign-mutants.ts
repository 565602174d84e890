/**
 * R20: do the tests notice? One small change at a time to the parts that nothing may get past: each mutant gets the
 * nearest tests, in a copy of the tree and a process of its own. Stryker wants Node 22; see docs/WHY.md.
 */
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../src/root.ts'
import { seededChance } from '../src/simulator/chaos.ts'
import { services, startServices, stopServices } from '../test/support/services.ts'
import { mutantsOf, type Mutant } from './mutants.ts'
import { told, type Campaign } from './outcome.ts'

/** The real Postgres is enough: PGlite takes three times as long. */
const REAL = ['--grep', 'PGlite', '--invert']
/** What is changed, and the tests that stand nearest. */
const TARGETS: Record<string, readonly string[]> = {
  'src/smpp/framer.ts': ['test/smpp/framer.test.ts'],
  'src/dialogue/turn.ts': ['test/dialogue/turn.test.ts'],
  'src/dialogue/repeat.ts': ['test/store/memory.test.ts'],
  'src/dialogue/outcome.ts': ['test/store/memory.test.ts'],
  'src/reminders/outbox.ts': [...REAL, 'test/services/dental.test.ts'],
  'src/reminders/dispatch.ts': [...REAL, 'test/reminders/dispatch.test.ts'],
}
/** How many are tried, drawn by the seed; all in the long run. */
const MUTANTS = { ci: 12, bounded: 160, long: Infinity }
const SCORE_MIN = 0.85
const WORKERS = 2
/** Over it the mutant hangs its tests, which then notice. */
const TEST_MS_MAX = 90_000
const COPIED = ['src', 'machines', 'migrations', 'test', 'faults', 'flows', 'dialects', 'contracts', 'package.json', 'tsconfig.json', '.mocharc.json']

type Fate = 'killed' | 'survived' | 'invalid'

export const mutantsCampaign: Campaign = async (parts) => {
  const startMs = performance.now()
  const limit = parts.mutants ?? MUTANTS[parts.ci ? 'ci' : parts.mode]
  const all = Object.keys(TARGETS).flatMap((file) => mutantsOf(file, readFileSync(join(packageRoot, file), 'utf8')))
  const chosen = drawn(all, limit, parts.seed)
  await startServices()
  const fates = new Map<Mutant, Fate>()
  const queue = [...chosen]
  const workers = Array.from({ length: WORKERS }, () => workspace())
  try {
    await Promise.all(workers.map(async (folder) => {
      for (let file: string | undefined; ;) {
        const mutant = queue.shift()
        if (!mutant) return
        // Undoes the one before.
        if (file) cpSync(join(packageRoot, file), join(folder, file))
        file = mutant.file
        fates.set(mutant, await tried(folder, mutant))
        cpSync(join(packageRoot, file), join(folder, file))
        if (fates.get(mutant) === 'survived') parts.say(`     survived: ${mutant.file}:${mutant.line} ${mutant.what}`)
      }
    }))
  } finally {
    for (const folder of workers) rmSync(folder, { recursive: true, force: true })
    await stopServices()
    services.redisUrl = services.postgresUrl = undefined
  }
  const count = (fate: Fate, file?: string) => [...fates].filter(([mutant, one]) => one === fate && (!file || mutant.file === file)).length
  const [killed, survived] = [count('killed'), count('survived')]
  const score = killed / Math.max(1, killed + survived)
  const survivors = [...fates].filter(([, fate]) => fate === 'survived').map(([mutant]) => `${mutant.file}:${mutant.line} ${mutant.what}`)
  return [told(parts, startMs, {
    goal: 'R20', title: 'mutants of framer, turn, take and rest, outbox and dispatch, each under its nearest tests', passed: score >= SCORE_MIN,
    figure: `${(score * 100).toFixed(1)} % of ${killed + survived} mutants noticed (of ${all.length} that there are), ${SCORE_MIN * 100} % wanted`,
    counts: {
      killed, survived, doNotCompile: count('invalid'),
      ...Object.fromEntries(Object.keys(TARGETS).map((file) => [file, `${count('killed', file)} of ${count('killed', file) + count('survived', file)}`])),
    },
    failures: survivors.map((one) => `survived: ${one}`),
  })]
}

function drawn(all: readonly Mutant[], limit: number, seed: number): Mutant[] {
  const chance = seededChance(seed)
  return all.map((mutant) => ({ mutant, rank: chance() })).toSorted((a, b) => a.rank - b.rank).slice(0, limit).map(({ mutant }) => mutant)
}

function workspace(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ussd-mutants-'))
  for (const name of COPIED) cpSync(join(packageRoot, name), join(folder, name), { recursive: true })
  mkdirSync(join(folder, 'docs'))
  symlinkSync(join(packageRoot, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

function tried(folder: string, { file, source }: Mutant): Promise<Fate> {
  writeFileSync(join(folder, file), source)
  const mocha = join(folder, 'node_modules/mocha/bin/mocha.js')
  const args = [mocha, '--bail', '--reporter', 'dot', ...TARGETS[file]!]
  const env = { ...process.env, TEST_REDIS_URL: services.redisUrl, TEST_POSTGRES_URL: services.postgresUrl }
  return new Promise((done) => {
    execFile(process.execPath, args, { cwd: folder, env, timeout: TEST_MS_MAX, killSignal: 'SIGKILL', maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (!error) done('survived')
      else done(/Transform failed|SyntaxError/.test(stdout + stderr) ? 'invalid' : 'killed')
    })
  })
}
