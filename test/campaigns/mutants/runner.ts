/**
 * Where mutants are tried. All of them are compiled at once, each beside the file that it was made from; then one after
 * the other takes that file's place, and the nearest tests run in a process of their own.
 */
import { execFile, execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../../src/base/package-root.ts'
import type { Mutant } from './mutants.ts'

/** The tests that stand nearest to a file. */
export interface Nearest {
  tests: readonly string[]
  /** They need the real Postgres, or Redis. */
  postgres?: true
  redis?: true
  /** Only the tests whose titles end so. Default: all of them. */
  only?: string | readonly string[]
}

/** hung: its tests did not end, which notices it as well. */
export type Fate = 'killed' | 'hung' | 'survived'

export interface Verdict {
  fate: Fate
  /** The full title of the test that failed first. Undefined: none did. */
  by: string | undefined
}

export interface Measured {
  ms: number
  /** The full titles of the tests that passed. */
  passed: readonly string[]
}

export interface Workshop {
  /** Those that compile: what the compiler refuses is nothing for a test to notice. */
  readonly compiled: readonly Mutant[]
  /** How the tests do on the file as it is. Throws where they fail: then they would notice every mutant. */
  measure(nearest: Nearest): Promise<Measured>
  /** Any number at a time, each in a tree of its own. */
  tried(mutant: Mutant, nearest: Nearest, msMax: number): Promise<Verdict>
  close(): void
}

/** The servers of the campaign. */
export interface WorkshopServers {
  postgresUrl: string
  /** Without a database number: each tree has its own. */
  redisUrl?: string | undefined
  say(line: string): void
}

/** Where those tests find them. */
export const POSTGRES_URL = 'MUTANT_POSTGRES_URL'
export const REDIS_URL = 'MUTANT_REDIS_URL'
const COPIED = [
  'src',
  'samples',
  'machines',
  'migrations',
  'test',
  'flows',
  'dialects',
  'contracts',
  'package.json',
  'tsconfig.json',
]
const NEEDED = ['dist', 'flows', 'dialects', 'contracts', 'package.json', 'test/simulation/seeds', 'test/vectors']
/** What tests look for beside their own code. */
const BESIDE = [
  'dialects',
  'flows',
  'contracts',
  'test/vectors',
  'test/store/sealed-unbound.json',
  'test/simulation/seeds',
]
const MOCHA = 'node_modules/mocha/bin/mocha.js'
/**
 * PGlite would say the same as Postgres, and takes three times as long; the crowd takes as long as all the others;
 * daemons that are killed are started from the sources, which are in no tree.
 */
const PASSED_OVER = 'PGlite|with four daemons at once|that is killed|was killed'
/** For tests on the file as it is, on a machine as slow as it may be. */
const MEASURED_MS_MAX = 120_000
/** A test that fails on the file as it is fails each time, or it is the machine; what it said is shown either way. */
const MEASURED_TRIES = 3
/** Of a process that was killed, something may still write for a moment. */
const REMOVED = { recursive: true, force: true, maxRetries: 20, retryDelay: 100 } as const

export async function workshop(
  mutants: readonly Mutant[],
  nearest: readonly Nearest[],
  servers: WorkshopServers,
): Promise<Workshop> {
  const home = mkdtempSync(join(tmpdir(), 'ussd-mutants-'))
  for (const name of COPIED) cpSync(join(packageRoot, name), join(home, name), { recursive: true })
  link(home)
  const copies = new Map(mutants.map((mutant, n) => [mutant, mutant.file.replace(/\.ts$/, `.mutant${n}.ts`)]))
  for (const [{ source }, copy] of copies) writeFileSync(join(home, copy), source)
  const refused = await compile(home, [
    ...copies.values(),
    ...new Set(nearest.flatMap(({ tests }) => tests)),
    'test/campaigns/mutants/services.ts',
  ])
  execFileSync(process.execPath, [join(packageRoot, 'scripts/copy-assets.mjs')], { cwd: home })
  for (const name of BESIDE) cpSync(join(home, name), join(home, 'dist', name), { recursive: true })
  const idle: string[] = []
  let trees = 0

  function tree(): string {
    const folder = join(home, `tree${++trees}`)
    mkdirSync(folder)
    for (const name of NEEDED) cpSync(join(home, name), join(folder, name), { recursive: true })
    link(folder)
    return folder
  }

  const run = (folder: string, tests: Nearest, msMax: number) => runTests({ folder, tests, msMax, servers })

  return {
    compiled: mutants.filter((mutant) => !refused.has(copies.get(mutant)!)),
    async measure(tests) {
      const folder = idle.pop() ?? tree()
      try {
        for (let tries = 1; ; tries++) {
          const startMs = performance.now()
          const { fate, said, passed } = await run(folder, tests, MEASURED_MS_MAX)
          if (fate === 'survived') return { ms: Math.ceil(performance.now() - startMs), passed }
          const why = `${tests.tests.join(', ')} must pass on the sources as they are\n${said.slice(-2_000)}`
          if (tries === MEASURED_TRIES) throw new Error(why)
          servers.say(`     again (${tries} of ${MEASURED_TRIES}): ${why}`)
        }
      } finally {
        idle.push(folder)
      }
    },
    async tried(mutant, tests, msMax) {
      const folder = idle.pop() ?? tree()
      const place = join(folder, built(mutant.file))
      cpSync(join(home, built(copies.get(mutant)!)), place)
      const { fate, by } = await run(folder, tests, msMax)
      cpSync(join(home, built(mutant.file)), place)
      idle.push(folder)
      return { fate, by }
    },
    close: () => rmSync(home, REMOVED),
  }
}

interface Running {
  folder: string
  tests: Nearest
  msMax: number
  servers: WorkshopServers
}

/** What mocha writes down of a run: its JSON reporter. */
interface Report {
  passes: { fullTitle: string }[]
  failures: { fullTitle: string; err: { message?: string } }[]
}

interface Ran extends Verdict {
  said: string
  passed: readonly string[]
}

function runTests({ folder, tests, msMax, servers }: Running): Promise<Ran> {
  const file = join(folder, 'report.json')
  const args = ['--no-config', '--no-package', '--exit', '--bail', '--timeout', String(Math.ceil(msMax / 2))]
  args.push('--reporter', 'json', '--reporter-option', `output=${file}`)
  if (tests.postgres || tests.redis) args.push('--require', './dist/test/campaigns/mutants/services.js')
  args.push('--grep', `^(?!.*(?:${PASSED_OVER})).*${titlesOf(tests)}`)
  // Each tree has a database of Redis to itself, because some tests look at all keys.
  const redisUrl = servers.redisUrl && `${servers.redisUrl}/${/\d+$/.exec(folder)![0]}`
  const options = {
    cwd: folder,
    env: { ...process.env, [POSTGRES_URL]: servers.postgresUrl, ...(redisUrl ? { [REDIS_URL]: redisUrl } : {}) },
    timeout: msMax,
    killSignal: 'SIGKILL',
    maxBuffer: 1 << 26,
  } as const
  rmSync(file, { force: true })
  return new Promise((done) => {
    execFile(process.execPath, [MOCHA, ...args, ...tests.tests.map(built)], options, (error, stdout, stderr) => {
      const { passes, failures } = reportIn(file)
      const failed = failures.map(({ fullTitle, err }) => `${fullTitle}: ${err.message ?? ''}`)
      done({
        fate: error?.killed ? 'hung' : error ? 'killed' : 'survived',
        by: failures[0]?.fullTitle,
        passed: passes.map(({ fullTitle }) => fullTitle),
        said: [stdout, stderr, ...failed].join('\n'),
      })
    })
  })
}

function titlesOf({ only }: Nearest): string {
  if (only === undefined) return ''
  const titles = [only].flat().map((title) => title.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&'))
  return `(?:${titles.join('|')})$`
}

/** Nothing, where the process did not live to write it. */
function reportIn(file: string): Report {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report
  } catch {
    return { passes: [], failures: [] }
  }
}

function link(folder: string): void {
  symlinkSync(join(packageRoot, 'node_modules'), join(folder, 'node_modules'))
}

function built(file: string): string {
  return join('dist', file.replace(/\.ts$/, '.js'))
}

/**
 * Those of the files that do not compile. Types are not looked at: what only they would notice is to be noticed by a
 * test, too, since half of all mutants break one.
 */
function compile(home: string, files: readonly string[]): Promise<ReadonlySet<string>> {
  const compilerOptions = { noEmit: false, noCheck: true, outDir: 'dist' }
  writeFileSync(
    join(home, 'tsconfig.mutants.json'),
    JSON.stringify({ extends: './tsconfig.json', compilerOptions, include: ['migrations', 'samples'], files }),
  )
  const args = [
    join(packageRoot, 'node_modules/typescript/bin/tsc'),
    '-p',
    'tsconfig.mutants.json',
    '--pretty',
    'false',
  ]
  return new Promise((done) => {
    execFile(process.execPath, args, { cwd: home, maxBuffer: 1 << 26 }, (_error, stdout) => {
      done(new Set(Array.from(stdout.matchAll(/^(\S+?\.ts)\(\d+,\d+\): error /gm), ([, file]) => file!)))
    })
  })
}

/** So many at a time. The first failure ends it, once all that were begun are over: then nothing works in a tree any more. */
export async function inParallel<T>(workers: number, all: readonly T[], run: (one: T) => Promise<void>): Promise<void> {
  const queue = [...all]
  const failures: unknown[] = []
  const worker = async () => {
    while (queue.length && !failures.length) await run(queue.shift()!).catch((error: unknown) => failures.push(error))
  }
  await Promise.all(Array.from({ length: workers }, worker))
  if (failures.length) throw failures[0]
}
